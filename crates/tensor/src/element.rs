//! Elements and numbers: the traits that tensors are generic over.

use std::fmt::{Debug, Display, LowerExp};
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use rand::Rng;
use rand_distr::Distribution;

use crate::gemm::reference;
use crate::storage::pool::BufferPool;
use crate::{Matrix, MatrixMut};

/// A type that a tensor can hold. `Default` is the value that stands for zero.
pub trait Element: Copy + Default + PartialEq + Debug + Send + Sync + 'static {
    /// Returns the filler that debug builds write to storage that is about to be overwritten.
    #[doc(hidden)]
    fn unset() -> Self {
        Self::default()
    }

    /// Runs `f` on the calling thread's free buffers, if this type keeps any.
    #[doc(hidden)]
    fn pool<R>(_f: impl FnOnce(&mut BufferPool<Self>) -> R) -> Option<R> {
        None
    }
}

impl Element for usize {}
impl Element for bool {}

/// A number that a tensor can compute with: `f32`, `f64`, and any type built on them, such as a dual number.
///
/// `f32` and `f64` compute with the standard library, but for slices and matrices with the processor's vector
/// instructions, whose results may differ from those of single numbers in the last place or two.
/// A type that you define needs the scalar functions only. The functions over slices and [`gemm`](Scalar::gemm) have default
/// bodies, which define them; a type may override them with faster ones.
/// `Default::default()` must be zero.
pub trait Scalar:
    Element
    + PartialOrd
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
{
    /// The nearest value to `x`.
    fn from_f64(x: f64) -> Self;
    /// The value as a number, without anything (a derivative, say) that it carries along.
    fn to_f64(self) -> f64;
    /// The hyperbolic tangent.
    fn tanh(self) -> Self;
    /// The exponential.
    fn exp(self) -> Self;
    /// The natural logarithm.
    fn ln(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// The sine.
    fn sin(self) -> Self;
    /// The cosine.
    fn cos(self) -> Self;
    /// The absolute value.
    fn abs(self) -> Self;

    /// `ln(1 + x)`, with all its digits near 0. A number that carries a derivative overrides it, and the two below.
    fn ln_1p(self) -> Self {
        Self::from_f64(self.to_f64().ln_1p())
    }
    /// `exp(x) - 1`, with all its digits near 0.
    fn exp_m1(self) -> Self {
        Self::from_f64(self.to_f64().exp_m1())
    }
    /// The error function `2/√π ∫ exp(-t²) dt` from 0 to `x`.
    fn erf(self) -> Self {
        Self::from_f64(erf(self.to_f64()))
    }

    /// The logistic function `1 / (1 + exp(-x))`, without overflow for large `|x|`.
    fn sigmoid(self) -> Self {
        let one = Self::from_f64(1.0);
        if self.to_f64() < 0.0 {
            let e = self.exp();
            e / (one + e)
        } else {
            one / (one + (-self).exp())
        }
    }

    /// `ln(1 + exp(x))`, without overflow, and with all digits where it is tiny.
    fn ln_1p_exp(self) -> Self {
        // max(x, 0) + ln(1 + e) with e = exp(-|x|); branches instead of max and |x| have the right derivative at 0.
        let positive = self > Self::default();
        let log = ln_1p(if positive { -self } else { self }.exp());
        if positive { self + log } else { log }
    }

    /// `x` if it is positive, else the constant 0, at 0 too: a number that carries a derivative has none there. NaN of
    /// NaN.
    fn relu(self) -> Self {
        let zero = Self::default();
        if self <= zero { zero } else { self }
    }

    /// The greater of two values, the left one if they are equal. NaN if either is, as in NumPy.
    fn maximum(self, other: Self) -> Self {
        if (self >= other) | self.is_nan() { self } else { other }
    }

    /// The lesser of two values, the left one if they are equal. NaN if either is, as in NumPy.
    fn minimum(self, other: Self) -> Self {
        if (self <= other) | self.is_nan() { self } else { other }
    }

    /// Whether the value is not a number.
    fn is_nan(self) -> bool {
        self.to_f64().is_nan()
    }

    /// `c = alpha · a·b + beta · c`. Where `beta` is zero, `c` is not read.
    ///
    /// # Panics
    /// If the sizes do not fit together.
    fn gemm(alpha: Self, a: Matrix<'_, Self>, b: Matrix<'_, Self>, beta: Self, c: MatrixMut<'_, Self>) {
        reference::gemm(alpha, a, b, beta, c);
    }

    /// `c += Σ a·b` over pairs of matrices.
    ///
    /// # Panics
    /// If the sizes do not fit together.
    fn gemm_sum(terms: &[[Matrix<'_, Self>; 2]], mut c: MatrixMut<'_, Self>) {
        let one = Self::from_f64(1.0);
        terms.iter().for_each(|&[a, b]| Self::gemm(one, a, b, one, c.reborrow()));
    }

    /// Runs `f`; for `f32` and `f64`, with what is inlined into it compiled for the vector instructions of the processor, which
    /// halves the time of divisions and square roots. Only time depends on it: results have the same bits.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Scalar;
    ///
    /// let mut x = [4.0, 9.0];
    /// f64::vectorized(
    ///     #[inline(always)]
    ///     || x.iter_mut().for_each(|x| *x = x.sqrt()),
    /// );
    /// assert_eq!(x, [2.0, 3.0]);
    /// ```
    #[inline(always)]
    fn vectorized<R>(f: impl FnOnce() -> R) -> R {
        f()
    }

    /// [`tanh`](Scalar::tanh) of each element, in place.
    fn tanh_slice(x: &mut [Self]) {
        x.iter_mut().for_each(|x| *x = x.tanh());
    }

    /// [`sigmoid`](Scalar::sigmoid) of each element, in place.
    fn sigmoid_slice(x: &mut [Self]) {
        x.iter_mut().for_each(|x| *x = x.sigmoid());
    }

    /// [`exp`](Scalar::exp) of each element, in place.
    fn exp_slice(x: &mut [Self]) {
        x.iter_mut().for_each(|x| *x = x.exp());
    }

    /// [`ln`](Scalar::ln) of each element, in place.
    fn ln_slice(x: &mut [Self]) {
        x.iter_mut().for_each(|x| *x = x.ln());
    }

    /// [`ln_1p_exp`](Scalar::ln_1p_exp) of each element, in place.
    fn ln_1p_exp_slice(x: &mut [Self]) {
        x.iter_mut().for_each(|x| *x = x.ln_1p_exp());
    }

    /// [`sin`](Scalar::sin) of each element, in place.
    fn sin_slice(x: &mut [Self]) {
        x.iter_mut().for_each(|x| *x = x.sin());
    }

    /// [`cos`](Scalar::cos) of each element, in place.
    fn cos_slice(x: &mut [Self]) {
        x.iter_mut().for_each(|x| *x = x.cos());
    }
}

/// `ln(1 + e)` for `e` of at least 0, with all digits where `e` is small.
///
/// # Source
/// `e · ln(u) / (u - 1)` with `u = 1 + e`, in which the rounding of `u` cancels: D. Goldberg, *What every computer
/// scientist should know about floating-point arithmetic* (1991), theorem 4.
pub(crate) fn ln_1p<E: Scalar>(e: E) -> E {
    let one = E::from_f64(1.0);
    let u = one + e;
    if u == one || !e.to_f64().is_finite() { e } else { e * u.ln() / (u - one) }
}

/// `2/√π e^(-x²) Σ 2ⁿ x²ⁿ⁺¹ / (1 · 3 · 5 ⋯ (2n + 1))`, whose terms have one sign. From 6 on it is 1.
///
/// # Source
/// M. Abramowitz and I. Stegun, *Handbook of mathematical functions* (1964), equation 7.1.6.
fn erf(x: f64) -> f64 {
    if x.is_nan() || x.abs() >= 6.0 {
        return if x.is_nan() { x } else { x.signum() };
    }
    let (mut sum, mut term, mut odd) = (0.0, x, 1.0);
    while sum + term != sum {
        sum += term;
        odd += 2.0;
        term *= 2.0 * x * x / odd;
    }
    std::f64::consts::FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// The floating-point numbers `f32` and `f64`. Sealed.
pub trait Float: Scalar + Display + LowerExp + sealed::Sealed {
    /// The distance from 1 to the next larger number.
    const EPSILON: Self;
    /// The name of the type: `"f32"` or `"f64"`.
    const DTYPE: &'static str;

    /// A sample of the normal distribution of mean 0 and variance 1.
    fn standard_normal<R: Rng + ?Sized>(rng: &mut R) -> Self;

    /// The uniform distribution on `low <= x < high`, if the bounds are finite and in order.
    #[doc(hidden)]
    fn uniform(low: Self, high: Self) -> Option<impl Distribution<Self>>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}
