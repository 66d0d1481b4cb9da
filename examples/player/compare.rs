//! The derived lines beside those by hand: as formulas, and as numbers.

use std::collections::{HashMap, HashSet};

use retrograde::prelude::*;
use retrograde_examples::formula::Formula;

use crate::by_hand;
use crate::problem::Problem;
use crate::recording::Recording;

/// Relative differences up to here are those of rounding.
const TOLERANCE: f64 = 1e-12;

/// A derived line and the one of the same name by hand.
#[derive(Clone, Debug)]
pub(crate) struct Pair {
    pub(crate) by_hand: String,
    /// Whether both are the same by the rules of sums and products, and give the same numbers.
    pub(crate) equal: bool,
    /// The difference of the numbers, where the line by hand is given the sweep's own cotangents; relative to the largest.
    pub(crate) difference: f64,
}

/// All lines compared.
#[derive(Clone, Debug)]
pub(crate) struct Comparison {
    /// Beside each derived line.
    pub(crate) pairs: Vec<Pair>,
    /// By node: the relative difference of its cotangent from that of the pass by hand, run from its own numbers alone.
    pub(crate) differences: HashMap<usize, f64>,
}

/// Compares a recording with the pass by hand.
///
/// # Errors
/// If a line cannot be read, has no counterpart, or has no value.
pub(crate) fn compare(
    problem: &Problem,
    recording: &Recording,
    by_hand: &[by_hand::Line],
) -> Result<Comparison, String> {
    let mut known: HashMap<String, Tensor<f64>> = HashMap::from([("dhs".to_owned(), problem.dhs.clone())]);
    let mut swept = HashMap::new();
    for node in recording.nodes.iter().filter(|node| node.named) {
        known.insert(node.label.clone(), node.value.clone());
        if let Some(cotangent) = &node.cotangent {
            swept.insert(format!("d{}", node.label), cotangent.clone());
        }
    }
    let computed: HashSet<&str> = by_hand.iter().map(|line| line.name.as_str()).collect();
    let mut pairs = HashMap::new();
    let mut own: HashMap<String, Tensor<f64>> = HashMap::new();
    for line in by_hand {
        let formula = Formula::parse(&line.formula)?;
        let from_sweep = formula.value(&|name| known.get(name).or_else(|| swept.get(name)).cloned())?;
        let from_own = formula.value(&|name| {
            let given = || if computed.contains(name) { None } else { swept.get(name) };
            known.get(name).or_else(|| own.get(name)).or_else(given).cloned()
        })?;
        match own.get_mut(&line.name) {
            Some(sum) if line.share.is_some() => *sum += &from_own,
            _ => drop(own.insert(line.name.clone(), from_own)),
        }
        pairs.insert((line.name.as_str(), line.share), (line, formula, from_sweep));
    }

    let h = problem.sizes.h;
    let pair = |line: &crate::recording::Line| {
        let (by_hand, formula, value) = pairs
            .get(&(line.name.as_str(), line.share))
            .ok_or_else(|| format!("no line by hand for {} = {}", line.name, line.formula))?;
        let difference = difference(value, &line.value);
        let same = formula.normal_form(h) == Formula::parse(&line.formula)?.normal_form(h);
        let equal = same && difference <= TOLERANCE;
        Ok(Pair { by_hand: by_hand.formula.clone(), equal, difference })
    };
    let differences = recording.nodes.iter().enumerate().filter_map(|(i, node)| {
        let by_hand = own.get(&format!("d{}", node.label))?;
        Some((i, difference(by_hand, node.cotangent.as_ref()?)))
    });
    Ok(Comparison {
        differences: differences.filter(|&(_, difference)| difference > TOLERANCE).collect(),
        pairs: recording.lines.iter().map(pair).collect::<Result<_, String>>()?,
    })
}

/// The largest difference relative to the largest element; infinite if the shapes differ.
fn difference(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    if a.shape() != b.shape() {
        return f64::INFINITY;
    }
    let largest = |x: Tensor<f64>| x.to_vec().iter().fold(0.0_f64, |max, x| max.max(x.abs()));
    largest(a - b) / largest(b.clone()).max(f64::MIN_POSITIVE)
}
