//! The reading of a rule as the set of values that it looks at: what a tape has to keep.

use std::mem::{Discriminant, discriminant};

use retrograde_tensor::Shape;

use crate::op::{Op, Unary};
use crate::rules::cotangent;
use crate::value::Value;

/// A set of inputs, and the output or not.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Read(u8);

impl Read {
    /// Inputs from this one on are read alike: operations of more operands treat them all the same.
    const TOLD_APART: usize = 3;
    const OUTPUT: Read = Read(1 << Self::TOLD_APART);
    /// Every input and the output.
    pub(crate) const ALL: Read = Read((2 << Self::TOLD_APART) - 1);

    fn of_input(i: usize) -> Self {
        Read(1 << i.min(Self::TOLD_APART - 1))
    }

    /// What either has read.
    pub(crate) fn and(self, other: Self) -> Self {
        Read(self.0 | other.0)
    }

    /// Whether the output is read.
    pub(crate) fn output(self) -> bool {
        self.0 & Self::OUTPUT.0 != 0
    }

    /// Whether input `i` is read.
    pub(crate) fn input(self, i: usize) -> bool {
        self.0 & Self::of_input(i).0 != 0
    }
}

/// What a value was made of.
#[derive(Clone, Copy)]
struct Reads {
    shape: Shape,
    read: Read,
}

impl Value for Reads {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn apply(op: Op, x: &[&Self]) -> Self {
        let shapes: Vec<Shape> = x.iter().map(|x| x.shape).collect();
        let shape = op.shape(&shapes).expect("rules fit the shapes that were recorded");
        Reads { shape, read: x.iter().fold(Read::default(), |read, x| read.and(x.read)) }
    }
}

/// What the rule of input `i` of `op` reads, or `None` where there is no derivative.
fn reads(op: &Op, i: usize, shapes: &[Shape], output: Shape) -> Option<Read> {
    let x: Vec<Reads> =
        (0..).zip(shapes).map(|(j, &shape)| Reads { shape, read: Read::of_input(j) }).collect();
    let y = Reads { shape: output, read: Read::OUTPUT };
    let g = Reads { shape: output, read: Read::default() };
    cotangent(op, i, &x, &y, &g).map(|d| d.read)
}

/// What each rule reads, found at the first use of its operation.
#[derive(Clone, Debug, Default)]
pub(crate) struct ReadsOf {
    known: Vec<(Kind, Rules)>,
}

/// An operation but for its attributes.
type Kind = (Discriminant<Op>, Option<Unary>);

/// What the rules of an operation read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules([Option<Read>; Read::TOLD_APART]);

impl Rules {
    /// What the rule of input `i` reads, or `None` where there is no derivative.
    pub(crate) fn of_input(&self, i: usize) -> Option<Read> {
        self.0[i.min(Read::TOLD_APART - 1)]
    }
}

impl ReadsOf {
    /// What the rules of `op` read; they read the same whatever the shapes and attributes.
    pub(crate) fn of(&mut self, op: &Op, shapes: &[Shape], output: Shape) -> Rules {
        let function = if let Op::Unary(function) = op { Some(*function) } else { None };
        let kind = (discriminant(op), function);
        if let Some((_, rules)) = self.known.iter().find(|(known, _)| *known == kind) {
            return *rules;
        }
        // Where there are fewer inputs this time, the last is like those that there may be another time.
        let rules = Rules(std::array::from_fn(|i| reads(op, i.min(shapes.len() - 1), shapes, output)));
        self.known.push((kind, rules));
        rules
    }
}
