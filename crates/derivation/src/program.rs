//! A derivation in parts, as data: straight lines, and loops over time steps of the same operations.

use std::collections::HashMap;

use retrograde_tensor::Shape;

use crate::Line;
use crate::lines::ValueLine;

/// A forward and a backward pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Program {
    /// Matrices come before vectors, else in the order in which the tape met them.
    pub(crate) params: Vec<String>,
    /// The other inputs: their names, and whether they have a cotangent.
    pub(crate) inputs: Vec<(String, bool)>,
    /// The outputs by name, and whether the cotangent is given, or 1 as that of a loss.
    pub(crate) outputs: Vec<(String, bool)>,
    /// The shapes that inputs and outputs had when they were recorded, by name.
    pub(crate) shapes: HashMap<String, Shape>,
    /// In the order of execution.
    pub(crate) parts: Vec<Part>,
    /// A function with a backward pass of its own, of which there are no operations to write.
    pub(crate) function: Option<&'static str>,
}

/// Operations that are executed once, or once in each step.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Part {
    pub(crate) values: Vec<ValueLine>,
    /// In the order of the sweep.
    pub(crate) cotangents: Vec<Assignment>,
    pub(crate) repeat: Option<Repeat>,
}

/// `name = formula`, or `name += formula`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Assignment {
    pub(crate) line: Line,
    pub(crate) add: bool,
}

/// The frame of a loop.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Repeat {
    pub(crate) steps: usize,
    pub(crate) first: usize,
    pub(crate) reversed: bool,
    pub(crate) entries: Vec<Entry>,
    /// The inputs that each step has its own of: `x_t`, by the name `x` of all.
    pub(crate) each: Vec<(String, String)>,
    pub(crate) states: Vec<State>,
    pub(crate) stacks: Vec<Stack>,
}

/// An entry of a sequence, `x_t = xs[:, t]`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) axis: usize,
    /// Whether its cotangent is assigned, and if so, whether it is added to what there is.
    pub(crate) cotangent: Option<bool>,
}

/// A value that goes from step to step, or from the last one out of the loop.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct State {
    /// `h_t`
    pub(crate) name: String,
    /// `h_{t-1}` and the initial state, `h_prev`.
    pub(crate) before: Option<(String, String)>,
    /// The value after the last step, where that is read.
    pub(crate) last: Option<String>,
    /// `dh`, the cotangent that comes from the next step.
    pub(crate) carried: String,
    /// The cotangent of the value after the last step, where it has one.
    pub(crate) from: Option<String>,
    /// Whether the step hands a cotangent on.
    pub(crate) flows: bool,
    /// The cotangent of the initial state, if it has one, and whether it is added to what there is.
    pub(crate) into: Option<(String, bool)>,
}

/// The values of all steps side by side, `hs`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stack {
    pub(crate) name: String,
    pub(crate) of: String,
    pub(crate) axis: usize,
    /// Its cotangent of one step, `dhs[:, t]`, where it has one.
    pub(crate) cotangent: Option<String>,
}

impl Repeat {
    /// `[:, t]`
    pub(crate) fn slots(&self, axis: usize) -> String {
        let entry = if self.first == 0 { "t".to_owned() } else { format!("t-{}", self.first) };
        format!("[{}{entry}]", ":, ".repeat(axis))
    }
}
