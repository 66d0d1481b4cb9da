//! A program as instructions that languages write down.

use std::collections::{HashMap, HashSet};

use retrograde_tensor::Shape;

use crate::Expr;
use crate::language::Scope;

/// An instruction. Names are those of formulas.
pub(crate) enum Do {
    /// `x = formula`
    Let(String, Expr),
    /// `x = x + formula`
    Add(String, Expr),
    /// A variable that a loop will change.
    Var(String, Init),
    /// `x = other`
    Copy(String, String),
    /// `x = xs[:, step]`
    Entry(String, String, usize),
    /// `xs[:, step] += formula`
    AddEntry(String, usize, Expr),
    /// `x = xs[step]`, of a list
    Item(String, String),
    /// An empty list with a place for each step.
    List(String),
    /// `xs[step] = x`
    Put(String, String),
    /// The list as an array, side by side along an axis.
    Stack(String, usize),
    /// Keeps values of the step for the loop of that number in the backward pass.
    Keep(usize, Vec<String>),
    /// Takes them out.
    Restore(usize, Vec<String>),
    For {
        count: Count,
        /// Whether the last step is taken first.
        reversed: bool,
        body: Vec<Do>,
    },
}

/// The number of steps.
pub(crate) enum Count {
    /// The size of an array along an axis.
    Axis(String, usize),
    /// The length of a list.
    Length(String),
    /// The number that a loop has kept.
    Kept(usize),
    Fixed(usize),
}

/// The initial value of a variable.
pub(crate) enum Init {
    Zeros(String),
    Copy(String),
    /// The value that it has.
    Same,
}

/// Both passes.
pub(crate) struct Passes {
    pub(crate) params: Vec<String>,
    pub(crate) inputs: Vec<String>,
    /// The inputs that are lists with an item for each step.
    pub(crate) lists: HashSet<String>,
    pub(crate) outputs: Vec<String>,
    pub(crate) forward: Vec<Do>,
    /// The values that the backward pass needs, apart from those of steps, and the number of values of each step by loop.
    pub(crate) kept: Vec<String>,
    pub(crate) loops: Vec<Option<usize>>,
    /// The cotangents that the backward pass is given.
    pub(crate) given: Vec<String>,
    pub(crate) backward: Vec<Do>,
    /// The inputs that have a cotangent.
    pub(crate) tracked: Vec<String>,
    /// The shapes of inputs and outputs, by name.
    pub(crate) shapes: HashMap<String, Shape>,
}

impl Passes {
    /// The arrays that the forward pass takes sizes from: its inputs.
    pub(crate) fn forward_scope(&self) -> Scope {
        self.scope(self.inputs.iter().map(|name| (name.as_str(), name.as_str())))
    }

    /// The arrays that the backward pass takes sizes from: the cotangents that it is given, and inputs that are kept.
    pub(crate) fn backward_scope(&self) -> Scope {
        let given = self.given.iter().map(|name| (name.as_str(), &name[1..]));
        self.scope(given.chain(self.kept.iter().map(|name| (name.as_str(), name.as_str()))))
    }

    /// Arrays, each with the name of what has its shape.
    fn scope<'n>(&self, arrays: impl Iterator<Item = (&'n str, &'n str)>) -> Scope {
        let known = arrays.filter(|(name, _)| !self.lists.contains(*name));
        let known = known.filter_map(|(name, of)| Some((name.to_owned(), *self.shapes.get(of)?)));
        Scope { arrays: known.collect(), params: self.params.clone() }
    }
}

/// The name of the values that a loop keeps of each step, by its number among the parts.
pub(crate) fn steps(loops: &[Option<usize>], number: usize) -> String {
    match loops[..number].iter().flatten().count() {
        0 => "steps".to_owned(),
        before => format!("steps{}", before + 1),
    }
}
