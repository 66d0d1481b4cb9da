//! Why a check could not be carried out. What it found wrong with a gradient is in the report instead.

use retrograde_tensor::Shape;

/// Any error that a forward or backward pass under test may return.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Why a check could not be carried out.
///
/// It is an enum of its own, apart from [`retrograde_autograd::Error`], because it carries errors of the passes under test, which
/// may be of any type.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A layer was refused before its first forward pass.
    #[error("check: the layer cannot be checked: {0}")]
    Layer(#[source] BoxError),
    /// The forward pass under test returned an error.
    #[error("check: call {call} of the forward pass failed: {source}")]
    Forward {
        /// The number of the call, from 1 on; the first two are at the values given.
        call: usize,
        /// The error that it returned.
        source: BoxError,
    },
    /// The explicit backward pass under test returned an error.
    #[error("check: call {call} of the explicit backward pass failed: {source}")]
    Backward {
        /// The number of the call, from 1 on.
        call: usize,
        /// The error that it returned.
        source: BoxError,
    },
    /// An array of another number of elements than its shape holds.
    #[error("check: expected {} numbers for an array of shape {shape:?}, found {found}", numel(shape))]
    ArraySize {
        /// The shape.
        shape: Vec<usize>,
        /// The number of elements.
        found: usize,
    },
    /// The tape refused a backward pass or a Jacobian-vector product.
    #[error(transparent)]
    Tape(Box<retrograde_autograd::Error>),
    /// There is nothing to compare.
    #[error("check: expected at least one output with at least one element, found none")]
    NoOutputs,
    /// There is nothing to perturb.
    #[error("check: expected at least one input or parameter with at least one element, found none")]
    NothingToPerturb,
    /// Two things have one name.
    #[error("check: expected distinct names, found {name} twice among the {among}")]
    NameTwice {
        /// The list that it is in.
        among: &'static str,
        /// The name.
        name: String,
    },
    /// One parameter is listed under two names, so it cannot be perturbed alone.
    #[error("check: expected each parameter once, found one as {first} and as {second}")]
    ParamTwice {
        /// The first name.
        first: String,
        /// The second name.
        second: String,
    },
    /// A name that nothing has.
    #[error("check: expected one of {}, found {found}", known.join(", "))]
    UnknownName {
        /// The names that there are.
        known: Vec<String>,
        /// The name asked for.
        found: String,
    },
    /// A time axis beyond the axes of its tensor.
    #[error("check: expected a time axis below {} for {name} of shape {shape}, found {axis}", shape.rank())]
    TimeAxis {
        /// The name of the tensor.
        name: String,
        /// The axis.
        axis: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// A number of directions or a tolerance that cannot be used.
    #[error("check: expected {expected}, found {found}")]
    Setting {
        /// The expected value.
        expected: &'static str,
        /// The value found.
        found: f64,
    },
    /// A full Jacobian that is too large to be compared.
    #[error(
        "check: expected a full Jacobian of at most {limit} entries, found one of {outputs} x {inputs}: \
         leave it out, or check a smaller layer"
    )]
    JacobianSize {
        /// The number of output elements.
        outputs: usize,
        /// The number of elements that are perturbed.
        inputs: usize,
        /// The number of entries that there may be; each output also takes one per output.
        limit: usize,
    },
    /// The forward pass uses parameters that were never perturbed.
    #[error("check: expected every parameter of the forward pass to be listed, found also {}", names.join(", "))]
    NotPerturbed {
        /// The names of the parameters.
        names: Vec<String>,
    },
    /// Two runs on the same input differ: the layer is random, or it keeps state between calls.
    #[error(
        "check: expected two runs to agree bit for bit, found {name}{index:?} = {first:e}, then {second:e}: \
         the layer is random or keeps state between calls"
    )]
    NotRepeatable {
        /// The name of the output, or of the gradient.
        name: String,
        /// Where.
        index: Vec<usize>,
        /// The value in the first run.
        first: f64,
        /// The value in a later run.
        second: f64,
    },
    /// The forward pass fails wherever an element is moved to.
    #[error(
        "check: the forward pass failed after {name}{index:?} = {value:e} was moved by {step:.1e}: {source}: \
         say with `within` which values it may take"
    )]
    Moved {
        /// The name of the input or parameter.
        name: String,
        /// The element, or the first of those that were moved together.
        index: Vec<usize>,
        /// Its value.
        value: f64,
        /// The shortest step that was tried first.
        step: f64,
        /// Why it failed, the last time.
        source: BoxError,
    },
    /// A value outside of its domain, or a domain without values.
    #[error("check: expected {name} within {domain}, found {found}")]
    Domain {
        /// The name of the input or parameter, with the index.
        name: String,
        /// The bounds.
        domain: String,
        /// The value.
        found: f64,
    },
    /// The same values behind other strides have another result.
    #[error(
        "check: expected the same result of {layout} tensors as of contiguous ones, found {found}: \
         the layer assumes a layout of memory"
    )]
    Layout {
        /// The adjective of the layout.
        layout: &'static str,
        /// The difference.
        found: String,
    },
    /// Two runs return different outputs.
    #[error("check: expected the outputs {} of the first run, found {}", first.join(", "), second.join(", "))]
    OutputsChanged {
        /// Names and shapes in the first run.
        first: Vec<String>,
        /// Names and shapes in a later run.
        second: Vec<String>,
    },
    /// A value that is not a finite number.
    #[error("check: expected finite values, found {name}{index:?} = {value}")]
    NotFinite {
        /// The name of the tensor.
        name: String,
        /// Where.
        index: Vec<usize>,
        /// The value.
        value: f64,
    },
    /// An explicit backward pass left a gradient out.
    #[error("check: expected a gradient for {name} from the explicit backward pass, found none")]
    MissingGradient {
        /// The name of the input or parameter.
        name: String,
    },
    /// An explicit backward pass returned a gradient of another shape than its tensor.
    #[error(
        "check: expected a gradient of shape {expected} for {name}, found {found}{}",
        hint(expected, found)
    )]
    GradientShape {
        /// The name of the input or parameter.
        name: String,
        /// Its shape.
        expected: Box<Shape>,
        /// The shape of the gradient.
        found: Box<Shape>,
    },
}

impl Error {
    /// The function without a rule that an oracle met, if that is the error.
    pub(crate) fn no_rule(&self) -> Option<&'static str> {
        match self {
            Error::Tape(error) => match **error {
                retrograde_autograd::Error::NoRule { function, .. } => Some(function),
                _ => None,
            },
            _ => None,
        }
    }
}

impl From<retrograde_autograd::Error> for Error {
    fn from(error: retrograde_autograd::Error) -> Self {
        Error::Tape(Box::new(error))
    }
}

/// The number of elements of a shape, however many.
fn numel(shape: &[usize]) -> u128 {
    shape.iter().fold(1, |numel, &size| numel.saturating_mul(size as u128))
}

/// The most likely cause of a wrong shape.
fn hint(expected: &Shape, found: &Shape) -> &'static str {
    let reversed: Vec<usize> = found.iter().rev().copied().collect();
    if found.rank() > expected.rank() && found.ends_with(expected) {
        ": is the sum over the batch missing?"
    } else if found.rank() > 1 && reversed[..] == expected[..] {
        ": is it transposed?"
    } else {
        ""
    }
}
