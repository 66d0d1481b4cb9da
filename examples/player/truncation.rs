//! Truncated backpropagation through time: the shares of each gradient that it keeps.

use retrograde::prelude::*;
use retrograde_examples::Result;

use crate::problem::Problem;

/// The gradients of a pass that is cut at the end of each window of steps, counted from the last.
#[derive(Clone, Debug)]
pub(crate) struct Truncation {
    pub(crate) window: usize,
    /// `dWh`, `dWx` and `db`.
    pub(crate) gradients: [Truncated; 3],
}

/// A gradient of such a pass.
#[derive(Clone, Debug)]
pub(crate) struct Truncated {
    /// The norm of the share of each step.
    pub(crate) norms: Vec<f64>,
    /// The distance from the whole gradient, relative to its norm.
    pub(crate) error: f64,
}

/// A truncation for each window from 1 step to all of them: each is recorded with its states taken off the tape.
pub(crate) fn truncations(problem: &Problem) -> Result<Vec<Truncation>> {
    let whole = gradients(problem, problem.steps)?.map(|(_, sum)| sum);
    let truncation = |window: usize| {
        let mut whole = whole.iter();
        let gradients = gradients(problem, window)?.map(|(norms, sum)| {
            let whole = whole.next().expect("as many as there are parameters");
            Truncated { norms, error: norm(&(&sum - whole)) / norm(whole).max(f64::MIN_POSITIVE) }
        });
        Ok(Truncation { window, gradients })
    };
    (1..=problem.steps).map(truncation).collect()
}

/// The norms of the shares of each gradient, and their sum.
fn gradients(problem: &Problem, window: usize) -> Result<[(Vec<f64>, Tensor<f64>); 3]> {
    let tape = Tape::new();
    let cut = |step: usize| step > 0 && (problem.steps - step).is_multiple_of(window);
    let unrolled = problem.unroll(&tape, cut);
    let ids = unrolled.parameters.each_ref().map(Var::id);
    let mut norms = ids.map(|_| vec![0.0; problem.steps]);
    let gradients = tape.backward_observed(&[(&unrolled.root, &unrolled.seed)], |visit| {
        let Some(parameter) = ids.iter().position(|id| *id == Some(visit.node)) else { return };
        for term in visit.terms {
            let step = term.from.and_then(|(user, _)| tape.node(user)).and_then(|user| user.step);
            norms[parameter][step.expect("each use of a parameter belongs to a step")] = norm(&term.value);
        }
    })?;
    let mut norms = norms.into_iter();
    Ok(unrolled.parameters.map(|parameter| {
        let sum = gradients.get(&parameter).cloned();
        let norms = norms.next().expect("as many as there are parameters");
        (norms, sum.unwrap_or_else(|| Tensor::zeros(parameter.shape())))
    }))
}

/// The root of the sum of the squares.
pub(crate) fn norm(x: &Tensor<f64>) -> f64 {
    x.to_vec().iter().map(|x| x * x).sum::<f64>().sqrt()
}
