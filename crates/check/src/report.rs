//! The findings of a check, as a value.

use crate::noise::Precision;
use crate::{Pattern, Taylor};

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

/// The findings of a check. It prints as a table, which is the same on every processor; `{:#}` gives each time step a
/// line, and numbers that are rounding too.
#[derive(Clone, Debug)]
#[must_use = "a report says nothing unless it is read: assert_ok()"]
pub struct Report {
    pub(crate) seed: u64,
    pub(crate) directions: usize,
    pub(crate) points: usize,
    /// Of finite differences, and of the exact oracles.
    pub(crate) tolerances: [f64; 2],
    pub(crate) runs: usize,
    pub(crate) outputs: Vec<String>,
    pub(crate) jacobian: Option<Jacobian>,
    pub(crate) precision: Option<Precision>,
    pub(crate) accuracy: Vec<Accuracy>,
    pub(crate) rows: Vec<Row>,
    pub(crate) mismatches: Vec<Mismatch>,
    pub(crate) kinks: Vec<Kink>,
    pub(crate) not_verifiable: Vec<NotVerifiable>,
    pub(crate) not_applicable: Vec<NotApplicable>,
    pub(crate) guesses: Vec<String>,
    pub(crate) cuts: Vec<String>,
    pub(crate) taylor: Vec<Taylor>,
    pub(crate) entries: Vec<Entry>,
}

impl Report {
    /// Whether there is no mismatch.
    pub fn is_ok(&self) -> bool {
        self.mismatches.is_empty()
    }

    /// Panics with the report unless there is no mismatch. What could not be verified does not count:
    /// [`assert_verified`](Self::assert_verified) asks for that too.
    ///
    /// # Panics
    /// If there is a mismatch.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.is_ok(), "{self}");
    }

    /// Panics with the report unless every element was verified.
    ///
    /// # Panics
    /// If there is a mismatch, or an element that was not verified: no output moves with it, no oracle resolves it, or
    /// there is a kink.
    #[track_caller]
    pub fn assert_verified(&self) {
        assert!(self.is_ok() && self.unverified() == 0, "{self}");
    }

    /// The number of elements that were not verified: no output moves with them, no oracle resolves them, or there is a
    /// kink.
    pub fn unverified(&self) -> usize {
        self.unverified_by_name().iter().map(|(_, elements)| elements).sum()
    }

    pub(crate) fn unverified_by_name(&self) -> Vec<(&str, usize)> {
        let mut by_name: Vec<(&str, usize)> = Vec::new();
        for row in self.rows.iter().filter(|row| row.verdict < Verdict::Mismatch) {
            let here = |name: &str, step: Option<usize>| *name == row.name && step == row.step;
            let silent = self.not_verifiable.iter().filter(|found| !found.adjoint);
            let silent = silent.filter(|found| here(&found.name, found.step)).map(|found| found.elements);
            let kinks = self.kinks.iter().filter(|kink| here(&kink.name, kink.step)).count();
            let elements = silent.max().unwrap_or(0).max(kinks);
            match by_name.last_mut() {
                _ if elements == 0 => {}
                Some((name, sum)) if *name == row.name => *sum += elements,
                _ => by_name.push((&row.name, elements)),
            }
        }
        by_name
    }

    /// The number of bits to which the forward pass was found to compute, where it is not that of a double.
    pub fn bits(&self) -> Option<u32> {
        self.precision.map(|precision| precision.bits)
    }

    /// The tensors whose gradient can be judged less exactly than others, since the derivative of an operation cancels.
    pub fn accuracy(&self) -> &[Accuracy] {
        &self.accuracy
    }

    /// Every mismatch, worst first.
    pub fn mismatches(&self) -> &[Mismatch] {
        &self.mismatches
    }

    /// Every kink that was met.
    pub fn kinks(&self) -> &[Kink] {
        &self.kinks
    }

    /// Every block that finite differences could not verify.
    pub fn not_verifiable(&self) -> &[NotVerifiable] {
        &self.not_verifiable
    }

    /// Every oracle that has nothing to say about a tensor.
    pub fn not_applicable(&self) -> &[NotApplicable] {
        &self.not_applicable
    }

    /// All blocks, in the order in which they were listed.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The full Jacobian, if it was compared.
    pub fn jacobian(&self) -> Option<Jacobian> {
        self.jacobian
    }

    /// Every entry of the Jacobian, row by row, if the check [keeps](crate::Check::keep_entries) them.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The Taylor table of each tensor, if the check was [asked](crate::Check::taylor) for them.
    pub fn taylor(&self) -> &[Taylor] {
        &self.taylor
    }

    /// Source lines where a value that depends on the inputs was recorded as a constant, so that no gradient flows.
    /// They are looked for where a gradient that the tape derives is wrong.
    pub fn cuts(&self) -> &[String] {
        &self.cuts
    }

    /// The seed of all random directions and cotangents.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The oracles that disagree with the gradient somewhere.
    pub fn caught_by(&self) -> Vec<Oracle> {
        let mut oracles: Vec<_> = self.mismatches.iter().flat_map(|found| found.oracles.clone()).collect();
        oracles.sort_unstable();
        oracles.dedup();
        oracles
    }

    /// The names of the tensors whose gradient is wrong, in the order in which they were listed.
    pub fn wrong(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
        names.dedup();
        names.retain(|name| self.mismatches.iter().any(|found| found.name == *name));
        names
    }

    /// The guess at what is wrong with the gradient of a tensor.
    pub fn pattern(&self, name: &str) -> Option<&Pattern> {
        self.mismatches.iter().find(|found| found.name == name)?.pattern.as_ref()
    }
}

/// Sorts by size, to three digits, so that equals keep their order whatever the rounding of a processor.
pub(crate) fn worst_first(mismatches: &mut [Mismatch]) {
    let size = |found: &Mismatch| format!("{:.2e}", found.relative).parse().unwrap_or(f64::INFINITY);
    mismatches.sort_by(|a, b| size(b).total_cmp(&size(a)));
}
