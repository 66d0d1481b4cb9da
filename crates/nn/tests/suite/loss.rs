//! The cross-entropy against its definition, and where the definition overflows.

use crate::common::{assert_near, normal, seeded};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use rand::RngExt;
use retrograde_autograd::Tape;
use retrograde_nn::cross_entropy;
use retrograde_tensor::{Float, Shape, Tensor};

/// The loss and its gradient.
fn computed<E: Float>(logits: &Tensor<E>, targets: &Tensor<usize>, cotangent: E) -> (E, Tensor<E>) {
    let tape = Tape::new();
    let logits = tape.var(logits.clone());
    let loss = cross_entropy(&logits, targets).unwrap();
    assert_eq!(loss.value().rank(), 0);
    let grads = loss.backward_with(&Tensor::scalar(cotangent)).unwrap();
    (loss.value().item().unwrap(), grads.get(&logits).unwrap().clone())
}

/// The definition, position by position: `-ln(exp(x_k) / Σ exp(x))` and `(softmax - onehot) / count`.
fn defined(logits: &Tensor<f64>, targets: &Tensor<usize>, cotangent: f64) -> (f64, Tensor<f64>) {
    let (classes, count) = (*logits.dims().last().unwrap(), targets.numel());
    let x = logits.to_vec();
    let mut loss = 0.0;
    let mut gradient = Vec::new();
    for (row, target) in x.chunks(classes).zip(targets) {
        let sum: f64 = row.iter().map(|x| x.exp()).sum();
        loss -= (row[target].exp() / sum).ln() / count as f64;
        gradient.extend(
            row.iter().enumerate().map(|(k, x)| {
                cotangent * (x.exp() / sum - if k == target { 1.0 } else { 0.0 }) / count as f64
            }),
        );
    }
    (loss, Tensor::from_vec(gradient, logits.shape()).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn equals_its_definition(
        leading in prop::collection::vec(1..=4_usize, 0..=3),
        classes in 1..=6_usize,
        cotangent in prop_oneof![-3.0..-0.1, 0.1..3.0],
        seed in any::<u64>(),
    ) {
        let mut rng = seeded(seed);
        let shape = Shape::new(&leading).unwrap();
        let logits = normal::<f64>(shape.inserted(shape.rank(), classes), 3.0, &mut rng);
        let targets = Tensor::from_fn(shape, |_| rng.random_range(0..classes));
        let (loss, gradient) = computed(&logits, &targets, cotangent);
        let (expected, expected_gradient) = defined(&logits, &targets, cotangent);
        prop_assert!((loss - expected).abs() <= 1e-13 * expected.abs() + 1e-15);
        assert!(gradient.allclose(&expected_gradient, 1e-13, 1e-15).is_ok());

        let (single, _) = computed(&logits.map(|x| x as f32), &targets, 1.0);
        prop_assert!((f64::from(single) - expected).abs() <= 1e-5 * expected.abs() + 1e-6);
    }
}

/// A view that is no contiguous block: time first, as a transposed batch has it.
#[test]
fn of_logits_and_targets_that_are_views() {
    let mut rng = seeded(2);
    let logits = normal::<f64>([3, 2, 5], 1.0, &mut rng).transpose(0, 1); // [2, 3, 5]
    let targets = Tensor::from([[0_usize, 1], [2, 3], [4, 0]]).t(); // [2, 3]
    let (loss, gradient) = computed(&logits, &targets, 1.0);
    let (expected, expected_gradient) = defined(&logits, &targets.contiguous(), 1.0);
    assert!((loss - expected).abs() < 1e-14);
    assert_near("dlogits", &gradient, &expected_gradient, 1e-14);
}

fn extreme<E: Float>(large: f64) {
    let x = E::from_f64(large);
    let logits = Tensor::from([[x, -x, E::default()], [x, -x, E::default()], [x, x, -x]]);
    // The largest logit as the target costs nothing, the least the whole distance, one of two ln 2.
    let (right, gradient) = computed(&logits.narrow(0, 0, 1), &Tensor::from([0]), E::from_f64(1.0));
    assert_eq!(right.to_f64(), 0.0);
    assert_eq!(gradient, Tensor::zeros([1, 3]));
    let (wrong, gradient) = computed(&logits.narrow(0, 1, 1), &Tensor::from([1]), E::from_f64(1.0));
    assert_eq!(wrong, x + x);
    assert_eq!(gradient, Tensor::from([[1.0, -1.0, 0.0]]).map(E::from_f64));
    let (tie, gradient) = computed(&logits.narrow(0, 2, 1), &Tensor::from([1]), E::from_f64(1.0));
    assert!((tie.to_f64() - 2.0_f64.ln()).abs() < E::EPSILON.to_f64());
    assert_eq!(gradient, Tensor::from([[0.5, -0.5, 0.0]]).map(E::from_f64));
}

#[test]
fn of_extreme_logits() {
    extreme::<f64>(1e4);
    extreme::<f64>(1e300);
    extreme::<f32>(1e4);
    extreme::<f32>(1e30);
    extreme::<f32>(1.5e38);
}

/// Where even the loss is beyond the largest number, the gradient is right.
#[test]
fn of_logits_further_apart_than_any_number() {
    let logits = Tensor::from([[f32::MAX, f32::MIN]]);
    let (loss, gradient) = computed(&logits, &Tensor::from([1]), 1.0);
    assert_eq!(loss, f32::INFINITY);
    assert_eq!(gradient, Tensor::from([[1.0, -1.0]]));
    let (loss, gradient) = computed(&logits, &Tensor::from([0]), 1.0);
    assert_eq!((loss, gradient), (0.0, Tensor::from([[0.0, 0.0]])));
}
