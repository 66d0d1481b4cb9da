//! Functions of each element, and of pairs of elements.

use crate::error::or_panic;
use crate::loops::zip::{select, zip};
use crate::storage::buffer;
use crate::{Element, Error, Scalar, Tensor};

impl<E: Element> Tensor<E> {
    /// The tensor of `f(x)` for each element `x`.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([1.0, -2.0]);
    /// assert_eq!(x.map(|x| x > 0.0), Tensor::from([true, false]));
    /// ```
    #[track_caller]
    pub fn map<F: Element>(&self, f: impl Fn(E) -> F) -> Tensor<F> {
        self.mapped("map", f)
    }

    /// As [`map`](Self::map), with the name of the operation for a panic.
    #[track_caller]
    pub(super) fn mapped<F: Element>(&self, op: &'static str, f: impl Fn(E) -> F) -> Tensor<F> {
        let mut out = or_panic(buffer::with_capacity(op, &self.shape()));
        let to = &mut out;
        self.for_each_slice(&mut move |x| to.extend(x.iter().map(|&x| f(x))));
        Tensor::filled(out, self.shape())
    }

    /// The tensor of `f(a, b)` for each pair of elements, broadcasting. [`zip`](Self::zip) panics instead.
    ///
    /// # Errors
    /// If the shapes do not broadcast together.
    pub fn try_zip<B: Element, C: Element>(
        &self,
        other: &Tensor<B>,
        f: impl Fn(E, B) -> C,
    ) -> Result<Tensor<C>, Error> {
        zip("zip", self, other, f)
    }

    /// The tensor of `f(a, b)` for each pair of elements, broadcasting.
    ///
    /// # Panics
    /// Where [`try_zip`](Self::try_zip) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let (x, y) = (Tensor::from([[3.0], [4.0]]), Tensor::from([4.0, 3.0]));
    /// assert_eq!(x.zip(&y, f64::hypot).at(&[0, 0]), 5.0);
    /// ```
    #[track_caller]
    pub fn zip<B: Element, C: Element>(&self, other: &Tensor<B>, f: impl Fn(E, B) -> C) -> Tensor<C> {
        or_panic(self.try_zip(other, f))
    }

    /// `a` where `mask` is not 0, else `b`; all three broadcast. [`where_mask`](Self::where_mask) panics instead.
    ///
    /// Nothing is multiplied: a NaN in the branch not taken does not show.
    ///
    /// # Errors
    /// If the shapes do not broadcast together.
    pub fn try_where_mask(mask: &Self, a: &Self, b: &Self) -> Result<Self, Error> {
        select("where_mask", [mask, a, b])
    }

    /// `a` where `mask` is not 0, else `b`; all three broadcast.
    ///
    /// Nothing is multiplied: a NaN in the branch not taken does not show.
    ///
    /// # Panics
    /// Where [`try_where_mask`](Self::try_where_mask) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([4.0, -1.0]);
    /// let zero = Tensor::scalar(0.0);
    /// assert_eq!(Tensor::where_mask(&x.gt(&zero), &x.sqrt(), &zero), Tensor::from([2.0, 0.0]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn where_mask(mask: &Self, a: &Self, b: &Self) -> Self {
        or_panic(Self::try_where_mask(mask, a, b))
    }
}

impl<E: Scalar> Tensor<E> {
    /// `-x`
    #[track_caller]
    #[must_use]
    pub fn neg(&self) -> Self {
        self.mapped("neg", |x| -x)
    }

    /// The hyperbolic tangent; of `f32` and `f64` within 2 ulp (measured: 1.36), and with all its digits near 0.
    #[track_caller]
    pub fn tanh(&self) -> Self {
        self.mapped_slice("tanh", E::tanh_slice)
    }

    /// The logistic function `1 / (1 + exp(-x))`; of `f32` and `f64` within 2 ulp (measured: 1.97), and with all its
    /// digits where it is tiny.
    #[track_caller]
    pub fn sigmoid(&self) -> Self {
        self.mapped_slice("sigmoid", E::sigmoid_slice)
    }

    /// `x` where it is positive, else 0. NaN stays NaN.
    #[track_caller]
    pub fn relu(&self) -> Self {
        self.mapped("relu", E::relu)
    }

    /// `ln(1 + exp(x))`, a smooth [`relu`](Self::relu): without overflow, and with all its digits where it is tiny.
    /// Of `f32` and `f64` within 2 ulp (measured: 1.71).
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::{Tensor, assert_close};
    ///
    /// let x = Tensor::from([-50.0_f64, 0.0, 1000.0]);
    /// assert_close!(x.softplus(), Tensor::from([(-50.0_f64).exp(), 2.0_f64.ln(), 1000.0]), 1e-15, 0.0);
    /// ```
    #[track_caller]
    pub fn softplus(&self) -> Self {
        self.mapped_slice("softplus", E::ln_1p_exp_slice)
    }

    /// `ln(1 + x)`, with all its digits near 0.
    #[track_caller]
    #[must_use]
    pub fn ln_1p(&self) -> Self {
        self.mapped("ln_1p", E::ln_1p)
    }

    /// `exp(x) - 1`, with all its digits near 0.
    #[track_caller]
    #[must_use]
    pub fn exp_m1(&self) -> Self {
        self.mapped("exp_m1", E::exp_m1)
    }

    /// The error function `2/√π ∫ exp(-t²) dt` from 0 to `x`.
    #[track_caller]
    #[must_use]
    pub fn erf(&self) -> Self {
        self.mapped("erf", E::erf)
    }

    /// The largest whole number that is not greater. Its derivative is 0.
    #[track_caller]
    #[must_use]
    pub fn floor(&self) -> Self {
        self.mapped("floor", |x| E::from_f64(x.to_f64().floor()))
    }

