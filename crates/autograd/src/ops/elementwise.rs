//! Functions of each element.

use retrograde_tensor::Float;

use crate::Result;
use crate::op::Op;
use crate::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
    /// The hyperbolic tangent, elementwise.
    ///
    /// # Derivative
    /// `g (1 - y²)`.
    #[track_caller]
    pub fn tanh(&self) -> Self {
        self.unary(Op::Tanh)
    }

    /// The logistic function `1 / (1 + exp(-x))`, elementwise, safe for every finite `x`.
    ///
    /// # Derivative
    /// `g y (1 - y)`.
    #[track_caller]
    pub fn sigmoid(&self) -> Self {
        self.unary(Op::Sigmoid)
    }

    /// `max(x, 0)`, elementwise.
    ///
    /// # Derivative
    /// `g` where `x > 0`, else 0; at the kink 0 is taken. As a formula: `g sign(y)`.
    #[track_caller]
    pub fn relu(&self) -> Self {
        self.unary(Op::Relu)
    }

    /// `eˣ`, elementwise.
    ///
    /// # Derivative
    /// `g y`.
    #[track_caller]
    pub fn exp(&self) -> Self {
        self.unary(Op::Exp)
    }

    /// The natural logarithm, elementwise.
    ///
    /// # Derivative
    /// `g / x`.
    #[track_caller]
    pub fn ln(&self) -> Self {
        self.unary(Op::Ln)
    }

    /// The square root, elementwise.
    ///
    /// # Derivative
    /// `g / (2 y)`.
    #[track_caller]
    pub fn sqrt(&self) -> Self {
        self.unary(Op::Sqrt)
    }

    /// `x²`, elementwise.
    ///
    /// # Derivative
    /// `2 g x`.
    #[track_caller]
    pub fn square(&self) -> Self {
        self.unary(Op::Square)
    }

    /// The sine of radians, elementwise.
    ///
    /// # Derivative
    /// `g cos(x)`.
    #[track_caller]
    pub fn sin(&self) -> Self {
        self.unary(Op::Sin)
    }

    /// The cosine of radians, elementwise.
    ///
    /// # Derivative
    /// `-g sin(x)`.
    #[track_caller]
    pub fn cos(&self) -> Self {
        self.unary(Op::Cos)
    }

    /// `|x|`, elementwise.
    ///
    /// # Derivative
    /// `g sign(x)`, 0 at the kink. As a formula, `sign(0) = 0`.
    #[track_caller]
    pub fn abs(&self) -> Self {
        self.unary(Op::Abs)
    }

    /// -1, 0 or 1: the sign of each element.
    ///
    /// # Derivative
    /// None: no gradient flows through it.
    #[track_caller]
    pub fn sign(&self) -> Self {
        self.unary(Op::Sign)
    }

    /// `c x` for a constant `c`; what `x * c` records.
    ///
    /// # Derivative
    /// `c g`.
    #[track_caller]
    pub fn scale(&self, c: f64) -> Self {
        self.unary(Op::Scale(c))
    }

    /// `x + c` for a constant `c`; what `x + c` records.
    ///
    /// # Derivative
    /// `g`.
    #[track_caller]
    pub fn shift(&self, c: f64) -> Self {
        self.unary(Op::Shift(c))
    }

    /// Every element held within `[lo, hi]`.
    ///
    /// # Derivative
    /// `g` where `lo <= x <= hi`, else 0.
    ///
    /// # Panics
    /// If `lo > hi` or either is NaN; [`try_clamp`](Self::try_clamp) returns that as an error.
    #[track_caller]
    pub fn clamp(&self, lo: f64, hi: f64) -> Self {
        or_panic(self.try_clamp(lo, hi))
    }

    /// As [`clamp`](Self::clamp).
    ///
    /// # Errors
    /// If `lo > hi` or either is NaN.
    #[track_caller]
    pub fn try_clamp(&self, lo: f64, hi: f64) -> Result<Self> {
        self.try_unary(Op::Clamp { lo, hi })
    }

    /// `exp(x) / Σ exp(x)` along `axis`, safe for every finite `x`.
    ///
    /// # Derivative
    /// `y (g - Σ g y)`.
    ///
    /// # Panics
    /// If the axis is out of range; [`try_softmax`](Self::try_softmax) returns that as an error.
    #[track_caller]
    pub fn softmax(&self, axis: usize) -> Self {
        or_panic(self.try_softmax(axis))
    }

    /// As [`softmax`](Self::softmax).
    ///
    /// # Errors
    /// If the axis is out of range.
    #[track_caller]
    pub fn try_softmax(&self, axis: usize) -> Result<Self> {
        self.try_unary(Op::Softmax { axis })
    }

    /// `x - ln Σ exp(x)` along `axis`, safe for every finite `x`.
    ///
    /// # Derivative
    /// `g - eʸ Σ g`.
    ///
    /// # Panics
    /// If the axis is out of range; [`try_log_softmax`](Self::try_log_softmax) returns that as an error.
    #[track_caller]
    pub fn log_softmax(&self, axis: usize) -> Self {
        or_panic(self.try_log_softmax(axis))
    }

    /// As [`log_softmax`](Self::log_softmax).
    ///
    /// # Errors
    /// If the axis is out of range.
    #[track_caller]
    pub fn try_log_softmax(&self, axis: usize) -> Result<Self> {
        self.try_unary(Op::LogSoftmax { axis })
    }
}
