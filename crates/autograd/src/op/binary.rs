//! Arithmetic, comparisons and choices: operations on two operands, a row each, and on three.

use retrograde_tensor::{Float, Scalar, Tensor};

use super::Op;
use crate::Result;
use crate::tape::operand::Operand;
use crate::tape::var::{Var, or_panic};

/// Makes the fallible methods of operators: the method, the operation, the operator, the derivative.
macro_rules! operators {
    ($($try:ident = $op:expr, $sign:literal, $derivative:literal;)*) => {
        impl<'t, E: Float> Var<'t, E> {
            $(
                #[doc = concat!("`self ", $sign, " r`, elementwise; the operator `", $sign, "` panics with this error's text.")]
                ///
                /// # Shapes
                /// Any two shapes that broadcast as in NumPy
                ///
                /// # Derivative
                #[doc = concat!($derivative, ", summed over what was broadcast.")]
                ///
                /// # Errors
                /// If the shapes do not broadcast.
                #[track_caller]
                pub fn $try(&self, r: impl Operand<'t, E>) -> Result<Self> {
                    self.try_binary($op, r)
                }
            )*
        }
    };
}

operators! {
    try_add = Op::Add, "+", "`g` for both operands";
    try_sub = Op::Sub, "-", "`g` and `-g`";
    try_mul = Op::Mul, "*", "`g x1` and `g x0`";
    try_div = Op::Div, "/", "`g / x1` and `-g y / x1`";
}

/// Makes the methods of rows: a sentence, the method and its fallible twin, the operation, the derivative, and the value
/// for `[1, 5, 3]` and 3.
macro_rules! binary {
    ($($(#[$doc:meta])* $method:ident, $try:ident = $op:expr, $derivative:literal, $example:literal;)*) => {
        impl<'t, E: Float> Var<'t, E> {
            $(
                $(#[$doc])*
                ///
                /// # Shapes
                /// Any two shapes that broadcast as in NumPy
                ///
                /// # Derivative
                #[doc = $derivative]
                ///
                /// # Panics
                #[doc = concat!(
                    "If the shapes do not broadcast; [`", stringify!($try), "`](Self::", stringify!($try),
                    ") returns that as an error."
                )]
                ///
                /// # Example
                /// ```
                /// use retrograde_autograd::Tape;
                /// use retrograde_tensor::Tensor;
                ///
                /// let tape = Tape::new();
                /// let x = tape.var(Tensor::from([1.0_f64, 5.0, 3.0]));
                #[doc = concat!("let y = x.", stringify!($method), "(3.0);")]
                #[doc = concat!("assert_eq!(y.value(), &Tensor::from(", $example, "));")]
                /// # Ok::<(), retrograde_autograd::Error>(())
                /// ```
                #[track_caller]
                #[must_use]
                pub fn $method(&self, r: impl Operand<'t, E>) -> Self {
                    or_panic(self.$try(r))
                }

                #[doc = concat!("As [`", stringify!($method), "`](Self::", stringify!($method), ").")]
                ///
                /// # Errors
                /// If the shapes do not broadcast.
                #[track_caller]
                pub fn $try(&self, r: impl Operand<'t, E>) -> Result<Self> {
                    self.try_binary($op, r)
                }
            )*
        }
    };
}

binary! {
    /// The larger of two elements; NaN if either is NaN.
    maximum, try_maximum = Op::Maximum,
        "`g` for the larger operand, half of it for each of two equals, 0 for the smaller one.", "[3.0, 5.0, 3.0]";
    /// The smaller of two elements; NaN if either is NaN.
    minimum, try_minimum = Op::Minimum,
        "`g` for the smaller operand, half of it for each of two equals, 0 for the larger one.", "[1.0, 3.0, 3.0]";
}

/// Makes the comparisons of rows: the variant, the methods, the relation, and the mask for `[1, 5, 3]` and 3.
macro_rules! comparisons {
    ($($comparison:ident = $method:ident, $try:ident, $relation:literal, $example:literal;)*) => {
        /// A comparison of two elements.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Comparison {
            $(#[doc = concat!("`x0 ", $relation, " x1`")] $comparison,)*
        }

        impl Comparison {
            /// All comparisons.
            pub const ALL: &[Comparison] = &[$(Comparison::$comparison),*];

            /// Returns the name, which is that of the method.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Comparison::$comparison => stringify!($method),)*
                }
            }

            /// The mask.
            pub(super) fn eval<S: Scalar>(self, a: &Tensor<S>, b: &Tensor<S>) -> Result<Tensor<S>> {
                Ok(match self {
                    $(Comparison::$comparison => a.$try(b)?,)*
                })
            }
        }

        binary! {
            $(
                #[doc = concat!("A mask: 1 where `self ", $relation, " r`, else 0.")]
                $method, $try = Op::Compare(Comparison::$comparison),
                    "None: no gradient flows through a mask.", $example;
            )*
        }
    };
}

comparisons! {
    Gt = gt, try_gt, ">", "[0.0, 1.0, 0.0]";
    Ge = ge, try_ge, ">=", "[0.0, 1.0, 1.0]";
    Lt = lt, try_lt, "<", "[1.0, 0.0, 0.0]";
    Le = le, try_le, "<=", "[1.0, 0.0, 1.0]";
    Eq = eq_mask, try_eq_mask, "==", "[0.0, 0.0, 1.0]";
    Ne = ne_mask, try_ne_mask, "!=", "[1.0, 1.0, 0.0]";
}

impl Op {
    /// The operation of one operand that this one becomes when its right operand is the number `c`, if there is one.
    pub(crate) fn with_number(&self, c: f64) -> Option<Op> {
        match self {
            Op::Add => Some(Op::Shift(c)),
            Op::Sub => Some(Op::Shift(-c)),
            Op::Mul => Some(Op::Scale(c)),
            _ => None,
        }
    }
}

impl<'t, E: Float> Var<'t, E> {
    fallible! {
        /// The elements of `self` where `mask` is not zero, those of `otherwise` elsewhere. What is not taken
        /// is not read: a NaN there reaches neither the value nor the gradient.
        ///
        /// # Shapes
        /// Any three shapes that broadcast as in NumPy.
        ///
        /// # Derivative
        /// `g` where taken, 0 where not, summed over what was broadcast.
        where_mask or try_where_mask(&self, mask: impl Operand<'t, E>, otherwise: impl Operand<'t, E>), "the shapes do not broadcast"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([1.0_f64, 2.0, f64::NAN]));
        /// let mask = Tensor::from([1.0, 1.0, 0.0]);
        /// let y = x.where_mask(&mask, 0.0);
        /// assert_eq!(y.value(), &Tensor::from([1.0, 2.0, 0.0]));
        /// assert_eq!(y.sum().backward()?.get(&x), Some(&Tensor::from([1.0, 1.0, 0.0])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        {
            let (mask, otherwise) = (mask.try_on(self.tape())?, otherwise.try_on(self.tape())?);
            self.tape().apply(Op::Where, &[&mask, self, &otherwise])
        }
    }
}
