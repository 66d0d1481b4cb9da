use crate::error::or_panic;
use crate::{Error, Scalar, Tensor};

impl<E: Scalar> Tensor<E> {
    /// `exp(x) / Σ exp(x)` along an axis. [`softmax`](Self::softmax) panics instead.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn try_softmax(&self, axis: usize) -> Result<Self, Error> {
        let shift = shift("softmax", self, axis)?;
        let e = (self - shift).exp();
        let sum = e.sum_axis(axis, true);
        Ok(e / sum)
    }

    /// `exp(x) / Σ exp(x)` along an axis.
    ///
    /// # Panics
    /// Where [`try_softmax`](Self::try_softmax) returns an error.
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Self {
        or_panic(self.try_softmax(axis))
    }

    /// `x - ln Σ exp(x)` along an axis. [`log_softmax`](Self::log_softmax) panics instead.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn try_log_softmax(&self, axis: usize) -> Result<Self, Error> {
        let shift = shift("log_softmax", self, axis)?;
        let x = self - shift;
        let sum = x.exp().sum_axis(axis, true);
        Ok(x - sum.ln())
    }

    /// `x - ln Σ exp(x)` along an axis.
    ///
    /// # Panics
    /// Where [`try_log_softmax`](Self::try_log_softmax) returns an error.
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Self {
        or_panic(self.try_log_softmax(axis))
    }

    /// `ln Σ exp(x)` along an axis, which disappears or, with `keep`, becomes 1.
    /// [`logsumexp`](Self::logsumexp) panics instead.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn try_logsumexp(&self, axis: usize, keep: bool) -> Result<Self, Error> {
        let shift = shift("logsumexp", self, axis)?;
        let sum = (self - &shift).exp().sum_axis(axis, true);
        let y = sum.ln() + shift;
        Ok(if keep { y } else { y.squeeze(axis) })
    }

    /// `ln Σ exp(x)` along an axis, which disappears or, with `keep`, becomes 1.
    ///
    /// # Panics
    /// Where [`try_logsumexp`](Self::try_logsumexp) returns an error.
    #[track_caller]
    pub fn logsumexp(&self, axis: usize, keep: bool) -> Self {
        or_panic(self.try_logsumexp(axis, keep))
    }
}

/// The greatest element along an axis, to be subtracted before `exp`, so that it cannot overflow: a constant,
/// which the result does not depend on. 0 where the greatest is infinite (`∞ - ∞` is NaN).
fn shift<E: Scalar>(op: &'static str, x: &Tensor<E>, axis: usize) -> Result<Tensor<E>, Error> {
    x.shape().check_axis(op, axis)?;
    if x.shape()[axis] == 0 {
        return Ok(Tensor::zeros(x.shape().with_axis(axis, 1)));
    }
    let finite = |x: f64| if x.is_finite() { x } else { 0.0 };
    Ok(x.max_axis(axis, true).map(|x| E::from_f64(finite(x.to_f64()))))
}
