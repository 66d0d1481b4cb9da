//! The reading of a rule as the set of values that it looks at: what a tape has to save for the backward pass.

use std::sync::OnceLock;

use retrograde_tensor::Shape;

use crate::op::Op;
use crate::rules::cotangent;
use crate::value::Value;

/// A set of inputs, and the output or not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct SavedSet(u8);

impl SavedSet {
    /// Inputs from this one on share a bit: operations of more operands treat them all the same.
    const TOLD_APART: usize = 3;
    const OUTPUT: SavedSet = SavedSet(1 << Self::TOLD_APART);
    /// Every input and the output.
    pub(crate) const ALL: SavedSet = SavedSet((2 << Self::TOLD_APART) - 1);

    fn of_input(i: usize) -> Self {
        SavedSet(1 << i.min(Self::TOLD_APART - 1))
    }

    /// The union of two sets.
    pub(crate) fn and(self, other: Self) -> Self {
        SavedSet(self.0 | other.0)
    }

    /// Whether the output is in the set.
    pub(crate) fn output(self) -> bool {
        self.0 & Self::OUTPUT.0 != 0
    }

    /// Whether an input is in the set.
    pub(crate) fn any_input(self) -> bool {
        self.0 & !Self::OUTPUT.0 != 0
    }

    /// Whether input `i` is in the set.
    pub(crate) fn input(self, i: usize) -> bool {
        self.0 & Self::of_input(i).0 != 0
    }
}

/// A shape, and the set of what was read to compute a value of it.
#[derive(Clone, Copy)]
struct Traced {
    shape: Shape,
    read: SavedSet,
}

impl Value for Traced {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn apply(op: Op, x: &[&Self]) -> Self {
        let shapes: Vec<Shape> = x.iter().map(|x| x.shape).collect();
        let shape = op.shape(&shapes).expect("rules fit the shapes that were recorded");
        Traced { shape, read: x.iter().fold(SavedSet::default(), |read, x| read.and(x.read)) }
    }
}

/// The values that the rule of input `i` of `op` reads, or `None` where there is no derivative.
fn trace(op: &Op, i: usize, shapes: &[Shape], output: Shape) -> Option<SavedSet> {
    let x: Vec<Traced> =
        (0..).zip(shapes).map(|(j, &shape)| Traced { shape, read: SavedSet::of_input(j) }).collect();
    let y = Traced { shape: output, read: SavedSet::OUTPUT };
    let g = Traced { shape: output, read: SavedSet::default() };
    cotangent(op, i, &x, &y, &g).map(|d| d.read)
}

/// The saved sets of the rules of all inputs of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OpSets([Option<SavedSet>; SavedSet::TOLD_APART]);

impl OpSets {
    /// The values that the rule of input `i` reads, or `None` where there is no derivative.
    pub(crate) fn of_input(&self, i: usize) -> Option<SavedSet> {
        self.0[i.min(SavedSet::TOLD_APART - 1)]
    }
}

/// The saved sets of `op` on operands of shapes `x`. They are the same whatever the shapes and attributes, so they are
/// found at the first use of each kind of operation, whichever the tape.
///
/// The table is a cache of a pure function: no program can tell whether a set was in it. A table in each tape would be filled
/// again at every training step.
pub(crate) fn saved_sets(op: &Op, x: impl FnOnce() -> Vec<Shape>, output: Shape) -> OpSets {
    static KNOWN: [OnceLock<OpSets>; Op::KINDS] = [const { OnceLock::new() }; Op::KINDS];
    *KNOWN[op.kind()].get_or_init(|| {
        let x = x();
        // Another use may have more inputs, which are like the last of these.
        OpSets(std::array::from_fn(|i| trace(op, i.min(x.len() - 1), &x, output)))
    })
}
