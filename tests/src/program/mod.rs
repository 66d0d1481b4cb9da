//! Random programs on a tape: operations of every kind on tensors of odd shapes, made from bytes, so that a fuzzer and a
//! seeded loop share them.
//!
//! `make` chooses the steps, `check` compares everything that can be read off the tape.

mod check;
mod make;

use retrograde_autograd::{Op, Param, Tape, Var};
use retrograde_tensor::Tensor;

#[allow(unused_imports, reason = "a fuzzer only looks for panics")]
pub use check::Compared;

/// A program: inputs, operations on them and on each other, and cotangents of its outputs.
#[derive(Clone, Debug)]
pub struct Program {
    inputs: Vec<Input>,
    steps: Vec<Step>,
    /// The outputs, by place among inputs and results, each with a cotangent.
    outputs: Vec<(usize, Tensor<f64>)>,
    /// The direction of each input in which derivatives are taken.
    directions: Vec<Tensor<f64>>,
}

#[derive(Clone, Debug)]
struct Input {
    kind: Kind,
    /// Maybe a view.
    value: Tensor<f64>,
    /// Whether the value is one number for the whole of axis 0.
    spread: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Variable,
    Parameter,
    Constant,
}

/// An operation on inputs and results of earlier steps, by their places.
#[derive(Clone, Debug)]
struct Step {
    op: Op,
    operands: Vec<usize>,
    /// Whether a segment that is computed again may begin here.
    cut: bool,
}

/// A program on a tape.
struct Recorded<'t> {
    inputs: Vec<Var<'t, f64>>,
    outputs: Vec<Var<'t, f64>>,
}

impl Program {
    /// The names of the operations, in order.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.steps.iter().map(|step| step.op.name())
    }

    fn values(&self) -> Vec<Tensor<f64>> {
        self.inputs.iter().map(|input| input.value.clone()).collect()
    }

    /// Records the program for values of the inputs; every other stretch between cuts as a segment, if asked to.
    fn record<'t>(&self, tape: &'t Tape<f64>, values: &[Tensor<f64>], segments: bool) -> Recorded<'t> {
        let input = |(input, value): (&Input, &Tensor<f64>)| match input.kind {
            Kind::Variable => tape.var(value.clone()),
            Kind::Parameter => tape.param(&Param::new("w", value.clone())),
            Kind::Constant => tape.constant(value.clone()),
        };
        let inputs: Vec<_> = self.inputs.iter().zip(values).map(input).collect();
        let mut all = inputs.clone();
        for (i, stretch) in self.steps.chunk_by(|_, next| !next.cut).enumerate() {
            let mut run = || {
                for step in stretch {
                    let x: Vec<_> = step.operands.iter().map(|&place| &all[place]).collect();
                    let y = tape.apply(step.op.clone(), &x).expect("the steps were tried");
                    all.push(y);
                }
            };
            if segments && i % 2 == 0 { tape.recompute(run) } else { run() }
        }
        let outputs = self.outputs.iter().map(|&(place, _)| all[place].clone()).collect();
        Recorded { inputs, outputs }
    }
}
