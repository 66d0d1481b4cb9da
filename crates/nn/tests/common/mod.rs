//! Random layers and data, and how far apart two results are.
#![allow(dead_code)] // each test file uses its own part

use rand::{SeedableRng, rngs::StdRng};
use retrograde_autograd::{Gradients, Param, Tape};
use retrograde_nn::{RnnCell, TimeRnn, explicit};
use retrograde_tensor::{Float, Shape, Tensor};

/// Normal samples of standard deviation `std`; the same numbers in every precision.
pub(crate) fn normal<E: Float>(shape: impl Into<Shape>, std: f64, rng: &mut StdRng) -> Tensor<E> {
    Tensor::<f64>::normal(shape, 0.0, std, rng).unwrap().map(E::from_f64)
}

pub(crate) fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// `Wx [D, H]`, `Wh [H, H]`, `b [H]`.
pub(crate) fn weights<E: Float>(d: usize, h: usize, rng: &mut StdRng) -> [Tensor<E>; 3] {
    let std = |fan_in: usize| 1.0 / (fan_in.max(1) as f64).sqrt();
    [normal([d, h], std(d), rng), normal([h, h], std(h), rng), normal([h], 0.5, rng)]
}

pub(crate) fn autodiff<E: Float>([wx, wh, b]: &[Tensor<E>; 3]) -> TimeRnn<E> {
    TimeRnn::new(RnnCell::from_arrays(wx.clone(), wh.clone(), b.clone()).unwrap())
}

pub(crate) fn by_hand<E: Float>([wx, wh, b]: &[Tensor<E>; 3]) -> explicit::TimeRnn<E> {
    explicit::TimeRnn::new(wx.clone(), wh.clone(), b.clone()).unwrap()
}

/// The greatest difference, relative to the greatest element expected. Two tensors without elements are equal.
#[track_caller]
pub(crate) fn relative<E: Float>(found: &Tensor<E>, expected: &Tensor<E>) -> f64 {
    assert_eq!(found.shape(), expected.shape());
    let greatest = |x: &mut dyn Iterator<Item = f64>| {
        x.fold(0.0, |most: f64, x| if x.is_nan() || x > most { x } else { most })
    };
    let pairs = || found.iter().zip(expected).map(|(x, y)| (x.to_f64(), y.to_f64()));
    let difference = greatest(&mut pairs().map(|(x, y)| (x - y).abs()));
    if difference == 0.0 { 0.0 } else { difference / greatest(&mut pairs().map(|(_, y)| y.abs())) }
}

/// Fails with the name unless the relative difference is at most `tolerance`.
#[track_caller]
pub(crate) fn assert_near<E: Float>(name: &str, found: &Tensor<E>, expected: &Tensor<E>, tolerance: f64) {
    let difference = relative(found, expected);
    assert!(difference <= tolerance, "{name}: relative difference {difference:e} above {tolerance:e}");
}

/// Gradients that are just these: those of `Σ ⟨g, w⟩`.
pub(crate) fn gradients<E: Float>(of: &[(&Param<E>, &Tensor<E>)]) -> Gradients<E> {
    let tape = Tape::new();
    let params: Vec<_> = of.iter().map(|(param, _)| tape.param(param)).collect();
    let seeds: Vec<_> = params.iter().zip(of).map(|(param, (_, g))| (param, *g)).collect();
    tape.backward(&seeds).unwrap()
}
