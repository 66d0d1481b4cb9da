//! Tensors as text, and comparisons.

use retrograde_tensor::{Mismatch, Tensor, assert_close};

use crate::common;

#[test]
fn printed_with_aligned_columns() {
    let x = Tensor::from([[1.0, -2.5], [10.0, 4.0]]);
    assert_eq!(x.to_string(), "[[   1, -2.5],\n [  10,    4]]");
    assert_eq!(format!("{x:.1}"), "[[ 1.0, -2.5],\n [10.0,  4.0]]");
    assert_eq!(x.unsqueeze(0).unsqueeze(2).to_string(), "[[[[   1, -2.5]],\n\n  [[  10,    4]]]]");
    assert_eq!(Tensor::from([[[1_usize]], [[2]]]).to_string(), "[[[1]],\n\n [[2]]]");
    assert_eq!(Tensor::scalar(1.5).to_string(), "1.5");
    assert_eq!(Tensor::from([true, false]).to_string(), "[ true, false]");
    assert_eq!(Tensor::<f32>::zeros([0]).to_string(), "[]");
    assert_eq!(Tensor::<f32>::zeros([2, 0]).to_string(), "[[],\n []]");
    assert_eq!(x.t().flip(0).to_string(), "[[-2.5,    4],\n [   1,   10]]");
}

#[test]
fn large_ones_are_summarised() {
    let x = Tensor::<f64>::from_fn([1001], |index| index[0] as f64);
    assert_eq!(x.to_string(), "[   0,    1,    2, …,  998,  999, 1000]");
    let x = Tensor::<usize>::from_fn([40, 30], |index| index[0] * 100 + index[1]);
    let expected = "\
[[   0,    1,    2, …,   27,   28,   29],
 [ 100,  101,  102, …,  127,  128,  129],
 [ 200,  201,  202, …,  227,  228,  229],
 …,
 [3700, 3701, 3702, …, 3727, 3728, 3729],
 [3800, 3801, 3802, …, 3827, 3828, 3829],
 [3900, 3901, 3902, …, 3927, 3928, 3929]]";
    assert_eq!(x.to_string(), expected);
    assert_eq!(Tensor::<usize>::zeros([1000]).to_string().matches('0').count(), 1000);
}

#[test]
fn debug_is_one_line() {
    let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.5]]);
    assert_eq!(format!("{x:?}"), "Tensor<f32> [2, 2] [[1.0, 2.0], [3.0, 4.5]]");
    assert_eq!(format!("{:?}", Tensor::scalar(3_usize)), "Tensor<usize> [] 3");
    let x = Tensor::<f64>::from_fn([9], |index| index[0] as f64);
    assert_eq!(format!("{x:?}"), "Tensor<f64> [9] [0.0, 1.0, 2.0, …, 6.0, 7.0, 8.0]");
}

#[test]
fn equality_is_exact() {
    let x = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    assert_eq!(x.t(), Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
    assert_ne!(x, x.reshape([4]));
    assert_ne!(x, &x + 1e-15);
    let nan = Tensor::scalar(f64::NAN);
    assert_ne!(nan, nan.clone());
    assert_ne!(Tensor::<f32>::zeros([0, 2]), Tensor::zeros([2, 0]));
}

#[test]
fn closeness() {
    let x = Tensor::from([[1.0, -2.0], [3.0, 4.0]]);
    assert_eq!(x.allclose(&x, 0.0, 0.0), Ok(()));
    assert_eq!(x.allclose(&(&x * 1.001), 1e-3, 0.0), Ok(()));
    assert_eq!(x.allclose(&(&x + 0.001), 0.0, 1.001e-3), Ok(()));
    assert!(x.allclose(&(&x * 1.001), 0.9e-3, 0.0).is_err());
    assert!(x.allclose(&(&x + 0.001), 0.0, 0.9e-3).is_err());
    // The tolerance is relative to what is expected, the argument.
    let (a, b) = (Tensor::scalar(1.0), Tensor::scalar(2.0));
    assert!(a.allclose(&b, 0.5, 0.0).is_ok() && b.allclose(&a, 0.5, 0.0).is_err());

    let text = |found: &Tensor<f64>, expected: &Tensor<f64>| {
        found.allclose(expected, 1e-6, 0.0).unwrap_err().to_string()
    };
    assert_eq!(text(&x, &x.reshape([4])), "expected shape [4], found [2, 2]");
    let mut y = x.clone();
    y.set(&[0, 1], -2.5).unwrap();
    y.set(&[1, 0], 2.0).unwrap();
    assert_eq!(
        text(&y, &x),
        "2 of 4 elements differ, most at [1, 0]: expected 3.0, found 2.0 (absolute difference 1.000e0, relative 3.333e-1)"
    );
    let Err(Mismatch::Elements(worst)) = y.allclose(&x, 0.0, 0.0) else {
        panic!("expected elements to differ")
    };
    assert_eq!(
        (worst.count, worst.numel, &worst.index[..], worst.expected, worst.found),
        (2, 4, &[1, 0][..], 3.0, 2.0)
    );
}

#[test]
fn closeness_of_what_is_not_finite() {
    let (inf, nan) = (f64::INFINITY, f64::NAN);
    let close = |x: f64, y: f64| Tensor::scalar(x).allclose(&Tensor::scalar(y), 1.0, 1.0).is_ok();
    let close_nan =
        |x: f64, y: f64| Tensor::scalar(x).allclose_equal_nan(&Tensor::scalar(y), 1.0, 1.0).is_ok();
    for close in [&close as &dyn Fn(f64, f64) -> bool, &close_nan] {
        assert!(close(inf, inf) && close(-inf, -inf));
        assert!(
            !close(inf, -inf) && !close(inf, 1.0) && !close(1.0, inf) && !close(nan, 1.0) && !close(1.0, nan)
        );
    }
    assert!(!close(nan, nan) && close_nan(nan, nan));
    // NaN is worse than any number.
    let mismatch = Tensor::from([9.0, nan, 8.0]).allclose(&Tensor::zeros([3]), 0.0, 0.0).unwrap_err();
    assert!(mismatch.to_string().starts_with("3 of 3 elements differ, most at [1]: expected 0.0, found NaN"));
}

#[test]
fn the_macro_panics_with_the_mismatch() {
    let (x, y) = (Tensor::from([1.0, f64::NAN]), Tensor::from([1.5, f64::NAN]));
    assert_close!(x, y, 0.0, 0.5, equal_nan);
    let text = common::panic_text(|| assert_close!(x, y, 0.0, 0.4, equal_nan));
    assert_eq!(
        text,
        "assert_close: 1 of 2 elements differ, most at [0]: expected 1.5, found 1.0 (absolute difference 5.000e-1, relative 3.333e-1)"
    );
    let text = common::panic_text(|| assert_close!(x, y, 0.0, 0.5));
    assert!(text.starts_with("assert_close: 1 of 2 elements differ, most at [1]: expected NaN, found NaN"));
}