    /// The nearest whole number, the even one of two, as in NumPy. Its derivative is 0.
    #[track_caller]
    #[must_use]
    pub fn round(&self) -> Self {
        self.mapped("round", |x| E::from_f64(x.to_f64().round_ties_even()))
    }

    /// -1, 0 or 1: the sign of each element. Its derivative is 0. NaN stays NaN.
    #[track_caller]
    #[must_use]
    pub fn sign(&self) -> Self {
        // A sum of choices between constants, in which nothing jumps.
        let sign = |x: E| {
            let nan = E::from_f64(if x.is_nan() { f64::NAN } else { 0.0 });
            truth::<E>(x > E::default()) - truth(x < E::default()) + nan
        };
        self.mapped_vectorized("sign", sign)
    }

    /// The exponential; of `f32` and `f64` within 1 ulp (measured: 0.78).
    #[track_caller]
    pub fn exp(&self) -> Self {
        self.mapped_slice("exp", E::exp_slice)
    }

    /// The natural logarithm; of `f32` and `f64` within 1 ulp (measured: 0.84). -∞ for 0, NaN for negative numbers.
    #[track_caller]
    pub fn ln(&self) -> Self {
        self.mapped_slice("ln", E::ln_slice)
    }

    /// The square root.
    #[track_caller]
    pub fn sqrt(&self) -> Self {
        self.mapped_vectorized("sqrt", E::sqrt)
    }

    /// `x · x`
    #[track_caller]
    #[must_use]
    pub fn square(&self) -> Self {
        self.mapped("square", |x| x * x)
    }

    /// The sine; of `f32` nearly always the nearest number (within 0.51 ulp), of `f64` within 1 ulp (measured: 0.78).
    #[track_caller]
    pub fn sin(&self) -> Self {
        self.mapped_slice("sin", E::sin_slice)
    }

    /// The cosine; of `f32` nearly always the nearest number (within 0.51 ulp), of `f64` within 1 ulp (measured: 0.79).
    #[track_caller]
    pub fn cos(&self) -> Self {
        self.mapped_slice("cos", E::cos_slice)
    }

    /// The absolute value.
    #[track_caller]
    pub fn abs(&self) -> Self {
        self.mapped("abs", E::abs)
    }

    /// `min(max(x, lo), hi)`. NaN stays NaN.
    #[track_caller]
    pub fn clamp(&self, lo: E, hi: E) -> Self {
        self.mapped("clamp", |x| {
            let x = if x < lo { lo } else { x };
            if x > hi { hi } else { x }
        })
    }

    /// As [`mapped`](Self::mapped), with the instructions of the processor.
    #[track_caller]
    fn mapped_vectorized(&self, op: &'static str, f: impl Fn(E) -> E + Copy) -> Self {
        let mut out = or_panic(buffer::with_capacity(op, &self.shape()));
        self.for_each_slice(&mut |x| {
            E::vectorized(
                #[inline(always)]
                || out.extend(x.iter().map(|&x| f(x))),
            );
        });
        Self::filled(out, self.shape())
    }

    /// Applies `f` to a copy of the elements, in blocks that stay in the nearest cache.
    #[track_caller]
    pub(super) fn mapped_slice(&self, op: &'static str, f: impl Fn(&mut [E])) -> Self {
        const BLOCK: usize = 2048;
        let mut out = or_panic(buffer::with_capacity(op, &self.shape()));
        let mut done = 0;
        self.for_each_slice(&mut |x| {
            for x in x.chunks(BLOCK) {
                out.extend_from_slice(x);
                if out.len() - done >= BLOCK {
                    f(&mut out[done..]);
                    done = out.len();
                }
            }
        });
        f(&mut out[done..]);
        Self::filled(out, self.shape())
    }
}

macro_rules! binary {
    ($($(#[$doc:meta])* $name:ident $try_name:ident $f:expr;)*) => {
        impl<E: Scalar> Tensor<E> {
            $(
                $(#[$doc])*
                #[doc = concat!("Broadcasts. [`", stringify!($name), "`](Self::", stringify!($name), ") panics instead.")]
                ///
                /// # Errors
                /// If the shapes do not broadcast together.
                pub fn $try_name(&self, other: &Self) -> Result<Self, Error> {
                    zip(stringify!($name), self, other, $f)
                }

                $(#[$doc])*
                /// Broadcasts.
                ///
                /// # Panics
                #[doc = concat!("Where [`", stringify!($try_name), "`](Self::", stringify!($try_name), ") returns an error.")]
                #[track_caller]
                #[must_use]
                pub fn $name(&self, other: &Self) -> Self {
                    or_panic(self.$try_name(other))
                }
            )*
        }
    };
}

/// The number that a mask stands for truth with.
fn truth<E: Scalar>(holds: bool) -> E {
    E::from_f64(if holds { 1.0 } else { 0.0 })
}

binary! {
    /// The greater of each pair; NaN if either is.
    maximum try_maximum E::maximum;
    /// The lesser of each pair; NaN if either is.
    minimum try_minimum E::minimum;
    /// 1 where `self > other`, else 0.
    gt try_gt |a, b| truth(a > b);
    /// 1 where `self >= other`, else 0.
    ge try_ge |a, b| truth(a >= b);
    /// 1 where `self < other`, else 0.
    lt try_lt |a, b| truth(a < b);
    /// 1 where `self <= other`, else 0.
    le try_le |a, b| truth(a <= b);
    /// 1 where the elements are equal, else 0.
    eq_mask try_eq_mask |a, b| truth(a == b);
    /// 1 where the elements differ, else 0.
    ne_mask try_ne_mask |a, b| truth(a != b);
}
