//! The error of the crate.

use retrograde_tensor::Shape;

use crate::readings::finite::NonFinite;

/// An error of this crate: what was expected, and what was found.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Operands do not fit an operation.
    #[error(transparent)]
    Tensor(#[from] retrograde_tensor::Error),
    /// An operation was given too few or too many operands.
    #[error("{op}: expected {expected} operand{}, found {found}", if *expected == 1 { "" } else { "s" })]
    OperandCount {
        /// The operation.
        op: &'static str,
        /// The number of operands that it takes.
        expected: usize,
        /// The number of operands that it was given.
        found: usize,
    },
    /// Operands that are joined are said to begin where they do not.
    #[error("{op}: expected operands that begin at {expected:?}, found {found:?}")]
    Starts {
        /// The operation.
        op: &'static str,
        /// Where they begin.
        expected: Vec<usize>,
        /// Where they are said to begin.
        found: Vec<usize>,
    },
    /// A variable was used on a tape that it does not live on.
    #[error("{op}: expected a variable of this tape, found one of another tape")]
    ForeignVariable {
        /// The operation.
        op: &'static str,
    },
    /// A backward pass was started without a cotangent from something that is not a scalar.
    #[error(
        "backward: expected a scalar, or a cotangent of the output's shape, found an output of shape {found} and none"
    )]
    NotScalar {
        /// The shape of the output.
        found: Shape,
    },
    /// A cotangent does not have the shape of its output.
    #[error("backward: expected a cotangent of shape {expected}, found {found}")]
    Cotangent {
        /// The shape of the output.
        expected: Box<Shape>,
        /// The shape of the cotangent.
        found: Box<Shape>,
    },
    /// A value or a direction given for an input does not have its shape.
    #[error("{op}: expected a tensor of the input's shape {expected}, found {found}")]
    InputShape {
        /// The operation.
        op: &'static str,
        /// The shape of the input.
        expected: Box<Shape>,
        /// The shape of what was given.
        found: Box<Shape>,
    },
    /// The result of an operation was given where an input was needed.
    #[error("{op}: expected a variable, parameter or constant, found the result of an operation")]
    NotALeaf {
        /// The operation.
        op: &'static str,
    },
    /// Something that needs a record was asked of a tape that does not record.
    #[error("{op}: expected a tape that records, found an inference tape")]
    NotRecorded {
        /// The operation.
        op: &'static str,
    },
    /// A parameter was given a value of another shape.
    #[error("parameter {name}: expected a value of shape {expected}, found {found}")]
    ParamShape {
        /// The name of the parameter.
        name: String,
        /// Its shape.
        expected: Box<Shape>,
        /// The shape of the value.
        found: Box<Shape>,
    },
    /// A parameter was set or updated from within an update of it, or while another thread's update did not end.
    #[error(
        "parameter {name}: expected no change while an update of it runs, found one; \
         let the update return before the next change"
    )]
    ParamUpdating {
        /// The name of the parameter.
        name: String,
    },
    /// A parameter was used on a tape that recorded an earlier value of it.
    #[error(
        "parameter {name}: expected the value that the tape recorded, found another since; \
         record each training step on a fresh tape"
    )]
    ParamChanged {
        /// The name of the parameter.
        name: String,
    },
    /// A placeholder that stands for no variable of the tape.
    #[error(
        "placeholder {name}: expected a variable bound to it on this tape, found none; call `bind` before it is used"
    )]
    Unbound {
        /// The name of the placeholder.
        name: String,
    },
    /// The backward pass of a [`Function`](crate::Function) returned another number of cotangents than it has inputs.
    #[error("{op}: expected {expected} cotangents, one for each input, found {found}")]
    CotangentCount {
        /// The name of the function.
        op: &'static str,
        /// The number of inputs.
        expected: usize,
        /// The number of cotangents.
        found: usize,
    },
    /// The backward pass of a [`Function`](crate::Function) returned a cotangent of another shape than its input.
    #[error("{op}: expected a cotangent of shape {expected} for input {input}, found {found}")]
    CotangentShape {
        /// The name of the function.
        op: &'static str,
        /// The input.
        input: usize,
        /// Its shape.
        expected: Box<Shape>,
        /// The shape of the cotangent.
        found: Box<Shape>,
    },
    /// A [`Function`](crate::Function) gave an output of another shape than the one that was recorded.
    #[error("{op}: expected an output of shape {expected}, as when it was recorded, found {found}")]
    FunctionShape {
        /// The name of the function.
        op: &'static str,
        /// The shape of the output that was recorded.
        expected: Box<Shape>,
        /// The shape of the output.
        found: Box<Shape>,
    },
    /// A backward pass from outputs that no gradient can come from.
    #[error(
        "{op}: expected an output that depends on a variable or parameter in a way that has a derivative, found none; \
         a detached value, a constant or a mask has no gradient"
    )]
    Untracked {
        /// The reading asked for.
        op: &'static str,
    },
    /// A [`Function`](crate::Function) where only an operation will do whose derivative is in the table of rules.
    #[error(
        "{op}: expected operations of the table of rules, found {function}, which has a backward pass of its own"
    )]
    NoRule {
        /// The reading asked for.
        op: &'static str,
        /// The name of the function.
        function: &'static str,
    },
    /// A value or a cotangent that is infinite or NaN.
    #[error("{0}")]
    NonFinite(Box<NonFinite>),
    /// Bounds that exclude every number.
    #[error("{op}: expected a lower bound that is at most the upper bound, found {lo} and {hi}")]
    Bounds {
        /// The operation.
        op: &'static str,
        /// The lower bound.
        lo: f64,
        /// The upper bound.
        hi: f64,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
