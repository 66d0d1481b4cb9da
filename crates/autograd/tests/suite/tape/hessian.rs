//! Hessian-vector products as one call.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_derivation::DeriveVar;
use retrograde_tensor::{Tensor, assert_close};

/// `Σ tanh(tanh(x·W)·W + b)²`
fn loss<'t>(x: &Var<'t, f64>, w: &Var<'t, f64>, b: &Var<'t, f64>) -> Var<'t, f64> {
    (x.matmul(w).tanh().matmul(w) + b).tanh().square().sum()
}

#[test]
fn agrees_with_differences_of_the_gradient() {
    let mut rng = StdRng::seed_from_u64(5);
    let mut normal = |shape: [usize; 2]| Tensor::normal(shape, 0.0, 0.6, &mut rng).unwrap();
    let (x, w, b) = (normal([3, 4]), normal([4, 4]), normal([1, 4]));
    let (u, v) = (normal([3, 4]), normal([4, 4]));

    let gradients = |h: f64| {
        let tape = Tape::new();
        let (x, w, b) = (tape.var(&x + &u * h), tape.var(&w + &v * h), tape.var(b.clone()));
        let gradients = loss(&x, &w, &b).backward().unwrap();
        [&x, &w, &b].map(|x| gradients.get(x).unwrap().clone())
    };
    let near = (gradients(1e-3), gradients(-1e-3));
    let far = (gradients(2e-3), gradients(-2e-3));

    let tape = Tape::new();
    let w = Param::new("W", w);
    let (x, w, b) = (tape.var(x), tape.param(&w), tape.var(b));
    let y = loss(&x, &w, &b);
    let before = tape.len();
    let product = y.hvp(&[(&x, &u), (&w, &v)]).unwrap();
    assert_eq!(tape.len(), before);
    for (i, x) in [&x, &w, &b].into_iter().enumerate() {
        let numeric = (8.0 * (&near.0[i] - &near.1[i]) - (&far.0[i] - &far.1[i])) / 12e-3;
        assert_close!(product.get(x).unwrap(), numeric, 1e-8, 1e-9);
    }
}

/// `⟨u, H v⟩ = ⟨v, H u⟩`
#[test]
fn is_symmetric() {
    let mut rng = StdRng::seed_from_u64(6);
    let mut normal = |shape: [usize; 2]| Tensor::normal(shape, 0.0, 0.6, &mut rng).unwrap();
    let tape = Tape::new();
    let (x, w, b) = (tape.var(normal([1, 3])), tape.var(normal([3, 3])), tape.var(normal([1, 3])));
    let y = loss(&x, &w, &b);
    let (u, v) = (normal([3, 3]), normal([3, 3]));
    let pair = |u: &Tensor<f64>, v: &Tensor<f64>| {
        (y.hvp(&[(&w, v)]).unwrap().get(&w).unwrap() * u).sum().item().unwrap()
    };
    assert!((pair(&u, &v) - pair(&v, &u)).abs() < 1e-13, "{} and {}", pair(&u, &v), pair(&v, &u));
}

#[test]
fn is_absent_where_the_gradient_is_constant() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0_f64, 2.0]));
    let apart = tape.var(Tensor::from([3.0_f64]));
    let y = (&x * 3.0).sum();
    let v = Tensor::from([1.0, 5.0]);
    assert_eq!(y.hvp(&[(&x, &v)]).unwrap().get(&x), None);
    assert_eq!(y.hvp(&[(&apart, &Tensor::from([1.0]))]).unwrap().get(&x), None);
}

/// All that a tape says of itself.
fn state(tape: &Tape<f64>) -> (String, usize, usize) {
    (format!("{tape:#} {:?}", tape.nodes()), tape.kept_bytes(), tape.len())
}

/// Values, names, shapes and what is kept: as before, also after an error and after a panic.
#[test]
fn the_tape_is_left_as_it_was() {
    struct Refusing(bool);
    impl retrograde_autograd::Function<f64> for Refusing {
        fn name(&self) -> &'static str {
            "refusing"
        }
        fn forward(&self, x: &[&Tensor<f64>]) -> retrograde_autograd::Result<Tensor<f64>> {
            Ok(x[0].clone())
        }
        fn backward(
            &self,
            _: &[&Tensor<f64>],
            _: &Tensor<f64>,
            dy: &Tensor<f64>,
        ) -> Vec<Option<Tensor<f64>>> {
            vec![Some(dy.clone())]
        }
        fn expand<'t>(&self, x: &[&Var<'t, f64>]) -> Option<retrograde_autograd::Result<Var<'t, f64>>> {
            assert!(self.0, "a panic on the way");
            Some(x[0].try_add(Tensor::zeros([7, 7, 7])))
        }
    }
    let tape = Tape::new();
    let w = Param::new("w", Tensor::from([[0.5, -0.2], [0.3, 0.1]]));
    tape.set_step(Some(3));
    let x = tape.var(Tensor::ones([5, 2])).named("x");
    let states: Vec<_> = (0..3).map(|i| (&x * f64::from(i)).matmul(&w).tanh().named("h")).collect();
    let y = Var::stack(&states, 1).exp().sum();
    let fails = [true, false].map(|fails| tape.call(std::sync::Arc::new(Refusing(fails)), &[&x]).exp().sum());
    let before = state(&tape);
    for _ in 0..3 {
        y.hvp(&[(&x, &Tensor::ones([5, 2]))]).unwrap();
        assert_eq!(state(&tape), before);
        fails[0].hvp(&[(&x, &Tensor::ones([5, 2]))]).err().unwrap();
        assert_eq!(state(&tape), before);
        let hvp = || fails[1].hvp(&[(&x, &Tensor::ones([5, 2]))]).map(|_| ());
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(hvp)).unwrap_err();
        assert_eq!(state(&tape), before);
        tape.jvp(&[&y], &[(&x, &Tensor::ones([5, 2]))]).unwrap();
        y.check_finite().unwrap();
        y.derivation().unwrap();
        assert_eq!(state(&tape), before);
    }
    // The next node is that of the same step.
    assert!(x.exp().named("next").id().and_then(|id| tape.node(id)).unwrap().label() == "next_3");
}
