//! Clipping against loops over single numbers.

use crate::common::{assert_near, gradients, normal, seeded};
use retrograde_autograd::{Gradients, Param, Tape};
use retrograde_nn::{clip_grad_norm, clip_grad_value, grad_norm, try_clip_grad_norm};
use retrograde_tensor::Tensor;

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

#[test]
fn clipping_by_value_against_a_loop() {
    let mut rng = seeded(4);
    let [a, b]: [Param<f64>; 2] =
        [Param::new("a", Tensor::zeros([3, 2])), Param::new("b", Tensor::zeros([5]))];
    let (da, db) = (normal::<f64>([2, 3], 1.0, &mut rng).t(), normal::<f64>([5], 1.0, &mut rng));
    let norm = da.to_vec().iter().chain(&db.to_vec()).map(|x| x.powi(2)).sum::<f64>().sqrt();
    for max_value in [0.0, 0.3, 1.0, f64::INFINITY] {
        let mut grads = gradients(&[(&a, &da), (&b, &db)]);
        assert!((clip_grad_value(&mut grads, max_value) - norm).abs() < 1e-14 * norm);
        for (param, dw) in [(&a, &da), (&b, &db)] {
            let limited = |x: f64| {
                if x > max_value {
                    max_value
                } else if x < -max_value {
                    -max_value
                } else {
                    x
                }
            };
            assert_eq!(grads.get(param), Some(&dw.map(limited)));
        }
    }
    let mut grads = gradients(&[(&b, &Tensor::from([f64::NAN, f64::INFINITY, -2.0, 0.5, 0.0]))]);
    assert!(grad_norm(&grads).is_nan());
    clip_grad_value(&mut grads, 1.0);
    let found = grads.get(&b).unwrap().to_vec();
    assert!(found[0].is_nan());
    assert_eq!(found[1..], [1.0, -1.0, 0.5, 0.0]);
}

#[test]
#[should_panic(expected = "clip_grad_value: expected max_value to be at least 0, found -1")]
fn clipping_by_a_negative_value() {
    let w = Param::new("w", Tensor::from([1.0_f64]));
    clip_grad_value(&mut gradients(&[(&w, &Tensor::from([1.0]))]), -1.0);
}

/// As PyTorch's `clip_grad_norm_`; and its `error_if_nonfinite`.
#[test]
fn a_norm_that_is_not_finite() {
    let [a, b]: [Param<f64>; 2] = ["a", "b"].map(|name| Param::new(name, Tensor::zeros([2])));
    let grads = |odd: f64| gradients(&[(&a, &Tensor::from([3.0, -4.0])), (&b, &Tensor::from([1.0, odd]))]);
    let found =
        |grads: &Gradients<f64>| [grads.get(&a).unwrap().to_vec(), grads.get(&b).unwrap().to_vec()].concat();

    let mut nan = grads(f64::NAN);
    assert!(clip_grad_norm(&mut nan, 1.0).is_nan());
    assert!(found(&nan).iter().all(|dw| dw.is_nan()));
    for odd in [f64::INFINITY, f64::NEG_INFINITY] {
        let mut infinite = grads(odd);
        assert_eq!(clip_grad_norm(&mut infinite, 1.0), f64::INFINITY);
        assert_eq!(found(&infinite)[..3], [0.0, -0.0, 0.0]);
        assert!(found(&infinite)[3].is_nan());
        // Nothing is longer than infinity.
        let mut infinite = grads(odd);
        clip_grad_norm(&mut infinite, f64::INFINITY);
        assert_eq!(found(&infinite), [3.0, -4.0, 1.0, odd]);
    }

    for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let mut unfit = grads(odd);
        let norm = grad_norm(&unfit);
        assert_eq!(
            try_clip_grad_norm(&mut unfit, 1.0).unwrap_err().to_string(),
            format!(
                "clip_grad_norm: expected gradients of a finite norm, found {norm}, with {odd} in that of b"
            )
        );
        assert_eq!(found(&unfit)[..3], [3.0, -4.0, 1.0]);
    }
    let (mut tried, mut clipped) = (grads(2.0), grads(2.0));
    assert_eq!(try_clip_grad_norm(&mut tried, 1.0).unwrap(), clip_grad_norm(&mut clipped, 1.0));
    assert_eq!(found(&tried), found(&clipped));
    let said = |max_norm| try_clip_grad_norm(&mut grads(2.0), max_norm).unwrap_err().to_string();
    assert_eq!(said(-1.0), "clip_grad_norm: expected max_norm to be at least 0, found -1");
    assert_eq!(said(f64::NAN), "clip_grad_norm: expected max_norm to be at least 0, found NaN");
    assert_eq!(try_clip_grad_norm(&mut gradients::<f64>(&[]), 1.0), Ok(0.0));
}

/// Squares that overflow or vanish in double precision.
#[test]
fn norms_at_the_ends_of_the_range() {
    let w = Param::new("w", Tensor::zeros([2]));
    for scale in [1e-320, 1e-200, 1e-160, 1.0, 1e154, 1e200, 1e307] {
        let grads = gradients(&[(&w, &Tensor::from([3.0 * scale, 4.0 * scale]))]);
        let norm = grad_norm(&grads);
        let error = (norm / scale - 5.0).abs();
        assert!(error < if scale < 1e-300 { 1e-2 } else { 1e-14 }, "{scale}: {norm}");
    }
    let mut grads = gradients(&[(&w, &Tensor::from([1.5e308, 1.5e308]))]);
    let said = try_clip_grad_norm(&mut grads, 1.0).unwrap_err().to_string();
    assert_eq!(said, "clip_grad_norm: expected gradients of a finite norm, found inf, with inf in that of w");
}
