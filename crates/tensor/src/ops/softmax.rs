//! Softmax, its logarithm, and the logarithm of a sum of exponentials.

use crate::element::ln_1p;
use crate::error::or_panic;
use crate::loops::fold::{Fold, Greatest};
use crate::loops::reduce::{reduce, reduce_slice};
use crate::loops::zip::zip;
use crate::{Error, Scalar, Tensor};

impl<E: Scalar> Tensor<E> {
    /// `exp(x) / Σ exp(x)` along an axis. [`softmax`](Self::softmax) panics instead.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn try_softmax(&self, axis: usize) -> Result<Self, Error> {
        self.shape().check_axis("softmax", axis)?;
        if axis + 1 == self.rank() {
            return self.mapped_rows("softmax", softmax_rows);
        }
        let e = exp(zip("softmax", self, &greatest("softmax", self, axis)?, E::sub)?);
        let sum = along("softmax", &e, axis, E::add)?;
        Ok(e / sum)
    }

    /// `exp(x) / Σ exp(x)` along an axis.
    ///
    /// Exact for any finite input, also where `exp(x)` overflows, and where some elements are -∞: they get 0. All is NaN
    /// along an axis where the greatest element is +∞ or NaN, or where all are -∞, as in PyTorch.
    ///
    /// # Panics
    /// Where [`try_softmax`](Self::try_softmax) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[0.0, 0.0], [1e4, 0.0]]);
    /// assert_eq!(x.softmax(1), Tensor::from([[0.5, 0.5], [1.0, 0.0]]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn softmax(&self, axis: usize) -> Self {
        or_panic(self.try_softmax(axis))
    }

    /// `x - ln Σ exp(x)` along an axis. [`log_softmax`](Self::log_softmax) panics instead.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn try_log_softmax(&self, axis: usize) -> Result<Self, Error> {
        self.shape().check_axis("log_softmax", axis)?;
        if axis + 1 == self.rank() {
            return self.mapped_rows("log_softmax", log_softmax_rows);
        }
        let last = self.rank() - 1;
        let rows = self.transpose(axis, last).mapped_rows("log_softmax", log_softmax_rows)?;
        Ok(rows.transpose(axis, last).contiguous())
    }

    /// `x - ln Σ exp(x)` along an axis.
    ///
    /// Exact for any finite input, and where some elements are -∞: they stay so. All is NaN along an axis where the greatest
    /// element is +∞ or NaN, or where all are -∞, as in PyTorch.
    ///
    /// # Panics
    /// Where [`try_log_softmax`](Self::try_log_softmax) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::{Tensor, assert_close};
    ///
    /// let x = Tensor::from([1.0_f64, 2.0, 4.0]);
    /// assert_close!(x.log_softmax(0), x.softmax(0).ln(), 1e-12, 0.0);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn log_softmax(&self, axis: usize) -> Self {
        or_panic(self.try_log_softmax(axis))
    }

    /// `ln Σ exp(x)` along an axis, which disappears or, with `keep`, becomes 1.
    /// [`logsumexp`](Self::logsumexp) panics instead.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn try_logsumexp(&self, axis: usize, keep: bool) -> Result<Self, Error> {
        self.shape().check_axis("logsumexp", axis)?;
        // 0 where the greatest is infinite, since ∞ - ∞ is NaN.
        let shift = greatest("logsumexp", self, axis)?
            .map(|max| if max.to_f64().is_finite() { max } else { E::default() });
        let sum = along("logsumexp", &exp(zip("logsumexp", self, &shift, E::sub)?), axis, E::add)?;
        let y = sum.ln() + shift;
        Ok(if keep { y } else { y.squeeze(axis) })
    }

    /// `ln Σ exp(x)` along an axis, which disappears or, with `keep`, becomes 1.
    ///
    /// Exact for any finite input; -∞ where all elements are, and for no elements; +∞ where the greatest is; NaN where one is.
    ///
    /// # Panics
    /// Where [`try_logsumexp`](Self::try_logsumexp) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1e4, 1e4], [0.0, f64::NEG_INFINITY]]);
    /// assert_eq!(x.logsumexp(1, false), Tensor::from([1e4 + 2.0_f64.ln(), 0.0]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn logsumexp(&self, axis: usize, keep: bool) -> Self {
        or_panic(self.try_logsumexp(axis, keep))
    }
}

