//! Errors.

use std::path::PathBuf;

use retrograde_tensor::Shape;

use crate::checkpoint::Rounding;
use crate::shapes::Pattern;
use crate::weights::WeightsError;

/// An error of this crate: what was expected, and what was found.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// An operation on a tape failed.
    #[error(transparent)]
    Autograd(#[from] retrograde_autograd::Error),
    /// An operation on tensors failed.
    #[error(transparent)]
    Tensor(#[from] retrograde_tensor::Error),
    /// An input, a parameter, a state or a cotangent does not have the shape that the layer needs.
    #[error("{op}: expected {name} of shape {expected}, found {found}")]
    Shape {
        /// The layer or function.
        op: &'static str,
        /// The name of the value with the wrong shape.
        name: &'static str,
        /// The shape needed.
        expected: Box<Pattern>,
        /// The shape found.
        found: Box<Shape>,
    },
    /// An explicit layer was asked for its backward pass first.
    #[error("{op}: expected a forward pass before the backward pass, found none")]
    NoForward {
        /// The layer.
        op: &'static str,
    },
    /// A mean over no positions.
    #[error("{op}: expected at least one target, found {found}")]
    NoTargets {
        /// The function.
        op: &'static str,
        /// The shape of the targets.
        found: Box<Shape>,
    },
    /// A mean over positions of which none counts.
    #[error("{op}: expected at least one position that counts, found none of {positions}")]
    NothingCounted {
        /// The function.
        op: &'static str,
        /// The number of positions.
        positions: usize,
    },
    /// A target that is no class.
    #[error("{op}: expected targets below {classes}, found {found} at {at:?}")]
    Target {
        /// The function.
        op: &'static str,
        /// The number of classes.
        classes: usize,
        /// The target found.
        found: usize,
        /// Where it was found.
        at: Box<[usize]>,
    },
    /// A number of things that is not what it should be, such as lengths for a batch.
    #[error("{op}: expected {expected} {name}, found {found}")]
    Count {
        /// The layer or function.
        op: &'static str,
        /// The name of the things counted.
        name: &'static str,
        /// The number expected.
        expected: usize,
        /// The number found.
        found: usize,
    },
    /// An option that cannot act where it is set.
    #[error("{op}: expected {expected}, found {found}")]
    Conflict {
        /// The layer or function.
        op: &'static str,
        /// Where the option can act.
        expected: &'static str,
        /// Where it is set.
        found: &'static str,
    },
    /// An option of a variable that the state of a cell does not have.
    #[error("{op}: expected {option} of variables of the state, {}, found {found}", expected.join(", "))]
    Variable {
        /// The layer.
        op: &'static str,
        /// The option.
        option: &'static str,
        /// The names of the variables of the state.
        expected: Vec<String>,
        /// The name given.
        found: String,
    },
    /// A row that is longer than the batch has steps.
    #[error("{op}: expected lengths of at most {expected}, found {found} of row {row}")]
    Length {
        /// The layer or function.
        op: &'static str,
        /// The row.
        row: usize,
        /// The number of steps of the batch.
        expected: usize,
        /// The length found.
        found: usize,
    },
    /// An entry of a state dictionary that is missing, or one that should not be there.
    #[error("{op}: expected {expected} {name}, found {found}")]
    Entry {
        /// The function.
        op: &'static str,
        /// `"an entry"` or `"no entry"`, as expected.
        expected: &'static str,
        /// Its name.
        name: String,
        /// As found.
        found: &'static str,
    },
    /// Something that a function or a format does not have.
    #[error("{op}: expected {expected}, found {found}")]
    Unsupported {
        /// The function or format.
        op: &'static str,
        /// The form that it has.
        expected: &'static str,
        /// The form found.
        found: String,
    },
    /// A product of sizes beyond `usize`.
    #[error("{op}: expected {factor} · {size} to fit in usize")]
    TooLarge {
        /// The layer or function.
        op: &'static str,
        /// One size.
        factor: usize,
        /// The other size.
        size: usize,
    },
    /// An error in one of many parts.
    #[error("{place}: {source}")]
    In {
        /// The part.
        place: String,
        /// The error of the part.
        source: Box<Error>,
    },
    /// A setting outside of its range.
    #[error("{op}: expected {name} to be {expected}, found {found}")]
    Setting {
        /// The optimizer or function.
        op: &'static str,
        /// The name of the setting.
        name: &'static str,
        /// Its range.
        expected: &'static str,
        /// The value found.
        found: f64,
    },
    /// A distribution over no tokens.
    #[error("{op}: expected at least 1 logit, found none")]
    NoLogits {
        /// The function.
        op: &'static str,
    },
    /// Windows without a row or a step.
    #[error("windows: expected at least 1 row and 1 step, found {batch} and {steps}")]
    EmptyWindow {
        /// The rows of a batch.
        batch: usize,
        /// The steps of a window.
        steps: usize,
    },
    /// A stream that is too short to be cut into windows.
    #[error(
        "windows: expected at least {expected} tokens ({batch} rows, windows of {steps} steps), found {found}"
    )]
    TooFewTokens {
        /// The tokens needed.
        expected: usize,
        /// The tokens found.
        found: usize,
        /// The rows of a batch.
        batch: usize,
        /// The steps of a window.
        steps: usize,
    },
    /// A parameter in two groups of an optimizer.
    #[error("group: expected parameters that are in no group yet, found {name}")]
    Grouped {
        /// The name of the parameter.
        name: String,
    },
    /// A gradient or an optimizer state of a parameter that the model does not list.
    #[error("{op}: expected parameters that the model lists, found {name}; add its field to `module!`")]
    ForeignParam {
        /// The function or optimizer.
        op: &'static str,
        /// The name of the parameter.
        name: String,
    },
    /// Two parameters of a module under one path.
    #[error("module: expected one parameter for each path, found two under {path:?}: {} and {}", names[0], names[1])]
    RepeatedPath {
        /// The path.
        path: String,
        /// The names of the parameters.
        names: [String; 2],
    },
    /// An optimizer was given the state of another one.
    #[error("optimizer state: expected that of {expected}, found that of {found}")]
    OtherOptimizer {
        /// The name of the optimizer.
        expected: &'static str,
        /// The name of the optimizer in the state.
        found: String,
    },
    /// Settings that an optimizer does not have, or not all that it has.
    #[error("{op}: expected the settings {expected:?}, found {found:?}")]
    OtherSettings {
        /// The optimizer.
        op: &'static str,
        /// The names of the optimizer's settings.
        expected: Vec<&'static str>,
        /// The names that were given.
        found: Vec<String>,
    },
    /// A run was restored where sums are rounded in another order than before.
    #[error(
        "checkpoint: expected {expected}, found {found}; from here on, the last digits of results may differ"
    )]
    OtherRounding {
        /// Where the checkpoint was made.
        expected: Rounding,
        /// Where it was restored.
        found: Rounding,
    },
    /// Gradients whose norm is infinite or not a number.
    #[error("{op}: expected gradients of a finite norm, found {norm}, with {found} in that of {name}")]
    NonFiniteNorm {
        /// The function.
        op: &'static str,
        /// The norm.
        norm: f64,
        /// The first number that is not finite; or the norm, if all are.
        found: f64,
        /// The name of the parameter.
        name: String,
    },
    /// A model has no parameter at a path.
    #[error("expected a parameter {path} in the model, found none")]
    NoParam {
        /// The path.
        path: String,
    },
    /// A checkpoint or a snapshot does not hold a parameter of the model in its shape.
    #[error("{op}: expected {path} of shape {expected}, found {}",
        found.as_ref().map_or("none".to_owned(), |found| found.to_string()))]
    Parameter {
        /// The function.
        op: &'static str,
        /// The path of the parameter.
        path: String,
        /// Its shape in the model.
        expected: Box<Shape>,
        /// Its shape where it was kept, if it is there.
        found: Option<Box<Shape>>,
    },
    /// A carried state is of another batch, or of another layer.
    #[error("checkpoint: expected a state {name} of shapes {expected:?}, found {found:?}")]
    Carried {
        /// The name of the state.
        name: String,
        /// The shapes needed.
        expected: Vec<Shape>,
        /// The shapes found.
        found: Vec<Shape>,
    },
    /// The optimizer state of a parameter is not the one that the optimizer needs.
    #[error("optimizer state: expected {expected:?} for {path}, found {found:?}")]
    Slot {
        /// The path of the parameter.
        path: String,
        /// The tensors needed, with their shapes.
        expected: Vec<String>,
        /// The tensors found.
        found: Vec<String>,
    },
    /// A file of weights is not what it should be, or does not hold what was asked for.
    #[error("{}: {source}", path.display())]
    Weights {
        /// The file.
        path: PathBuf,
        /// The error.
        source: Box<WeightsError>,
    },
}

/// A result of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;
