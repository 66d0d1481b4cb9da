//! Optimizers and clipping against loops over single numbers.

mod common;

use common::{assert_near, normal, seeded};
use retrograde_autograd::{Gradients, Param, Tape};
use retrograde_nn::{Adam, Sgd, clip_grad_norm};
use retrograde_tensor::{Float, Tensor};

/// Gradients that are just these: those of `Σ ⟨g, w⟩`.
fn gradients<E: Float>(of: &[(&Param<E>, &Tensor<E>)]) -> Gradients<E> {
    let tape = Tape::new();
    let params: Vec<_> = of.iter().map(|(param, _)| tape.param(param)).collect();
    let seeds: Vec<_> = params.iter().zip(of).map(|(param, (_, g))| (param, *g)).collect();
    tape.backward(&seeds).unwrap()
}

#[test]
fn sgd_against_a_loop() {
    let mut rng = seeded(1);
    let [w, v]: [Tensor<f64>; 2] = [normal([3, 2], 1.0, &mut rng), normal([4], 1.0, &mut rng)];
    let (w, v) = (Param::new("w", w), Param::new("v", v));
    let mut expected = [w.value().to_vec(), v.value().to_vec()];
    let mut sgd = Sgd::new(0.1);
    for step in 0..5 {
        sgd.lr = 0.1 / f64::from(step + 1);
        // A transposed gradient: what counts is the index, not the place in memory.
        let (dw, dv) = (normal::<f64>([2, 3], 1.0, &mut rng).t(), normal([4], 1.0, &mut rng));
        sgd.step(&gradients(&[(&w, &dw), (&v, &dv)])).unwrap();
        for (w, g) in expected.iter_mut().zip([dw.to_vec(), dv.to_vec()]) {
            w.iter_mut().zip(g).for_each(|(w, g)| *w -= sgd.lr * g);
        }
    }
    assert_eq!([w.value().to_vec(), v.value().to_vec()], expected);
}

/// One number under Adam, by the paper's algorithm 1, line by line.
struct Number {
    x: f64,
    m: f64,
    v: f64,
    t: i32,
}

impl Number {
    fn step(&mut self, g: f64, lr: f64, (beta1, beta2): (f64, f64), eps: f64) {
        self.t += 1;
        self.m = beta1 * self.m + (1.0 - beta1) * g;
        self.v = beta2 * self.v + (1.0 - beta2) * g * g;
        let m_hat = self.m / (1.0 - beta1.powi(self.t));
        let v_hat = self.v / (1.0 - beta2.powi(self.t));
        self.x -= lr * m_hat / (v_hat.sqrt() + eps);
    }
}

fn adam<E: Float>(tolerance: f64) {
    let mut rng = seeded(2);
    let often = Param::new("often", normal::<E>([2, 3], 1.0, &mut rng));
    let seldom = Param::new("seldom", normal::<E>([4], 1.0, &mut rng));
    let never = Param::new("never", normal::<E>([2], 1.0, &mut rng));
    let untouched = never.value();
    let numbers = |param: &Param<E>| -> Vec<Number> {
        param.value().iter().map(|x| Number { x: x.to_f64(), m: 0.0, v: 0.0, t: 0 }).collect()
    };
    let mut expected = [numbers(&often), numbers(&seldom)];
    let mut adam = Adam::new(0.05);
    adam.betas = (0.8, 0.95);
    adam.eps = 1e-6;
    for step in 0..12 {
        adam.lr = if step < 6 { 0.05 } else { 0.01 };
        let dw = [normal::<E>([3, 2], 1.0, &mut rng).t(), normal([4], 0.1, &mut rng)];
        // Every third time nothing flows to `seldom`: it stays, and its running means and its count with it.
        let grads = match step % 3 {
            1 => gradients(&[(&often, &dw[0])]),
            _ => gradients(&[(&often, &dw[0]), (&seldom, &dw[1])]),
        };
        adam.step(&grads).unwrap();
        for (i, (numbers, dw)) in expected.iter_mut().zip(&dw).enumerate() {
            if i == 0 || step % 3 != 1 {
                numbers
                    .iter_mut()
                    .zip(dw)
                    .for_each(|(w, g)| w.step(g.to_f64(), adam.lr, adam.betas, adam.eps));
            }
        }
    }
    for (param, numbers) in [&often, &seldom].into_iter().zip(expected) {
        let expected: Vec<f64> = numbers.iter().map(|number| number.x).collect();
        let found = param.value().map(|x| x.to_f64());
        assert_near(param.name(), &found, &Tensor::from_vec(expected, param.shape()).unwrap(), tolerance);
    }
    assert_eq!(never.value(), untouched);
}

