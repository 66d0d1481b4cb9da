//! Part 2: the same over several steps that share their weights, where the sums over time appear.

use retrograde::prelude::*;
use retrograde_examples::formulas;
use retrograde_examples::{Findings, Result, Screen};
use serde_json::json;

use crate::step::lines;

const STEPS: usize = 3;

/// Records three steps and compares what is derived with what the textbook's loop over time does.
pub(crate) fn run(screen: &mut Screen, findings: &mut Findings) -> Result<()> {
    let [n, d, h] = [2, 3, 4];
    let tape = Tape::<f64>::new();
    let wx = tape.var(Tensor::zeros([d, h])).named("Wx");
    let wh = tape.var(Tensor::zeros([h, h])).named("Wh");
    let b = tape.var(Tensor::zeros([h])).named("b");
    let xs = tape.var(Tensor::zeros([n, STEPS, d])).named("xs");
    let mut h_prev = tape.var(Tensor::zeros([n, h])).named("h_prev");

    let mut hs = Vec::new();
    for step in 0..STEPS {
        tape.set_step(Some(step)); // a name given now is printed with its step: h_0, h_1, ..
        let x = xs.select(1, step).named("x"); // [N, D]
        let t = (h_prev.matmul(&wh) + x.matmul(&wx) + &b).named("t");
        h_prev = t.tanh().named("h");
        hs.push(h_prev.clone());
    }
    tape.set_step(None);
    let hs = Var::stack(&hs, 1).named("hs"); // [N, T, H]

    let pairs = formulas::pair(&hs.derivation()?, &by_hand());

    screen.part(2, "Three steps, one set of weights")?;
    screen.line("  Derived from the tape, each line compared with the textbook's loop over time:")?;
    screen.line("")?;
    screen.lines(formulas::below(&pairs, screen))?;

    findings.record("unrolled", json!({ "steps": STEPS, "lines": lines(&pairs) }));
    formulas::judge("unrolled", &pairs, findings);
    Ok(())
}

/// The textbook's backward pass over time, written out: the loop runs backwards, `dh` from step `t + 1`
/// is added to `dhs[:, t]`, and the weights' gradients of all steps are summed.
///
/// # Source
/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 5.3.2.
fn by_hand() -> Vec<String> {
    let mut lines = Vec::new();
    let [mut db, mut dwh, mut dwx, mut dxs] = [const { Vec::new() }; 4];
    for t in (0..STEPS).rev() {
        let h_prev = if t == 0 { "h_prev".to_owned() } else { format!("h_{}", t - 1) };
        let from_later = if t == STEPS - 1 { String::new() } else { format!(" + dt_{}·Whᵀ", t + 1) };
        lines.push(format!("dh_{t} = dhs[:, {t}]{from_later}"));
        lines.push(format!("dt_{t} = dh_{t} ⊙ (1 - h_{t}²)"));
        lines.push(format!("dx_{t} = dt_{t}·Wxᵀ"));
        db.push(format!("Σₙ dt_{t}"));
        dwh.push(format!("{h_prev}ᵀ·dt_{t}"));
        dwx.push(format!("x_{t}ᵀ·dt_{t}"));
        dxs.push(format!("place(dx_{t}, [:, {t}])"));
    }
    lines.push("dh_prev = dt_0·Whᵀ".to_owned());
    for (name, terms) in [("db", db), ("dWh", dwh), ("dWx", dwx), ("dxs", dxs)] {
        lines.push(format!("{name} = {}", terms.join(" + ")));
    }
    lines
}
