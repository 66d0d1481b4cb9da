//! Part 4: how the gradient's norm changes on its way back through time. Three ruler lines, of which the factor of each
//! step is known, beside what recurrent networks do.

use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::nn::{Tree, init};
use retrograde::prelude::*;
use retrograde_examples::chart;
use retrograde_examples::figure::{Curve, Figure, Scale, Stroke};
use retrograde_examples::table::{Align, Table};
use retrograde_examples::{Findings, Result, Screen, svg};
use serde_json::{Value, json};

use crate::model::CharModel;

/// The number of steps back.
pub(crate) const STEPS: usize = 60;
const HIDDEN: usize = 32;
/// The rulers: `Wh` is a random orthogonal matrix times this, and the states are so small that `1 - h²` is 1.
const RULERS: [f64; 3] = [1.1, 1.0, 0.9];

/// Follows the gradient along the rulers, through an RNN and an LSTM that have learned nothing, and through the model that
/// has been trained on these characters.
pub(crate) fn run(
    seed: u64,
    trained: (&CharModel<f32>, &[usize]),
    out: &Path,
    screen: &mut Screen,
    findings: &mut Findings,
) -> Result<()> {
    let mut curves: Vec<(String, Option<f64>, Vec<f64>)> = Vec::new();
    for gain in RULERS {
        curves.push((format!("ruler {gain:.1}"), Some(gain), ruler(gain, seed)?));
    }
    let mut rng = StdRng::seed_from_u64(seed);
    let inputs: Vec<Tensor<f64>> = (0..STEPS)
        .map(|_| Tensor::normal([1, HIDDEN], 0.0, 1.0, &mut rng))
        .collect::<std::result::Result<_, _>>()?;
    let rnn = RnnCell::new(HIDDEN, HIDDEN, &mut rng);
    let lstm = LstmCell::new(HIDDEN, HIDDEN, &mut rng);
    curves.push(("RNN, untrained".to_owned(), None, follow(&rnn, &inputs, &mut rng)?));
    curves.push(("LSTM, untrained".to_owned(), None, follow(&lstm, &inputs, &mut rng)?));
    let (model, text) = trained;
    let ids: Vec<usize> = text.iter().copied().cycle().take(STEPS).collect();
    let inputs = model.vectors(&ids)?;
    curves.push(("RNN, trained".to_owned(), None, follow(model.cell(), &inputs, &mut rng)?));

    let mut table = Table::new(&[
        ("", Align::Left),
        ("after 20 steps", Align::Right),
        ("after 60 steps", Align::Right),
        ("factor per step", Align::Right),
    ]);
    let (mut rulers, mut networks): (Vec<Value>, Vec<Value>) = (Vec::new(), Vec::new());
    for (name, gain, norms) in &curves {
        let relative = |back: usize| norms[back] / norms[0];
        let factor = relative(STEPS).powf(1.0 / STEPS as f64);
        table.row([
            name.clone(),
            format!("{:.2e}", relative(20)),
            format!("{:.2e}", relative(STEPS)),
            format!("{factor:.3}"),
        ]);
        let row = json!({
            "name": name,
            "gain": gain,
            "norms": norms,
            "after_20_steps": relative(20),
            "after_60_steps": relative(STEPS),
            "factor_per_step": factor,
        });
        if gain.is_some() { rulers.push(row) } else { networks.push(row) }
    }
    let figure = Figure {
        title: "How far back the gradient reaches".to_owned(),
        x: "steps back from the loss".to_owned(),
        y: "norm of the state's gradient, relative to the last step".to_owned(),
        scale: Scale::Log,
        curves: curves
            .into_iter()
            .map(|(name, gain, norms)| Curve {
                name,
                points: norms.iter().enumerate().map(|(back, norm)| (back as f64, norm / norms[0])).collect(),
                stroke: if gain.is_some() { Stroke::Pale } else { Stroke::Bold },
            })
            .collect(),
    };
    let path = out.join("gradient_norms.svg");
    svg::write(&figure, &path)?;

    screen.part(4, "The gradient's way back through time")?;
    screen.lines(chart::lines(&figure, screen))?;
    screen.line("")?;
    screen.lines(table.lines(screen))?;
    screen.line("")?;
    screen.line("  The rulers are no networks: their Wh is orthogonal, times 1.1, 1.0 or 0.9, and")?;
    screen.line("  their inputs are so small that 1 - h² is 1. What Wh does is seen alone. The")?;
    screen.line("  others are networks with inputs of size 1, two of them with random weights.")?;
    screen.line("  The trained one is that of part 5, on its text; for the LSTM, h and c count.")?;
    screen.line("")?;
    screen.line(format!("  Figure: {}", path.display()))?;
    findings.record(
        "norms",
        json!({ "steps": STEPS, "rulers": rulers, "networks": networks, "figure": path.display().to_string() }),
    );
    Ok(())
}

/// The norms along a ruler.
///
/// # Source
/// Y. Bengio, P. Simard and P. Frasconi, *Learning long-term dependencies with gradient descent is difficult* (1994).
fn ruler(gain: f64, seed: u64) -> Result<Vec<f64>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let wh = init::orthogonal([HIDDEN, HIDDEN], &mut rng) * gain;
    let wx = Tensor::normal([HIDDEN, HIDDEN], 0.0, 1e-5, &mut rng)?;
    let cell = RnnCell::<f64>::from_arrays(wx, wh, Tensor::zeros([HIDDEN]))?;
    let inputs: Vec<Tensor<f64>> = (0..STEPS)
        .map(|_| Tensor::normal([1, HIDDEN], 0.0, 1.0, &mut rng))
        .collect::<std::result::Result<_, _>>()?;
    follow(&cell, &inputs, &mut rng)
}

/// The norm of the gradient of each state, from the last, where the loss is, back to the first. One step back multiplies
/// the gradient by `Whᵀ` and by `1 - h²`.
fn follow<E: Float, C: Cell<E>>(cell: &C, inputs: &[Tensor<E>], rng: &mut StdRng) -> Result<Vec<f64>> {
    let tape = Tape::new();
    let mut state = cell.initial_state(1).on(&tape);
    let mut states: Vec<Vec<Var<'_, E>>> = Vec::new();
    states.push(kept(&state));
    cell.prepare(&tape);
    let mut h = None;
    for x in inputs {
        let x = cell.project(&tape.constant(x.clone()));
        state = cell.step(&x, &state);
        states.push(kept(&state));
        h = Some(cell.output(&x, &state));
    }
    let h = h.expect("a step");
    let dh = Tensor::<f64>::normal(h.shape(), 0.0, 1.0, rng)?.map(E::from_f64);
    let grads = h.backward_with(&dh)?;
    let square =
        |part: &Var<'_, E>| grads.get(part).map_or(0.0, |d| d.iter().map(|d| d.to_f64().powi(2)).sum());
    Ok(states.iter().rev().map(|state| state.iter().map(square).sum::<f64>().sqrt()).collect())
}

/// The variables of a state, whose gradients are kept.
fn kept<'t, E: Float>(state: &impl Tree<Var<'t, E>>) -> Vec<Var<'t, E>> {
    state.leaves().into_iter().map(|part| part.clone().retain_grad()).collect()
}