#[test]
fn adam_against_a_loop() {
    adam::<f64>(1e-14);
    adam::<f32>(1e-6);
}

/// The first step is about the learning rate, whatever the gradient: m̂ / sqrt(v̂) is its sign.
#[test]
fn adam_starts_without_bias() {
    let w = Param::new("w", Tensor::from([1.0_f64, 1.0, 1.0]));
    let dw = Tensor::from([1e-3, -20.0, 0.0]);
    Adam::new(0.001).step(&gradients(&[(&w, &dw)])).unwrap();
    let expected = [1.0 - 0.001 * 1e-3 / (1e-3 + 1e-8), 1.0 + 0.001 * 20.0 / (20.0 + 1e-8), 1.0];
    assert_near("w", &w.value(), &Tensor::from(expected), 1e-15);
}

#[test]
fn clipping_against_a_loop() {
    let mut rng = seeded(3);
    let [a, b]: [Param<f64>; 2] =
        [Param::new("a", Tensor::zeros([3, 2])), Param::new("b", Tensor::zeros([5]))];
    let (da, db) = (normal::<f64>([2, 3], 1.0, &mut rng).t(), normal::<f64>([5], 1.0, &mut rng));
    let norm = da.to_vec().iter().chain(&db.to_vec()).map(|x| x.powi(2)).sum::<f64>().sqrt();
    for max_norm in [0.0, 0.25, 1.0, norm, 2.0 * norm, f64::INFINITY] {
        let mut grads = gradients(&[(&a, &da), (&b, &db)]);
        assert!((clip_grad_norm(&mut grads, max_norm) - norm).abs() < 1e-14 * norm);
        let factor = if max_norm / (norm + 1e-6) < 1.0 { max_norm / (norm + 1e-6) } else { 1.0 };
        assert_near("da", grads.get(&a).unwrap(), &(&da * factor), 1e-15);
        assert_near("db", grads.get(&b).unwrap(), &(&db * factor), 1e-15);
    }
    // The gradients that were given are not what is scaled: a copy of the map keeps its own.
    let grads = gradients(&[(&a, &da)]);
    let mut clipped = grads.clone();
    clip_grad_norm(&mut clipped, 0.1);
    assert_eq!(grads.get(&a), Some(&da));
}

/// In single precision, the norm is summed in double.
#[test]
fn clipping_gradients_whose_squares_overflow() {
    let w = Param::new("w", Tensor::<f32>::zeros([2]));
    let mut grads = gradients(&[(&w, &Tensor::from([3e30, 4e30]))]);
    let norm = clip_grad_norm(&mut grads, 10.0);
    assert!((norm / 5e30 - 1.0).abs() < 1e-6);
    assert_near("dw", grads.get(&w).unwrap(), &Tensor::from([6.0, 8.0]), 1e-6);
}

/// Variables that are no parameters are neither counted nor scaled.
#[test]
fn clipping_looks_at_parameters_alone() {
    let w = Param::new("w", Tensor::from([3.0_f64, 4.0]));
    let tape = Tape::new();
    let x = tape.var(Tensor::from([100.0, 100.0]));
    let y = (&x * &w).sum(); // dx = w, dw = x
    let mut grads = y.backward().unwrap();
    assert!((clip_grad_norm(&mut grads, 1.0) - 20_000_f64.sqrt()).abs() < 1e-12);
    assert_eq!(grads.get(&x), Some(&w.value()));
}
