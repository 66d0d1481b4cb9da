//! A pass put to the checker, without the checker's guesses.

use std::panic::{AssertUnwindSafe, catch_unwind};

use retrograde::autograd::{Tape, Var};
use retrograde::check::{BoxError, Check, Error, Named, Report};
use retrograde::tensor::Tensor;

use crate::forecaster::{self, Training};
use crate::problem::{Problem, Sizes};
use crate::table::{Exercise, Pass};

/// N, T, D and H: all different; one example; one step; all the same; one feature; one unit.
pub(crate) const SIZES: [Sizes; 6] =
    [[2, 5, 3, 4], [1, 4, 2, 3], [3, 1, 2, 4], [3, 3, 3, 3], [4, 3, 1, 2], [2, 3, 2, 1]];

/// A check at some sizes.
pub(crate) enum Outcome {
    Right,
    Wrong(Box<Report>),
    /// An operation refused its operands, or the checker the pass.
    Stopped(String),
}

impl Exercise {
    /// Checks a pass at some sizes. Without noise, masks leave everything through.
    pub(crate) fn outcome(&self, pass: Pass, sizes: Sizes, noise: bool) -> Outcome {
        match report(self.problem, pass, sizes, noise) {
            Err(Error::Forward { source: error, .. } | Error::Backward { source: error, .. }) => {
                Outcome::Stopped(error.to_string())
            }
            Err(error) => Outcome::Stopped(error.to_string()),
            Ok(report) if report.is_ok() => Outcome::Right,
            Ok(report) => Outcome::Wrong(Box::new(report)),
        }
    }

    /// Trains a forecaster by a pass by hand, if that belongs to the exercise and the pass does not stop.
    pub(crate) fn training(&self, pass: Pass) -> Option<Training> {
        let (Some(clip), Pass::Hand(backward)) = (self.trained, pass) else { return None };
        catch_unwind(|| forecaster::train(backward, clip)).ok()
    }

    /// Whether a pass is right at all sizes.
    pub(crate) fn is_right(&self, pass: Pass) -> bool {
        SIZES.into_iter().all(|sizes| matches!(self.outcome(pass, sizes, true), Outcome::Right))
    }
}

fn report(problem: Problem, pass: Pass, sizes: Sizes, noise: bool) -> Result<Report, Error> {
    let data = problem.data(sizes, noise);
    let mut check = Check::new().seed(11);
    for (name, value) in data.inputs.iter() {
        check = check.input(name, value.clone());
        if name == "xs" {
            check = check.time_axis("xs", 1);
        }
    }
    match pass {
        Pass::Hand(backward) => check.compare(
            |tape, x| Ok(run(problem, tape, x.clone(), &data.constants).0),
            |x, dy| {
                let tape = Tape::new();
                let inputs = x.iter().map(|(name, value)| (name, tape.constant(value.clone()))).collect();
                let (_, all) = run(problem, &tape, inputs, &data.constants);
                let all: Named<Tensor<f64>> =
                    all.iter().map(|(name, var)| (name, var.value().clone())).collect();
                attempt(|| backward(&all, dy))
            },
        ),
        Pass::Tape(forward) => check.run(|tape, x| {
            let found = attempt(|| forward(tape, x))?;
            let (expected, _) = run(problem, tape, x.clone(), &data.constants);
            for (name, expected) in expected.iter() {
                let found = found.get(name)?.value();
                if found.shape() != expected.shape()
                    || found.allclose(expected.value(), 1e-12, 1e-12).is_err()
                {
                    return Err(format!("{name}: expected the value of the formula, found another").into());
                }
            }
            Ok(found)
        }),
    }
}

/// The outputs of the forward pass; and all that a backward pass may read, by name.
fn run<'t>(
    problem: Problem,
    tape: &'t Tape<f64>,
    inputs: Named<Var<'t, f64>>,
    constants: &Named<Tensor<f64>>,
) -> (Named<Var<'t, f64>>, Named<Var<'t, f64>>) {
    let constants = constants.iter().map(|(name, value)| (name.to_owned(), tape.constant(value.clone())));
    let read: Named<Var<'t, f64>> = inputs.into_iter().chain(constants).collect();
    let (outputs, kept) = problem.forward(&read);
    (outputs, read.into_iter().chain(kept).collect())
}

/// Turns a panic into an error with its message.
fn attempt<R>(run: impl FnOnce() -> R) -> Result<R, BoxError> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|payload| {
        let text = payload.downcast_ref::<String>().map(String::as_str);
        text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or("a panic without words").into()
    })
}
