//! Part 2: the same over several steps that share their weights: a loop, in which the sums over time grow.

use std::collections::HashMap;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::prelude::*;
use retrograde_examples::formula::Formula;
use retrograde_examples::formulas;
use retrograde_examples::{Findings, Result, Screen};
use serde_json::json;

use crate::step::lines;

const STEPS: usize = 3;
const N: usize = 2;
const D: usize = 3;
const H: usize = 4;

/// The textbook's backward pass over time: the loop runs backwards, `dh` from the next step is added to `dhs[:, t]`, and
/// the gradients of the weights grow with each step.
///
/// # Source
/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 5.3.2.
const BY_HAND: [&str; 11] = [
    "h_{-1} = h_prev",
    "dh = 0",
    "for t = T-1 .. 0:",
    "    x_t = xs[:, t]",
    "    dh_t = dhs[:, t] + dh",
    "    dt = dh_t ⊙ (1 - h_t²)",
    "    db += Σₙ dt",
    "    dWh += h_{t-1}ᵀ·dt",
    "    dWx += x_tᵀ·dt",
    "    dh = dt·Whᵀ",
    "    dxs[:, t] = dt·Wxᵀ",
];
const AFTER: &str = "dh_prev = dh";

/// Records three steps, compares the derived loop with the textbook's, line by line, and runs the textbook's on the same
/// numbers as the sweep.
pub(crate) fn run(seed: u64, screen: &mut Screen, findings: &mut Findings) -> Result<()> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut random = |shape: &[usize]| Tensor::<f64>::normal(shape, 0.0, 0.6, &mut rng);
    let tape = Tape::new();
    let wx = tape.var(random(&[D, H])?).named("Wx");
    let wh = tape.var(random(&[H, H])?).named("Wh");
    let b = tape.var(random(&[H])?).named("b");
    let xs = tape.var(random(&[N, STEPS, D])?).named("xs");
    let h_prev = tape.var(random(&[N, H])?).named("h_prev");

    let (mut h, mut hs) = (h_prev.clone(), Vec::new());
    for step in 0..STEPS {
        tape.set_step(Some(step)); // a name given now is printed with its step: h_0, h_1, ..
        let x = xs.select(1, step).named("x"); // [N, D]
        let t = (h.matmul(&wh) + x.matmul(&wx) + &b).named("t");
        h = t.tanh().named("h");
        hs.push(h.clone());
    }
    tape.set_step(None);
    let hs = Var::stack(&hs, 1).named("hs"); // [N, T, H]

    let derived: Vec<String> = hs.derivation()?.to_string().lines().map(str::to_owned).collect();
    let by_hand: Vec<String> = BY_HAND.iter().chain([&AFTER]).map(|&line| line.to_owned()).collect();
    let pairs = formulas::pair_lines(&derived, &by_hand);

    let dhs = random(&[N, STEPS, H])?;
    let inputs = [("Wx", &wx), ("Wh", &wh), ("b", &b), ("xs", &xs), ("h_prev", &h_prev)];
    let mut known: HashMap<String, Tensor<f64>> = HashMap::from([("dhs".to_owned(), dhs.clone())]);
    known.extend(inputs.map(|(name, var)| (name.to_owned(), var.value().clone())));
    known.extend((0..STEPS).map(|t| (format!("h_{t}"), hs.value().select(1, t))));
    let numbers = by_hand_in_numbers(&mut known);

    screen.part(2, "Three steps, one set of weights")?;
    screen.line("  The loop over time that is derived, and the textbook's; then the first element")?;
    screen.line("  of each line of the textbook's loop in its turns, for random numbers:")?;
    screen.line("")?;
    screen.lines(formulas::beside(&pairs, screen))?;
    screen.line("")?;
    let titles: Vec<String> = (0..STEPS).rev().map(|t| format!("t = {t}")).collect();
    screen.lines(formulas::turns(&titles, &numbers, screen))?;
    screen.line("")?;

    let grads = hs.backward_with(&dhs)?;
    let mut largest: f64 = 0.0;
    for (name, var) in inputs {
        let (Some(swept), Some(by_hand)) = (grads.get(var), known.get(&format!("d{name}"))) else {
            findings.fail(format!("unrolled: d{name}: expected a gradient, found none"));
            continue;
        };
        let off = (swept - by_hand).abs().iter().fold(0.0, f64::max);
        largest = largest.max(off);
        if off > 1e-12 || off.is_nan() {
            findings.fail(format!(
                "unrolled: d{name}: expected at most 1e-12 from the loop by hand, found {off:.1e}"
            ));
        }
    }
    screen.line(format!("  The gradients that the loop leaves are the tape's: {largest:.0e} apart."))?;
    findings
        .record("unrolled", json!({ "steps": STEPS, "lines": lines(&pairs), "largest_difference": largest }));
    formulas::judge("unrolled", &pairs, findings);
    Ok(())
}

/// Runs the printed lines of the textbook's loop. Returns the first element of each assigned value, turn by turn.
fn by_hand_in_numbers(known: &mut HashMap<String, Tensor<f64>>) -> Vec<(String, Vec<f64>)> {
    let mut numbers: Vec<(String, Vec<f64>)> = Vec::new();
    let zeros = |shape: &[usize]| Tensor::zeros(shape);
    known.insert("h_before_0".to_owned(), known["h_prev"].clone());
    known.insert("dh".to_owned(), zeros(&[N, H]));
    known.insert("dxs".to_owned(), zeros(&[N, STEPS, D]));
    for t in (0..STEPS).rev() {
        for line in BY_HAND.iter().filter_map(|line| line.strip_prefix("    ")) {
            let before = if t == 0 { "h_before_0".to_owned() } else { format!("h_{}", t - 1) };
            let filled = line.replace("h_{t-1}", &before).replace("[:, t]", &format!("[:, {t}]"));
            let filled = filled.replace("dh_t", "dh_now").replace("h_t", &format!("h_{t}"));
            let (name, formula) =
                filled.split_once(" = ").or_else(|| filled.split_once(" += ")).unwrap_or(("", "0"));
            let value = Formula::parse(formula).and_then(|x| x.value(&|name| known.get(name).cloned()));
            let value = value.unwrap_or_else(|_| Tensor::scalar(f64::NAN));
            let value = match known.get(name) {
                Some(sum) if line.contains(" += ") => sum + &value,
                _ => value,
            };
            let shown = line.split([' ', '[']).next().unwrap_or(line).to_owned();
            match numbers.iter_mut().find(|(known, _)| *known == shown) {
                Some((_, turns)) => turns.extend(value.iter().next()),
                None if shown != "x_t" => numbers.push((shown, value.iter().take(1).collect())),
                None => {}
            }
            if let Some(dxs) = known.get_mut("dxs").filter(|_| name.starts_with("dxs")) {
                dxs.add_at(1, t, &value.unsqueeze(1));
            } else {
                known.insert(name.to_owned(), value);
            }
        }
    }
    known.insert("dh_prev".to_owned(), known["dh"].clone());
    numbers
}
