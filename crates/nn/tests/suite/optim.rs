//! Gradient descent and Adam against loops over single numbers.

use crate::common::{assert_near, gradients, normal, seeded};
use retrograde_autograd::Param;
use retrograde_nn::{Adam, Optimizer, Sgd};
use retrograde_tensor::{Float, Tensor};

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
