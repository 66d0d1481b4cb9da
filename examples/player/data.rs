//! The numbers and lines of the page, as JSON.

use retrograde::prelude::*;
use serde_json::{Value, json};

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
        let from = |(from, value): &(Option<usize>, Tensor<f64>)| json!({ "from": from, "value": base64(&value.to_vec()) });
        json!({
            "label": node.label,
            "named": node.named,
            "formula": node.formula,
            "op": node.op,
            "step": node.step,
            "operands": node.operands,
            "shape": node.value.dims(),
            "value": base64(&node.value.to_vec()),
            "cotangent": node.cotangent.as_ref().map(|g| base64(&g.to_vec())),
            "users": node.terms.iter().map(|(from, _)| *from).collect::<Vec<_>>(),
            "terms": terms.iter().map(from).collect::<Vec<_>>(),
            "difference": comparison.differences.get(&i),
        })
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
    let one = |x: &Truncation| json!({ "window": x.window, "norms": x.norms, "error": x.error });
    truncations.iter().map(one).collect()
}

/// The curves of the gradient's norm.
pub(crate) fn curves(curves: &[Curve]) -> Value {
    let one = |x: &Curve| {
        json!({
            "cell": x.cell.name(),
            "gain": x.gain,
            "input": x.input,
            "norms": base64(&x.norms),
            "saturations": x.saturations,
        })
    };
    json!({ "gains": GAINS, "inputs": INPUTS, "curves": curves.iter().map(one).collect::<Vec<_>>() })
}

/// Little-endian doubles, so that no digit is lost.
fn base64(x: &[f64]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bytes: Vec<u8> = x.iter().flat_map(|x| x.to_le_bytes()).collect();
    let mut text = String::new();
    for three in bytes.chunks(3) {
        let bits = (0..3).fold(0, |bits, i| bits << 8 | u32::from(three.get(i).copied().unwrap_or(0)));
        for i in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * i)) as usize & 63];
            text.push(if i <= three.len() { digit as char } else { '=' });
        }
    }
    text
}
