//! Equality, closeness, and descriptions of the difference.

use std::fmt;

use crate::{Element, Scalar, Shape, Tensor};

impl<E: Element> PartialEq for Tensor<E> {
    /// Exact: the same shape and equal elements.
    fn eq(&self, other: &Self) -> bool {
        self.shape() == other.shape() && self.iter().eq(other.iter())
    }
}

impl<E: Scalar> Tensor<E> {
    /// Whether `|a - b| <= atol + rtol · |b|` everywhere, `b` being `other`. NaN is close to nothing.
    ///
    /// # Errors
    /// If the shapes differ, or an element: the error says how many, and which one most.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let (x, y) = (Tensor::from([1.0, 2.5]), Tensor::from([1.0, 2.0]));
    /// assert_eq!(
    ///     x.allclose(&y, 1e-6, 0.0).unwrap_err().to_string(),
    ///     "1 of 2 elements differ, most at [1]: expected 2.0, found 2.5 \
    ///      (absolute difference 5.000e-1, relative 2.500e-1)",
    /// );
    /// ```
    pub fn allclose(&self, other: &Self, rtol: f64, atol: f64) -> Result<(), Mismatch> {
        compare(self, other, rtol, atol, false)
    }

    /// As [`allclose`](Self::allclose), but NaN is close to NaN.
    ///
    /// # Errors
    /// If the shapes differ, or an element: the error says how many, and which one most.
    pub fn allclose_equal_nan(&self, other: &Self, rtol: f64, atol: f64) -> Result<(), Mismatch> {
        compare(self, other, rtol, atol, true)
    }
}

/// The difference of two tensors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// The shapes differ.
    #[error("expected shape {expected}, found {found}")]
    Shape {
        /// The shape of the tensor compared with.
        expected: Shape,
        /// The shape of the tensor.
        found: Shape,
    },
    /// Some elements differ.
    #[error("{0}")]
    Elements(Box<Worst>),
}

/// The element that differs most.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Worst {
    /// The number of elements that differ.
    pub count: usize,
    /// The number of elements.
    pub numel: usize,
    /// The index of the element that differs most.
    pub index: Vec<usize>,
    /// Its value in the tensor compared with.
    pub expected: f64,
    /// Its value in the tensor.
    pub found: f64,
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { count, numel, index, expected, found } = self;
        let abs = (found - expected).abs();
        let rel = abs / expected.abs();
        write!(
            f,
            "{count} of {numel} elements differ, most at {index:?}: expected {expected:?}, found {found:?} \
             (absolute difference {abs:.3e}, relative {rel:.3e})"
        )
    }
}

fn compare<E: Scalar>(
    a: &Tensor<E>,
    b: &Tensor<E>,
    rtol: f64,
    atol: f64,
    equal_nan: bool,
) -> Result<(), Mismatch> {
    if a.shape() != b.shape() {
        return Err(Mismatch::Shape { expected: b.shape(), found: a.shape() });
    }
    let (mut count, mut worst) = (0, None::<(f64, usize, f64, f64)>);
    for (flat, (x, y)) in a.iter().zip(b.iter()).enumerate() {
        let (x, y) = (x.to_f64(), y.to_f64());
        let diff = (x - y).abs();
        if x == y || diff <= atol + rtol * y.abs() && y.is_finite() || equal_nan && x.is_nan() && y.is_nan() {
            continue;
        }
        count += 1;
        let size = if diff.is_nan() { f64::INFINITY } else { diff };
        if worst.is_none_or(|(most, ..)| size > most) {
            worst = Some((size, flat, x, y));
        }
    }
    let Some((_, flat, found, expected)) = worst else { return Ok(()) };
    let index = a.shape().unravel(flat);
    Err(Mismatch::Elements(Box::new(Worst { count, numel: a.numel(), index, expected, found })))
}

/// Panics unless two tensors are close: `assert_close!(found, expected, rtol, atol)`, and with `equal_nan`
/// at the end if NaN is to count as equal to NaN.
///
/// # Example
/// ```
/// use retrograde_tensor::{Tensor, assert_close};
///
/// assert_close!(Tensor::from([0.1 + 0.2]), Tensor::from([0.3]), 1e-15, 0.0);
/// ```
#[macro_export]
macro_rules! assert_close {
    ($found:expr, $expected:expr, $rtol:expr, $atol:expr $(,)?) => {
        if let Err(mismatch) = $found.allclose(&$expected, $rtol, $atol) {
            panic!("assert_close: {mismatch}");
        }
    };
    ($found:expr, $expected:expr, $rtol:expr, $atol:expr, equal_nan $(,)?) => {
        if let Err(mismatch) = $found.allclose_equal_nan(&$expected, $rtol, $atol) {
            panic!("assert_close: {mismatch}");
        }
    };
}
