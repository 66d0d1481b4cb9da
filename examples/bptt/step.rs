//! Part 1: one step of an RNN, its tape, and the backward pass that is derived from it.

use retrograde::prelude::*;
use retrograde_examples::formulas::{self, Pair};
use retrograde_examples::{Findings, Result, Screen};
use serde_json::json;

/// The backward pass as the textbook derives it by hand: six lines.
///
/// # Source
/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 5.3.1.
const BY_HAND: [&str; 6] = [
    "dt = dh_next ⊙ (1 - h_next²)",
    "db = Σₙ dt",
    "dWh = h_prevᵀ·dt",
    "dh_prev = dt·Whᵀ",
    "dWx = xᵀ·dt",
    "dx = dt·Wxᵀ",
];

/// Records one step, prints its tape, and compares what is derived from it with the six lines.
pub(crate) fn run(screen: &mut Screen, findings: &mut Findings) -> Result<()> {
    let [n, d, h] = [2, 3, 4]; // sizes do not matter here, so long as they differ
    let tape = Tape::<f64>::new();
    let wx = tape.var(Tensor::zeros([d, h])).named("Wx");
    let wh = tape.var(Tensor::zeros([h, h])).named("Wh");
    let b = tape.var(Tensor::zeros([h])).named("b");
    let x = tape.var(Tensor::zeros([n, d])).named("x");
    let h_prev = tape.var(Tensor::zeros([n, h])).named("h_prev");

    let t = (h_prev.matmul(&wh) + x.matmul(&wx) + &b).named("t");
    let h_next = t.tanh().named("h_next");

    let pairs = formulas::pair(&h_next.derivation()?, &BY_HAND.map(str::to_owned));
    let printed = tape.to_string();

    screen.part(1, "One step")?;
    screen.line("  t = h_prev.matmul(&wh) + x.matmul(&wx) + &b;  h_next = t.tanh()")?;
    screen.line("")?;
    screen.line("  What the tape has recorded:")?;
    screen.line("")?;
    screen.lines(printed.lines().map(|line| format!("  {line}")))?;
    screen.line("")?;
    screen.line("  The backward pass:")?;
    screen.line("")?;
    screen.lines(formulas::beside(&pairs, screen))?;

    findings.record("step", json!({ "tape": printed, "lines": lines(&pairs) }));
    formulas::judge("step", &pairs, findings);
    Ok(())
}

/// The pairs as data.
pub(crate) fn lines(pairs: &[Pair]) -> serde_json::Value {
    let line =
        |pair: &Pair| json!({ "derived": pair.derived, "by_hand": pair.by_hand, "equal": pair.equal() });
    pairs.iter().map(line).collect()
}
