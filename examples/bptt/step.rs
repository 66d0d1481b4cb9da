//! Part 1: one step of an RNN, its tape, and the backward pass that is derived from it.

use std::collections::HashMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::prelude::*;
use retrograde_examples::formula::Formula;
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

/// Records one step, prints its tape, and compares what is derived from it with the six lines: as formulas, and the
/// first element of each as a number.
pub(crate) fn run(seed: u64, screen: &mut Screen, findings: &mut Findings) -> Result<()> {
    let [n, d, h] = [2, 3, 4]; // sizes that differ tell a transpose from what it transposes
    let mut rng = StdRng::seed_from_u64(seed);
    let mut random = |shape: &[usize]| Tensor::<f64>::normal(shape, 0.0, 0.6, &mut rng);
    let tape = Tape::new();
    let wx = tape.var(random(&[d, h])?).named("Wx");
    let wh = tape.var(random(&[h, h])?).named("Wh");
    let b = tape.var(random(&[h])?).named("b");
    let x = tape.var(random(&[n, d])?).named("x");
    let h_prev = tape.var(random(&[n, h])?).named("h_prev");

    let t = (h_prev.matmul(&wh) + x.matmul(&wx) + &b).named("t").retain_grad();
    let h_next = t.tanh().named("h_next");

    let dh_next = random(&[n, h])?;
    let grads = h_next.backward_with(&dh_next)?;
    let variables =
        [("Wx", &wx), ("Wh", &wh), ("b", &b), ("x", &x), ("h_prev", &h_prev), ("t", &t), ("h_next", &h_next)];
    let mut known: HashMap<String, Tensor<f64>> = HashMap::from([("dh_next".to_owned(), dh_next)]);
    known.extend(variables.map(|(name, var)| (name.to_owned(), var.value().clone())));

    let pairs = formulas::pair(&h_next.derivation()?, &BY_HAND.map(str::to_owned));
    let printed = tape.to_string();
    let (mut swept, mut by_hand) = (Vec::new(), Vec::new());
    for line in BY_HAND {
        let (name, formula) = line.split_once(" = ").unwrap_or((line, line));
        let value = Formula::parse(formula).and_then(|x| x.value(&|name| known.get(name).cloned()));
        let value = value.unwrap_or_else(|_| Tensor::scalar(f64::NAN));
        let found = variables.iter().find(|(variable, _)| name[1..] == **variable);
        let found = found.and_then(|(_, var)| grads.get(*var)).cloned();
        swept.push((name, first(found.as_ref())));
        by_hand.push((name, first(Some(&value))));
        known.insert(name.to_owned(), value);
    }
    let of = |values: &[(&str, f64)], pair: &Pair| {
        let found = values.iter().find(|(name, _)| pair.name() == *name);
        found.map_or(f64::NAN, |(_, value)| *value)
    };

    screen.part(1, "One step")?;
    screen.line("  t = h_prev.matmul(&wh) + x.matmul(&wx) + &b;  h_next = t.tanh()")?;
    screen.line("")?;
    screen.line("  What the tape has recorded:")?;
    screen.line("")?;
    screen.lines(printed.lines().map(|line| format!("  {line}")))?;
    screen.line("")?;
    screen.line("  The backward pass, and the first element of each line for random numbers:")?;
    screen.line("")?;
    let numbers: Vec<[f64; 2]> = pairs.iter().map(|pair| [of(&swept, pair), of(&by_hand, pair)]).collect();
    screen.lines(formulas::with_numbers(&pairs, &numbers, screen))?;

    findings.record("step", json!({ "tape": printed, "lines": lines(&pairs), "elements": numbers }));
    formulas::judge("step", &pairs, findings);
    for (pair, [swept, by_hand]) in pairs.iter().zip(&numbers) {
        if (swept - by_hand).abs() > 1e-12 || swept.is_nan() {
            findings.fail(format!("step: {}: expected {by_hand} by hand, found {swept}", pair.name()));
        }
    }
    Ok(())
}

fn first(x: Option<&Tensor<f64>>) -> f64 {
    x.and_then(|x| x.iter().next()).unwrap_or(f64::NAN)
}

/// The pairs as data.
pub(crate) fn lines(pairs: &[Pair]) -> serde_json::Value {
    let line =
        |pair: &Pair| json!({ "derived": pair.derived, "by_hand": pair.by_hand, "equal": pair.equal() });
    pairs.iter().map(line).collect()
}
