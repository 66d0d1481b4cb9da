//! Part 4: how the gradient's norm changes on its way back through time.

use std::path::Path;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::nn::init;
use retrograde::prelude::*;
use retrograde_examples::chart;
use retrograde_examples::figure::{Curve, Figure, Scale, Stroke};
use retrograde_examples::table::{Align, Table};
use retrograde_examples::{Findings, Result, Screen, svg};
use serde_json::{Value, json};

const STEPS: usize = 60;
const HIDDEN: usize = 32;
/// `Wh` is a random orthogonal matrix times this.
const KINDS: [(&str, f64); 3] = [("expanding", 1.1), ("orthogonal", 1.0), ("contracting", 0.9)];

/// Follows the gradient for three kinds of `Wh`, as a chart, a table and a figure.
pub(crate) fn run(seed: u64, out: &Path, screen: &mut Screen, findings: &mut Findings) -> Result<()> {
    let norms = KINDS.map(|(_, gain)| gradient_norms(gain, seed));
    let mut curves = Vec::new();
    let mut table = Table::new(&[
        ("Wh", Align::Left),
        ("gain", Align::Right),
        ("after 20 steps", Align::Right),
        ("after 60 steps", Align::Right),
        ("factor a step", Align::Right),
    ]);
    let mut numbers: Vec<Value> = Vec::new();
    for ((name, gain), norms) in KINDS.into_iter().zip(norms) {
        let norms = norms?;
        let relative = |back: usize| norms[back] / norms[0];
        let factor = relative(STEPS).powf(1.0 / STEPS as f64);
        table.row([
            name.to_owned(),
            format!("{gain:.1}"),
            format!("{:.2e}", relative(20)),
            format!("{:.2e}", relative(STEPS)),
            format!("{factor:.3}"),
        ]);
        numbers.push(json!({
            "wh": name,
            "gain": gain,
            "norms": norms,
            "after_20_steps": relative(20),
            "after_60_steps": relative(STEPS),
            "factor_a_step": factor,
        }));
        curves.push(Curve {
            name: format!("{name} {gain:.1}"),
            points: (0..=STEPS).map(|back| (back as f64, relative(back))).collect(),
            stroke: Stroke::Bold,
        });
    }
    let figure = Figure {
        title: "How far back the gradient reaches, by the gain of Wh".to_owned(),
        x: "steps back from the loss".to_owned(),
        y: "‖dL/dh‖, relative to the last step".to_owned(),
        scale: Scale::Log,
        curves,
    };
    let path = out.join("gradient_norms.svg");
    svg::write(&figure, &path)?;

    screen.part(4, "The gradient's way back through time")?;
    screen.lines(chart::lines(&figure, screen))?;
    screen.line("")?;
    screen.lines(table.lines(screen))?;
    screen.line("")?;
    screen.line(format!("  Figure: {}", path.display()))?;
    findings
        .record("norms", json!({ "steps": STEPS, "kinds": numbers, "figure": path.display().to_string() }));
    Ok(())
}

/// `‖dL/dh_t‖` from the last state, where the loss is, back to the first.
///
/// One step back multiplies the gradient by `Whᵀ` and by `1 - h²`. Small inputs keep the states small, so that
/// `1 - h²` is nearly 1 and what `Wh` does to the gradient is seen alone.
///
/// # Source
/// Y. Bengio, P. Simard and P. Frasconi, *Learning long-term dependencies with gradient descent is difficult* (1994).
fn gradient_norms(gain: f64, seed: u64) -> Result<Vec<f64>> {
    let mut rng = StdRng::seed_from_u64(seed);
    let wh = init::orthogonal([HIDDEN, HIDDEN], &mut rng) * gain;
    let wx = Tensor::normal([HIDDEN, HIDDEN], 0.0, 1e-5, &mut rng)?;
    let cell = RnnCell::from_arrays(wx, wh, Tensor::zeros([HIDDEN]))?;

    let tape = Tape::<f64>::new();
    let mut h = tape.var(Tensor::zeros([1, HIDDEN]));
    let mut states = vec![h.clone()];
    for _ in 0..STEPS {
        let x = tape.constant(Tensor::normal([1, HIDDEN], 0.0, 1.0, &mut rng)?);
        h = cell.step(&cell.project(&x), &h).retain_grad(); // keeps dL/dh_t
        states.push(h.clone());
    }
    let dh = Tensor::normal([1, HIDDEN], 0.0, 1.0, &mut rng)?;
    let grads = h.backward_with(&dh)?;
    let norm = |h: &Var<'_, f64>| grads.get(h).map_or(0.0, |dh| dh.square().sum().at(&[]).sqrt());
    Ok(states.iter().rev().map(norm).collect())
}
