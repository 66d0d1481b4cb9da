//! Layer normalisation.

use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect};
use crate::{Result, module};

const OP: &str = "layer_norm";

/// Each vector along the last axis shifted and scaled to mean 0 and variance 1, then by a trained gain and bias:
/// `y = (x - mean) / sqrt(variance + eps) ⊙ gain + b`.
///
/// # Shapes
/// `x [.., D] -> y [.., D]`; `gain [D]`, `b [D]`
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::LayerNorm;
/// use retrograde_tensor::Tensor;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([[1.0_f64, 3.0], [5.0, 5.0]]));
/// let y = LayerNorm::new(2).forward(&x)?;
/// assert!(y.value().allclose(&Tensor::from([[-1.0, 1.0], [0.0, 0.0]]), 0.0, 1e-5).is_ok());
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// J. Ba, J. Kiros and G. Hinton, *Layer normalization* (2016), equations 3 and 4.
#[derive(Clone, Debug)]
pub struct LayerNorm<E: Float> {
    /// The factor of each feature, `gain [D]`.
    pub gain: Param<E>,
    /// The bias of each feature, `b [D]`.
    pub b: Param<E>,
    /// The number added to the variance, which keeps the divisor from zero.
    pub eps: f64,
}

module!(LayerNorm { gain, b });

/// A power of two for each row by which its squares do not overflow; none if no square does.
///
/// # Shapes
/// `x [.., D] -> [.., 1]`
fn scale<E: Float>(x: &Tensor<E>) -> Option<Tensor<E>> {
    let last = x.shape().rank() - 1;
    let limit = (2.0_f64.powi(exponent::<E>()) / (4 * x.shape()[last].max(1)) as f64).sqrt();
    let large = |x: f64| x.is_finite() && x > limit;
    if !x.iter().any(|x| large(x.abs().to_f64())) {
        return None;
    }
    let of_row = |greatest: E| match greatest.to_f64() {
        x if large(x) => 2.0_f64.powi(-(x.log2().floor() as i32)),
        _ => 1.0,
    };
    Some(x.abs().max_axis(last, true).map(|x| E::from_f64(of_row(x))))
}

/// The exponent of the greatest power of two whose inverse is a normal number.
fn exponent<E: Float>() -> i32 {
    if E::DTYPE == "f32" { 126 } else { 1022 }
}

impl<E: Float> LayerNorm<E> {
    /// Creates a layer for `d` features, with gains of 1, biases of 0 and eps of 1e-5.
    #[must_use]
    pub fn new(d: usize) -> Self {
        LayerNorm {
            gain: Param::of("layer_norm", "gain", Tensor::ones([d])),
            b: Param::of("layer_norm", "b", Tensor::zeros([d])),
            eps: 1e-5,
        }
    }

    /// Creates a layer that shares these parameters, with eps of 1e-5.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(gain: Param<E>, b: Param<E>) -> Result<Self> {
        expect(OP, "gain", &[Axis::Any("D")], gain.shape())?;
        expect(OP, "b", &[Axis::Size(gain.shape()[0])], b.shape())?;
        Ok(LayerNorm { gain, b, eps: 1e-5 })
    }

    /// Returns the normalised vectors.
    ///
    /// # Shapes
    /// `[.., D] -> [.., D]`
    ///
    /// # Errors
    /// If the last axis of `x` is not of size D.
    pub fn forward<'t>(&self, x: &Var<'t, E>) -> Result<Var<'t, E>> {
        expect(OP, "x", &[Axis::Rest, Axis::Size(self.gain.shape()[0])], x.shape())?;
        Ok(self.normalise(x))
    }

    /// As [`forward`](Self::forward), for a cell's step.
    ///
    /// # Panics
    /// If the last axis of `x` is not of size D.
    #[must_use]
    #[track_caller]
    pub fn normalise<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        let last = x.shape().rank() - 1;
        // Large rows are scaled, and eps with them: the result does not depend on the scale.
        let scale = scale(x.value());
        let scaled = scale.as_ref().map(|scale| x * scale);
        let x = scaled.as_ref().unwrap_or(x);
        let centred = x - x.mean_axes(&[last], true);
        let variance = centred.square().mean_axes(&[last], true);
        let variance = match scale {
            None => variance + self.eps,
            Some(scale) => {
                let least = 2.0_f64.powi(-exponent::<E>());
                let eps = |scale: E| (self.eps * scale.to_f64() * scale.to_f64()).max(least);
                variance + scale.map(|scale| E::from_f64(eps(scale)))
            }
        };
        centred / variance.sqrt() * &self.gain + &self.b
    }
}
