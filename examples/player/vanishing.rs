//! The norm of the gradient on its way back, for an RNN and an LSTM on the same inputs.

use retrograde::prelude::*;
use retrograde_examples::Result;

use crate::problem::{Cell, Loss, Problem, Sizes};
use crate::truncation::norm;

/// Factors of the recurrent weights.
pub(crate) const GAINS: [f64; 7] = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0];
/// Factors of the inputs.
pub(crate) const INPUTS: [f64; 5] = [0.0, 0.25, 0.5, 1.0, 2.0];

/// The bias of the forget gate, which begins open: R. Jozefowicz, W. Zaremba and I. Sutskever (2015).
const FORGET_BIAS: f64 = 2.0;

/// One curve, by step.
#[derive(Clone, Debug)]
pub(crate) struct Curve {
    pub(crate) cell: Cell,
    pub(crate) gain: f64,
    pub(crate) input: f64,
    /// The norm of `dh_t`, where the loss reads the last state and `dh` of that has the norm 1.
    pub(crate) norms: Vec<f64>,
    /// The share of the squashed numbers (`t` of the RNN; f, g, i and o of the LSTM) that have lost over nine tenths of the
    /// slope that they have at 0.
    pub(crate) saturations: Vec<f64>,
}

/// A curve for each cell, gain and size of the inputs.
pub(crate) fn curves(steps: usize, sizes: Sizes, seed: u64) -> Result<Vec<Curve>> {
    let mut curves = Vec::new();
    for cell in [Cell::Rnn, Cell::Lstm] {
        // The same inputs and cotangent for both, of a seed each.
        let shared = Problem::new(Cell::Rnn, Loss::Last, steps, sizes, seed)?;
        let mut own = Problem::new(cell, Loss::Last, steps, sizes, seed)?;
        if cell == Cell::Lstm {
            let [open, rest] = [Tensor::ones([sizes.h]) * FORGET_BIAS, Tensor::zeros([3 * sizes.h])];
            own.b = own.b + Tensor::concat(&[&open, &rest], 0);
        }
        for gain in GAINS {
            for input in INPUTS {
                let dhs = &shared.dhs * (1.0 / norm(&shared.dhs.select(1, steps - 1)));
                let [xs, wh] = [&shared.xs * input, &own.wh * gain];
                let h_prev = shared.h_prev.clone();
                curves.push(curve(Problem { xs, wh, h_prev, dhs, ..own.clone() }, gain, input)?);
            }
        }
    }
    Ok(curves)
}

fn curve(problem: Problem, gain: f64, input: f64) -> Result<Curve> {
    let tape = Tape::new();
    let unrolled = problem.unroll(&tape, |_| false);
    let mut norms = vec![0.0; problem.steps];
    tape.backward_observed(&[(&unrolled.root, &unrolled.seed)], |visit| {
        if let Some(step) = unrolled.hs.iter().position(|h| h.id() == Some(visit.node)) {
            norms[step] = norm(visit.cotangent);
        }
    })?;
    let mut squashed = vec![Vec::new(); problem.steps];
    for node in tape.nodes() {
        let Some((name, step)) = node.name.as_deref().zip(node.step) else { continue };
        let Some(y) = node.value else { continue };
        let slope: fn(f64) -> f64 = match (problem.cell, name.split('_').next()) {
            (Cell::Rnn, Some("h")) | (Cell::Lstm, Some("g")) => |y| 1.0 - y * y,
            (Cell::Lstm, Some("f" | "i" | "o")) => |y| 4.0 * y * (1.0 - y),
            _ => continue,
        };
        squashed[step].extend(y.to_vec().into_iter().map(slope));
    }
    let share = |slopes: &Vec<f64>| {
        slopes.iter().filter(|&&slope| slope < 0.1).count() as f64 / slopes.len().max(1) as f64
    };
    let saturations = squashed.iter().map(share).collect();
    Ok(Curve { cell: problem.cell, gain, input, norms, saturations })
}