/// Elements treated at a time: they fit in the cache that is nearest.
const BLOCK: usize = 2048;

impl<E: Scalar> Tensor<E> {
    /// Applies `f(block, len)` to blocks of whole rows (of `len` elements along the last axis) of a copy.
    fn mapped_rows(&self, op: &'static str, f: impl Fn(&mut [E], usize)) -> Result<Self, Error> {
        let shape = self.shape();
        let mut data = self.copied(op)?;
        let len = shape[shape.rank() - 1].max(1);
        data.chunks_mut(len * (BLOCK / len).max(1)).for_each(|block| f(block, len));
        Ok(Self::filled(data, shape))
    }
}

fn softmax_rows<E: Scalar>(block: &mut [E], len: usize) {
    shift_rows(block, len);
    E::exp_slice(block);
    E::vectorized(
        #[inline(always)]
        || {
            for row in block.chunks_exact_mut(len) {
                let sum = reduce_slice(row, E::add);
                row.iter_mut().for_each(|x| *x = *x / sum);
            }
        },
    );
}

fn log_softmax_rows<E: Scalar>(block: &mut [E], len: usize) {
    shift_rows(block, len);
    let mut e = block.to_vec();
    E::exp_slice(&mut e);
    let one = E::from_f64(1.0);
    E::vectorized(
        #[inline(always)]
        || {
            for (row, e) in block.chunks_exact_mut(len).zip(e.chunks_exact_mut(len)) {
                // ln(1 + Σ of the others), so that a probability near 1 keeps its digits. The greatest is looked for in
                // chunks, which are compared at once.
                let has_one = |e: &&mut [E]| e.iter().fold(false, |any, &e| any | (e == one));
                let greatest = e.chunks_mut(16).find(has_one).and_then(|e| e.iter_mut().find(|e| **e == one));
                let log = match greatest {
                    Some(greatest) => {
                        *greatest = *greatest - one;
                        ln_1p(reduce_slice(e, E::add))
                    }
                    None => reduce_slice(e, E::add).ln(),
                };
                row.iter_mut().for_each(|x| *x = *x - log);
            }
        },
    );
}

/// Subtracts from each row its greatest element.
fn shift_rows<E: Scalar>(block: &mut [E], len: usize) {
    E::vectorized(
        #[inline(always)]
        || {
            for row in block.chunks_exact_mut(len) {
                let shift = constant(reduce_slice(row, Greatest));
                row.iter_mut().for_each(|x| *x = *x - shift);
            }
        },
    );
}

/// The greatest element along an axis, which is subtracted before `exp` so that it cannot overflow. An infinite one leaves
/// NaN, ∞ - ∞.
fn greatest<E: Scalar>(op: &'static str, x: &Tensor<E>, axis: usize) -> Result<Tensor<E>, Error> {
    Ok(along(op, x, axis, Greatest)?.map(constant))
}

/// Reduces an axis to size 1; to 0 where it has no elements.
fn along<E: Scalar>(
    op: &'static str,
    x: &Tensor<E>,
    axis: usize,
    f: impl Fold<E>,
) -> Result<Tensor<E>, Error> {
    reduce(op, x, std::array::from_fn(|other| other == axis), true, E::default(), f)
}

/// The value without the derivative that it may carry: the result does not depend on what is subtracted.
fn constant<E: Scalar>(x: E) -> E {
    E::from_f64(x.to_f64())
}

/// `exp` in place.
fn exp<E: Scalar>(mut x: Tensor<E>) -> Tensor<E> {
    x.as_mut_slice().chunks_mut(BLOCK).for_each(E::exp_slice);
    x
}
