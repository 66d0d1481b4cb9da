//! The numbers and lines of the page, as JSON.

use retrograde::prelude::*;
use serde_json::{Value, json};

use crate::base64::base64;
use crate::by_hand::Fault;
use crate::compare::Comparison;
use crate::problem::{Loss, Problem};
use crate::recording::Recording;
use crate::truncation::Truncation;
use crate::vanishing::{Curve, GAINS, INPUTS};

/// All that the page shows of a recording.
pub(crate) fn recording(
    problem: &Problem,
    recording: &Recording,
    comparison: &Comparison,
    fault: Option<Fault>,
) -> Value {
    let nodes = recording.nodes.iter().enumerate().map(|(i, node)| {
        // The terms of a cotangent with a single one are the cotangent itself.
        let terms = if node.terms.len() > 1 { node.terms.as_slice() } else { &[] };
        let from = |(from, value): &(Option<usize>, Tensor<f64>)| json!({ "from": from, "value": doubles(&value.to_vec()) });
        let mut entry = json!({
            "label": node.label,
            "named": node.named,
            "formula": node.formula,
            "op": node.op,
            "step": node.step,
            "operands": node.operands,
            "shape": node.value.dims(),
            "value": doubles(&node.value.to_vec()),
            "cotangent": node.cotangent.as_ref().map(|g| doubles(&g.to_vec())),
            "users": node.terms.iter().map(|(from, _)| *from).collect::<Vec<_>>(),
            "terms": terms.iter().map(from).collect::<Vec<_>>(),
        });
        if let Some(difference) = comparison.differences.get(&i) {
            entry["difference"] = json!(difference);
        }
        entry
    });
    let lines = recording.lines.iter().zip(&comparison.pairs).map(|(line, pair)| {
        json!({
            "name": line.name,
            "share": line.share,
            "at": line.at,
            "derived": line.formula,
            "by_hand": pair.by_hand,
            "equal": pair.equal,
            "difference": pair.difference,
        })
    });
    json!({
        "cell": problem.cell.name(),
        "loss": if problem.loss == Loss::All { "all" } else { "last" },
        "steps": problem.steps,
        "sizes": { "N": problem.sizes.n, "D": problem.sizes.d, "H": problem.sizes.h },
        "fault": fault.map(|fault| format!("{fault:?}")),
        "nodes": nodes.collect::<Vec<_>>(),
        "sweep": recording.sweep,
        "lines": lines.collect::<Vec<_>>(),
    })
}

/// The errors of truncation.
pub(crate) fn truncations(truncations: &[Truncation]) -> Value {
    let one = |x: &Truncation| {
        let gradients = x.gradients.iter().map(|x| json!({ "norms": doubles(&x.norms), "error": x.error }));
        json!({ "window": x.window, "gradients": gradients.collect::<Vec<_>>() })
    };
    truncations.iter().map(one).collect()
}

/// The curves of the gradient's norm.
pub(crate) fn curves(curves: &[Curve]) -> Value {
    let one = |x: &Curve| {
        json!({
            "cell": x.cell.name(),
            "gain": x.gain,
            "input": x.input,
            "norms": doubles(&x.norms),
            "saturations": x.saturations,
        })
    };
    json!({ "gains": GAINS, "inputs": INPUTS, "curves": curves.iter().map(one).collect::<Vec<_>>() })
}

/// Little-endian doubles, so that no digit is lost.
fn doubles(x: &[f64]) -> String {
    base64(&x.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())
}
