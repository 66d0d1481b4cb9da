//! The printed text, read line by line by a small evaluator that knows nothing of formulas as data.

use retrograde::autograd::NodeKind;
use retrograde::prelude::*;
use retrograde_examples::formula::Formula;

use crate::cases;
use crate::{Named, gradients, labels, same};

#[test]
fn the_printed_loop_is_the_gradient() {
    for (name, record) in cases::ALL {
        for seed in 1..4 {
            let tape = Tape::new();
            let recorded = record(&tape, seed);
            let (expected, given) = gradients(&tape, &recorded, seed);
            let text = tape.derivation(&recorded.outputs.iter().collect::<Vec<_>>()).unwrap().to_string();
            let mut known = values(&tape);
            known.extend(given);
            let steps = steps(&tape);
            run(&text.lines().collect::<Vec<_>>(), None, steps, &mut known);
            same(name, &known, &expected);
        }
    }
}

/// The values of all nodes by name: those of a step by its number, `f_2`.
fn values(tape: &Tape<f64>) -> Named {
    let (mut values, mut named): (Vec<Tensor<f64>>, Named) = (Vec::new(), Named::new());
    for (node, label) in tape.nodes().into_iter().zip(labels(tape)) {
        let value = node.value.clone().unwrap_or_else(|| match &node.kind {
            NodeKind::Op(op) => {
                op.eval(&node.operands.iter().map(|x| &values[x.index()]).collect::<Vec<_>>()).unwrap()
            }
            _ => panic!("an input is kept"),
        });
        named.insert(label, value.clone());
        values.push(value);
    }
    named
}

fn steps(tape: &Tape<f64>) -> i64 {
    tape.nodes().iter().filter_map(|node| node.step).max().map_or(0, |step| step as i64 + 1)
}

/// A number of a step: `T-1`, `0`.
fn bound(text: &str, steps: i64) -> i64 {
    match text.strip_prefix('T') {
        Some("") => steps,
        Some(rest) => steps + rest.parse::<i64>().unwrap(),
        None => text.parse().unwrap(),
    }
}

fn number(step: i64) -> String {
    step.to_string().replace('-', "m")
}

fn run(lines: &[&str], t: Option<i64>, steps: i64, known: &mut Named) {
    let mut rest = lines.iter().enumerate();
    while let Some((i, line)) = rest.next() {
        if let Some(bounds) = line.strip_prefix("for t = ") {
            let (from, to) = bounds.trim_end_matches(':').split_once(" .. ").unwrap();
            let (from, to) = (bound(from, steps), bound(to, steps));
            let body: Vec<&str> = lines[i + 1..].iter().map_while(|line| line.strip_prefix("    ")).collect();
            for turn in 0..=(from - to).abs() {
                let t = if from > to { from - turn } else { from + turn };
                run(&body, Some(t), steps, known);
            }
            for _ in &body {
                rest.next();
            }
        } else {
            assign(line, t, steps, known);
        }
    }
}

fn assign(line: &str, t: Option<i64>, steps: i64, known: &mut Named) {
    let mut line = line.replace("_{-1}", "_m1").replace("_T =", &format!("_{steps} ="));
    if let Some(t) = t {
        line = line.replace("[:, t]", &format!("[:, {t}]"));
        line = line.replace("_{t-1}", &format!("_{}", number(t - 1)));
        line = line.replace("_{t+1}", &format!("_{}", number(t + 1)));
    }
    let (name, formula, add) = match line.split_once(" += ") {
        Some((name, formula)) => (name, formula, true),
        None => line.split_once(" = ").map(|(name, formula)| (name, formula, false)).unwrap(),
    };
    let at = |name: &str| match (name.strip_suffix("_t"), t) {
        (Some(stem), Some(t)) => format!("{stem}_{}", number(t)),
        _ => name.to_owned(),
    };
    let lookup = |name: &str| {
        let local = t.and_then(|t| known.get(&format!("{name}_{t}")));
        known.get(&at(name)).or(local).cloned()
    };
    let value = Formula::parse(formula).unwrap_or_else(|e| panic!("{line}: {e}"));
    let value = value.value(&lookup).unwrap_or_else(|e| panic!("{line}: {e}"));
    if let Some((of, slot)) = name.split_once("[:, ") {
        let entry: usize = slot.trim_end_matches(']').parse().unwrap();
        let like = known[&of[1..]].shape();
        let whole = known.entry(of.to_owned()).or_insert_with(|| Tensor::zeros(like));
        whole.add_at(1, entry, &value.unsqueeze(1));
        return;
    }
    let name = at(name);
    let sum = match known.get(&name) {
        Some(sum) if add => sum + &value,
        _ => value,
    };
    known.insert(name, sum);
}
