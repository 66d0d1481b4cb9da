//! The single findings of a check, as values: verdicts, measures, mismatches and what could not be told.

use crate::Pattern;

/// Who says what a gradient should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Oracle {
    /// Central finite differences of the forward pass, extrapolated.
    Differences,
    /// The adjoint identity `⟨v, J u⟩ = ⟨Jᵀ v, u⟩`, with `J u` from dual numbers replayed over the tape.
    Adjoint,
    /// The gradient that the tape derives, for an explicit backward pass.
    Tape,
    /// Finite differences of the gradient, for the Hessian-vector product.
    SecondOrder,
    /// The gradient for another cotangent: of a multiple it is that multiple, of a sum it is the sum.
    Linearity,
}

/// The distance of a gradient from the value of an oracle.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measure {
    /// The largest absolute difference.
    pub absolute: f64,
    /// The largest difference relative to the magnitude of the block.
    pub relative: f64,
    /// The number of comparisons.
    pub compared: usize,
}

/// The outcome for a block: a tensor, or one time step of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Verdict {
    /// All oracles agree with the gradient.
    Verified,
    /// Its terms cancel, and what is left of them is rounding: the gradient is 0 as far as can be told.
    ZeroUpToRounding,
    /// Below the noise of finite differences for some cotangent; the adjoint identity holds.
    AdjointOnly,
    /// No output moves, so nothing was tested.
    NotVerifiable,
    /// There is a kink, and the gradient lies between the slopes of its sides.
    Kink,
    /// The gradient is wrong.
    Mismatch,
}

/// A line of the report: a tensor, or one time step of a sequence.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Row {
    /// The name of the input or parameter.
    pub name: String,
    /// The time step.
    pub step: Option<usize>,
    /// The number of elements.
    pub elements: usize,
    /// The largest element of the gradient.
    pub magnitude: f64,
    /// The distance from the value of each oracle.
    pub measures: Vec<(Oracle, Measure)>,
    /// The outcome.
    pub verdict: Verdict,
}

/// An element, or a block as a whole, whose gradient is wrong.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Mismatch {
    /// The name of the input or parameter.
    pub name: String,
    /// The element; `None` if the block is wrong as a whole.
    pub index: Option<Vec<usize>>,
    /// The time step.
    pub step: Option<usize>,
    /// The outputs that were weighted.
    pub cotangent: String,
    /// The gradient under test.
    pub analytic: f64,
    /// The expected value.
    pub numeric: f64,
    /// `|analytic - numeric|`
    pub absolute: f64,
    /// The same relative to the magnitude of the block.
    pub relative: f64,
    /// The oracles that disagree with it.
    pub oracles: Vec<Oracle>,
    /// A guess at the cause.
    pub pattern: Option<Pattern>,
}

/// An element at which the function has a kink.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Kink {
    /// The name of the input or parameter.
    pub name: String,
    /// The element.
    pub index: Vec<usize>,
    /// The time step.
    pub step: Option<usize>,
    /// The gradient under test.
    pub analytic: f64,
    /// The slope to the left.
    pub left: f64,
    /// The slope to the right.
    pub right: f64,
}

/// A block in which finite differences see nothing but rounding.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NotVerifiable {
    /// The name of the input or parameter.
    pub name: String,
    /// The time step.
    pub step: Option<usize>,
    /// The outputs that were weighted.
    pub cotangent: String,
    /// The largest element of the gradient.
    pub magnitude: f64,
    /// The error of the finite differences; zero if no output moved at all.
    pub floor: f64,
    /// The number of elements.
    pub elements: usize,
    /// Whether the adjoint identity, which has no noise floor, confirms the gradient.
    pub adjoint: bool,
}

/// An oracle that has nothing to say about a tensor: the way from there leads through a
/// [`Function`](retrograde_autograd::Function), of which finite differences alone know the derivative.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NotApplicable {
    /// The oracle.
    pub oracle: Oracle,
    /// The name of the input or parameter.
    pub name: String,
    /// The name of the function.
    pub function: &'static str,
}

/// A tensor of whose gradient rounding is more than usual, since the derivative of some operation cancels.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Accuracy {
    /// The name of the input or parameter.
    pub name: String,
    /// The exact oracles judge its gradient to this, relative to the magnitude of its block.
    pub relative: f64,
    /// The difference that cancels, such as `1 - y² of tanh h_next_3`.
    pub cause: String,
}

/// The number of entries of the full Jacobian that were compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Jacobian {
    /// The number of output elements.
    pub outputs: usize,
    /// The number of input elements.
    pub inputs: usize,
    /// The number of entries below the noise of finite differences, so that the adjoint identity alone speaks for them.
    pub below_noise: usize,
}

/// An entry of the Jacobian: how an element of an output moves with an element of an input.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// The name of the output.
    pub output: String,
    /// The element of the output.
    pub output_index: Vec<usize>,
    /// The name of the input or parameter.
    pub input: String,
    /// The element of the input or parameter.
    pub input_index: Vec<usize>,
    /// The entry by the gradient under test.
    pub analytic: f64,
    /// The entry by finite differences, where that element was perturbed alone.
    pub numeric: Option<f64>,
    /// The point, 0 for the values given.
    pub point: usize,
}

/// Sorts by size, to three digits, so that equals keep their order whatever the rounding of a processor.
pub(crate) fn worst_first(mismatches: &mut [Mismatch]) {
    let size = |found: &Mismatch| format!("{:.2e}", found.relative).parse().unwrap_or(f64::INFINITY);
    mismatches.sort_by(|a, b| size(b).total_cmp(&size(a)));
}
