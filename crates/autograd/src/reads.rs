//! The reading of a rule as the set of values that it looks at: what a tape has to keep.

use std::mem::{Discriminant, discriminant};

use retrograde_tensor::Shape;

use crate::op::Op;
use crate::rules::cotangent;
use crate::value::Value;

/// The inputs and the output that a rule has read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reads {
    shape: Shape,
    set: u8,
}

impl Reads {
    /// Inputs from this one on are read alike: operations of more operands treat them all the same.
    const TOLD_APART: usize = 3;
    const OUTPUT: u8 = 1 << Self::TOLD_APART;

    /// Nothing read.
    pub(crate) fn none(shape: Shape) -> Self {
        Reads { shape, set: 0 }
    }

    /// What either has read.
    pub(crate) fn and(self, other: Self) -> Self {
        Reads { shape: self.shape, set: self.set | other.set }
    }

    /// Whether the output is read.
    pub(crate) fn output(self) -> bool {
        self.set & Self::OUTPUT != 0
    }

    /// Whether input `i` is read.
    pub(crate) fn input(self, i: usize) -> bool {
        self.set & 1 << i.min(Self::TOLD_APART - 1) != 0
    }

    /// What the rule of input `i` of `op` reads, or `None` where there is no derivative.
    fn of(op: &Op, i: usize, shapes: &[Shape], output: Shape) -> Option<u8> {
        let x: Vec<Reads> = (0..)
            .zip(shapes)
            .map(|(j, &shape)| Reads { shape, set: 1 << j.min(Self::TOLD_APART - 1) })
            .collect();
        let y = Reads { shape: output, set: Self::OUTPUT };
        let g = Reads { shape: output, set: 0 };
        cotangent(op, i, &x, &y, &g).map(|read| read.set)
    }
}

impl Value for Reads {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn apply(op: Op, x: &[&Self]) -> Self {
        let shapes: Vec<Shape> = x.iter().map(|x| x.shape).collect();
        let shape = op.shape(&shapes).expect("rules fit the shapes that were recorded");
        Reads { shape, set: x.iter().fold(0, |set, x| set | x.set) }
    }
}

/// What each rule reads, found at the first use of its operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadsOf {
    known: Vec<(Discriminant<Op>, [Option<Read>; Reads::TOLD_APART])>,
}

/// The set that a rule reads, or `None` where there is no derivative.
type Read = Option<u8>;

impl ReadsOf {
    /// What the rule of input `i` of `op` reads, or `None` where there is no derivative; a rule reads the same
    /// whatever the shapes and attributes.
    pub(crate) fn of(&mut self, op: &Op, i: usize, shapes: &[Shape], output: Shape) -> Option<Reads> {
        let kind = discriminant(op);
        let at = self.known.iter().position(|(known, _)| *known == kind).unwrap_or_else(|| {
            self.known.push((kind, [None; Reads::TOLD_APART]));
            self.known.len() - 1
        });
        let known = &mut self.known[at].1[i.min(Reads::TOLD_APART - 1)];
        let set = (*known.get_or_insert_with(|| Reads::of(op, i, shapes, output)))?;
        Some(Reads { shape: output, set })
    }
}
