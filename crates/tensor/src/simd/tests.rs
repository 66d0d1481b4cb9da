//! How far the transcendental functions are from the truth, at every level.

use super::Level;
use super::math;

fn levels() -> impl Iterator<Item = Level> {
    [Level::Portable, Level::Avx2, Level::Avx512].into_iter().filter(|&level| level <= Level::highest())
}

/// The distance of `found` from `truth`, in units in the last place of single precision at the truth.
fn ulp_f32(found: f32, truth: f64) -> f64 {
    let rounded = truth as f32;
    if found.to_bits() == rounded.to_bits() || (found.is_nan() && rounded.is_nan()) {
        return 0.0;
    }
    if !found.is_finite() || !rounded.is_finite() {
        return f64::INFINITY;
    }
    if found == 0.0 && truth == 0.0 {
        return f64::INFINITY; // the wrong zero
    }
    let exponent = (truth.abs().log2().floor() as i32).max(-126);
    (f64::from(found) - truth).abs() / 2_f64.powi(exponent - 23)
}

type Function = (&'static str, fn(Level, &mut [f32]), fn(f64) -> f64);

const FUNCTIONS: [Function; 4] = [
    ("exp", math::exp::f32, f64::exp),
    ("tanh", math::tanh::f32, f64::tanh),
    ("sigmoid", math::sigmoid::f32, |x| {
        if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
    }),
    ("ln", math::ln::f32, f64::ln),
];

/// The worst error over every `step`th bit pattern, and where it is.
fn worst(function: &Function, level: Level, step: usize) -> (f64, f32) {
    let (_, f, truth) = function;
    let mut worst = (0.0, 0.0);
    let mut bits = (0..=u32::MAX).step_by(step);
    loop {
        let x: Vec<f32> = bits.by_ref().take(4096).map(f32::from_bits).collect();
        if x.is_empty() {
            return worst;
        }
        let mut y = x.clone();
        f(level, &mut y);
        for (&x, &y) in x.iter().zip(&y) {
            let error = ulp_f32(y, truth(f64::from(x)));
            if error > worst.0 {
                worst = (error, x);
            }
        }
    }
}

#[test]
fn single_precision_is_within_two_ulp() {
    for level in levels() {
        for function in &FUNCTIONS {
            let (error, x) = worst(function, level, 4099);
            assert!(error <= 2.0, "{} at {level:?}: {error:.3} ulp at {x:e}", function.0);
        }
    }
}

#[test]
#[ignore = "all 2³² numbers, for every function and level: minutes; run with --release -- --ignored --nocapture"]
fn single_precision_exhaustively() {
    for level in levels() {
        for function in &FUNCTIONS {
            let (error, x) = worst(function, level, 1);
            println!("{:8} {level:?}: {error:.3} ulp at {x:e}", function.0);
            assert!(error <= 2.0);
        }
    }
}
