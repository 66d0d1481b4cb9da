//! Derived loops over time, run as numbers: the printed text, the NumPy class and the Rust struct against the sweep.

mod cases;
#[allow(missing_docs, unused, unreachable_pub, clippy::all, clippy::pedantic)]
#[rustfmt::skip]
mod layers;
mod numpy;
mod rust;
mod text;

use std::collections::HashMap;

use retrograde::autograd::{Node, NodeKind};
use retrograde::prelude::*;
use retrograde_tensor::assert_close;

use cases::Recorded;

/// The gradients of a recording by the names of cotangents, for random cotangents of the outputs; those come second.
type Named = HashMap<String, Tensor<f64>>;

/// The names of all nodes. Those of norms, which are several parameters of one name, are qualified and numbered.
fn labels(tape: &Tape<f64>) -> Vec<String> {
    let nodes = tape.nodes();
    let mut met: HashMap<String, usize> = HashMap::new();
    let labels = nodes.iter().map(|node| {
        let label = node.label();
        let parameter = |node: &Node<f64>| matches!(node.kind, NodeKind::Parameter(_));
        let same = |other: &&Node<f64>| parameter(other) && other.name == node.name;
        if !parameter(node) || nodes.iter().filter(same).count() == 1 {
            return label;
        }
        let place = met.entry(label.clone()).or_default();
        *place += 1;
        format!("layer_norm.{label}{}", ["", "'", "'2"][*place - 1])
    });
    labels.collect()
}

fn gradients(tape: &Tape<f64>, recorded: &Recorded<'_>, seed: u64) -> (Named, Named) {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut random = |y: &Var<'_, f64>| Tensor::normal(y.shape(), 0.0, 1.0, &mut rng).unwrap();
    let given: Vec<Tensor<f64>> = recorded.outputs.iter().map(&mut random).collect();
    let seeds: Vec<_> = recorded.outputs.iter().zip(&given).collect();
    let swept = tape.backward(&seeds).unwrap();
    let labels = labels(tape);
    let label = |y: &Var<'_, f64>| format!("d{}", labels[y.id().unwrap().index()]);
    let mut found = Named::new();
    for x in &recorded.inputs {
        found.insert(label(x), swept.get(x).cloned().unwrap_or_else(|| Tensor::zeros(x.shape())));
    }
    for param in tape.params() {
        let d = swept.get(&param).cloned().unwrap_or_else(|| Tensor::zeros(param.shape()));
        found.insert(label(&tape.param(&param)), d);
    }
    (found, recorded.outputs.iter().map(label).zip(given).collect())
}

fn same(case: &str, found: &Named, expected: &Named) {
    assert!(!expected.is_empty());
    for (name, expected) in expected {
        let found = found.get(name).unwrap_or_else(|| panic!("{case}: nothing is named {name}"));
        let found = found.broadcast_to(expected.shape());
        eprintln!("{case}: {name}");
        assert_close!(&found, expected, 1e-12, 1e-12);
    }
}

/// As the issue of a textbook's page: of each cell the loop is printed with `h_{t-1}`, `+=` and one pass over time.
#[test]
fn every_cell_prints_as_a_loop() {
    for (name, record) in cases::ALL {
        let tape = Tape::new();
        let recorded = record(&tape, 1);
        let text = tape.derivation(&recorded.outputs.iter().collect::<Vec<_>>()).unwrap().to_string();
        let reversed = name.contains("reversed");
        let head = if reversed { "for t = 0 .. T-1:" } else { "for t = T-1 .. 0:" };
        assert!(text.contains(head), "{name}:\n{text}");
        assert!(text.contains(" += ") && text.contains("_prev = d"), "{name}:\n{text}");
        let mut names: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with(' '))
            .filter_map(|x| x.split(" = ").nth(1).map(|_| x.split(" = ").next().unwrap()))
            .collect();
        names.sort_unstable();
        // A carried cotangent begins at zero and is named once more after the loop; nothing else has two lines.
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{name}:\n{text}");
    }
}
