//! The closed set of operations. A row of a table holds all of an operation but its derivative: variant, name, shape,
//! value and display; its methods stand beside it.
//!
//! | page | operations |
//! |---|---|
//! | `table` | all, a row each |
//! | `unary` | functions of one element, with their methods |
//! | `binary` | arithmetic and comparisons of two operands, with their methods |
//! | `elementwise`, `reduce`, `linear`, `shape`, `slice`, `index` | the methods of the others |

/// Makes methods that panic, and twins that return the error. An entry has the docs of the method, both names and the
/// arguments, the condition of the error, the example, and the body of the twin.
macro_rules! fallible {
    ($(
        $(#[$doc:meta])*
        $method:ident or $try:ident(&$self:ident $(, $argument:ident: $type:ty)*), $fails:literal
        $(#[$example:meta])*
        $body:block
    )*) => {
        $(
            $(#[$doc])*
            ///
            /// # Panics
            #[doc = concat!(
                "If ", $fails, "; [`", stringify!($try), "`](Self::", stringify!($try), ") returns that as an error."
            )]
            ///
            $(#[$example])*
            #[track_caller]
            #[must_use]
            pub fn $method(&$self $(, $argument: $type)*) -> Self {
                or_panic($self.$try($($argument),*))
            }

            #[doc = concat!("As [`", stringify!($method), "`](Self::", stringify!($method), ").")]
            ///
            /// # Errors
            #[doc = concat!("If ", $fails, ".")]
            #[track_caller]
            pub fn $try(&$self $(, $argument: $type)*) -> Result<Self> $body
        )*
    };
}

mod binary;
mod elementwise;
mod index;
mod linear;
mod reduce;
mod shape;
mod slice;
mod table;
mod unary;

use retrograde_tensor::{Scalar, Shape, Tensor};

use crate::tape::var::or_panic;
use crate::{Error, Result};

pub use binary::Comparison;
pub use table::Op;
pub use unary::Unary;

impl Op {
    /// Returns the shape of the result for operands of shapes `x`.
    ///
    /// # Errors
    /// If there are too few or too many operands, if they do not fit the operation, or if its attributes do not fit
    /// them.
    pub fn shape(&self, x: &[Shape]) -> Result<Shape> {
        self.require_operands(x.len())?;
        self.infer(x)
    }

    /// Returns the value of the operation on `x`.
    ///
    /// Generic over the scalar: with `f32` and `f64` it computes, with dual numbers it differentiates forwards.
    ///
    /// # Errors
    /// As [`shape`](Self::shape), and if memory does not hold the value.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Op;
    /// use retrograde_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([3.0, 5.0]));
    /// assert_eq!(Op::Mul.eval(&[&a, &b])?, Tensor::from([3.0, 10.0]));
    /// let error = Op::Mul.eval(&[&a]).unwrap_err();
    /// assert_eq!(error.to_string(), "mul: expected 2 operands, found 1");
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn eval<S: Scalar>(&self, x: &[&Tensor<S>]) -> Result<Tensor<S>> {
        self.require_operands(x.len())?;
        self.evaluate(x)
    }

    /// The value on operands that fit.
    #[track_caller]
    pub(crate) fn compute<S: Scalar>(&self, x: &[&Tensor<S>]) -> Tensor<S> {
        or_panic(self.evaluate(x))
    }

    fn require_operands(&self, found: usize) -> Result<()> {
        match self.arity() {
            Some(expected) if expected != found => {
                Err(Error::OperandCount { op: self.name(), expected, found })
            }
            _ => Ok(()),
        }
    }
}

/// The name with its attributes: `narrow axis 1, 0..4`.
impl std::fmt::Display for Op {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())?;
        self.write_attributes(f)
    }
}
