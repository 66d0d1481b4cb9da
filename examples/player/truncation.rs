//! Truncated backpropagation through time: the shares of `dWh` that it keeps.

use retrograde::prelude::*;
use retrograde_examples::Result;

use crate::problem::Problem;

/// The gradient of a pass that is cut at the end of each window of steps, counted from the last.
#[derive(Clone, Debug)]
pub(crate) struct Truncation {
    pub(crate) window: usize,
    /// The norm of the share of `dWh` of each step.
    pub(crate) norms: Vec<f64>,
    /// The distance from the whole gradient, relative to its norm.
    pub(crate) error: f64,
}

/// A truncation for each window from 1 step to all of them: each is recorded with its states taken off the tape.
pub(crate) fn truncations(problem: &Problem) -> Result<Vec<Truncation>> {
    let steps = problem.steps;
    let (_, whole) = shares(problem, steps)?;
    let truncation = |window: usize| {
        let (norms, sum) = shares(problem, window)?;
        Ok(Truncation { window, norms, error: norm(&(&sum - &whole)) / norm(&whole).max(f64::MIN_POSITIVE) })
    };
    (1..=steps).map(truncation).collect()
}

/// The norms of the shares of `dWh`, and their sum.
fn shares(problem: &Problem, window: usize) -> Result<(Vec<f64>, Tensor<f64>)> {
    let tape = Tape::new();
    let cut = |step: usize| step > 0 && (problem.steps - step).is_multiple_of(window);
    let unrolled = problem.unroll(&tape, cut);
    let mut norms = vec![0.0; problem.steps];
    let gradients = tape.backward_observed(&[(&unrolled.root, &unrolled.seed)], |visit| {
        if Some(visit.node) == unrolled.wh.id() {
            for term in visit.terms {
                let step = term.from.and_then(|(user, _)| tape.node(user)).and_then(|user| user.step);
                norms[step.expect("each use of Wh belongs to a step")] = norm(&term.value);
            }
        }
    })?;
    let sum = gradients.get(&unrolled.wh).cloned();
    Ok((norms, sum.unwrap_or_else(|| Tensor::zeros(problem.wh.shape()))))
}

/// The root of the sum of the squares.
pub(crate) fn norm(x: &Tensor<f64>) -> f64 {
    x.to_vec().iter().map(|x| x * x).sum::<f64>().sqrt()
}
