//! Functions of one element, a row each.

use retrograde_tensor::{Float, Scalar, Tensor};

use super::Op;
use crate::tape::var::Var;

/// Makes the functions of rows: the variant; the method of a tensor that computes it and of a variable that records it;
/// a sentence; its derivative; elements for the example; its source, where it has one.
macro_rules! unary {
    ($(
        $(#[$doc:meta])*
        $function:ident = $method:ident, $derivative:literal, $example:literal $(, $source:literal)?;
    )*) => {
        /// A function of each element of one operand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Unary {
            $($(#[$doc])* $function,)*
        }

        impl Unary {
            /// All functions.
            pub const ALL: &[Unary] = &[$(Unary::$function),*];

            /// Returns the name, which is that of the method.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Unary::$function => stringify!($method),)*
                }
            }

            /// The function of each element.
            pub(super) fn eval<S: Scalar>(self, x: &Tensor<S>) -> Tensor<S> {
                match self {
                    $(Unary::$function => x.$method(),)*
                }
            }
        }

        impl<E: Float> Var<'_, E> {
            $(
                $(#[$doc])*
                ///
                /// # Shapes
                /// `[..] -> [..]`, elementwise
                ///
                /// # Derivative
                #[doc = $derivative]
                ///
                /// # Example
                /// ```
                /// use retrograde_autograd::Tape;
                /// use retrograde_tensor::Tensor;
                ///
                /// let tape = Tape::new();
                #[doc = concat!("let x = tape.var(Tensor::<f64>::from(", $example, "));")]
                #[doc = concat!("let y = x.", stringify!($method), "();")]
                #[doc = concat!("assert_eq!(y.value(), &x.value().", stringify!($method), "());")]
                /// # Ok::<(), retrograde_autograd::Error>(())
                /// ```
                $(
                    ///
                    /// # Source
                    #[doc = $source]
                )?
                #[track_caller]
                #[must_use]
                pub fn $method(&self) -> Self {
                    self.unary(Unary::$function)
                }
            )*
        }
    };
}

unary! {
    /// The negative `-x`, which the operator `-` records.
    Neg = neg, "`-g`.", "[-1.0, 2.0]";
    /// The hyperbolic tangent.
    Tanh = tanh, "`g (1 - y²)`.", "[0.0, 1.0]";
    /// The logistic function `1 / (1 + exp(-x))`, without overflow.
    Sigmoid = sigmoid, "`g y (1 - y)`.", "[0.0, -1000.0]";
    /// The rectified linear unit `max(x, 0)`.
    Relu = relu, "`g` where `x > 0`, else 0, also where `g` is infinite; at the kink 0. As a formula: `g sign(y)`.", "[-1.0, 2.0]";
    /// The smooth rectifier `ln(1 + eˣ)`, without overflow.
    Softplus = softplus, "`g sigmoid(x)`.", "[0.0, 1000.0]",
        "C. Dugas and others, *Incorporating second-order functional knowledge for better option pricing* (2001).";
    /// The exponential `eˣ`.
    Exp = exp, "`g y`.", "[0.0, 1.0]";
    /// The natural logarithm.
    Ln = ln, "`g / x`.", "[1.0, 2.0]";
    /// `ln(1 + x)`, with all its digits near 0.
    Ln1p = ln_1p, "`g / (1 + x)`.", "[0.0, 1e-9]";
    /// `eˣ - 1`, with all its digits near 0.
    ExpM1 = exp_m1, "`g eˣ`.", "[0.0, 1e-9]";
    /// The error function `2/√π ∫ exp(-t²) dt` from 0 to `x`.
    Erf = erf, "`2/√π g exp(-x²)`.", "[0.0, 1.0]",
        "M. Abramowitz and I. Stegun, *Handbook of mathematical functions* (1964), chapter 7.";
    /// The square root.
    Sqrt = sqrt, "`g / (2 y)`.", "[4.0, 2.0]";
    /// The square `x²`.
    Square = square, "`2 g x`.", "[-3.0, 2.0]";
    /// The sine of radians.
    Sin = sin, "`g cos(x)`.", "[0.0, 1.0]";
    /// The cosine of radians.
    Cos = cos, "`-g sin(x)`.", "[0.0, 1.0]";
    /// The absolute value `|x|`.
    Abs = abs, "`g sign(x)`; at the kink 0, also where `g` is infinite.", "[-1.0, 2.0]";
    /// The sign of each element: -1, 0 or 1.
    Sign = sign, "None: no gradient flows through it.", "[-3.0, 0.0]";
    /// The largest whole number that is not greater.
    Floor = floor, "None: no gradient flows through it.", "[-1.5, 2.0]";
    /// The nearest whole number, the even one of two.
    Round = round, "None: no gradient flows through it.", "[-1.5, 2.2]";
}

impl From<Unary> for Op {
    fn from(function: Unary) -> Self {
        Op::Unary(function)
    }
}
