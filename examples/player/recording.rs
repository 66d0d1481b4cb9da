//! A recorded sweep: each node of the tape with its value, its cotangent and the terms of that; the derived lines.

use std::collections::HashMap;

use retrograde::autograd::{NodeKind, Op, Value};
use retrograde::derivation::{Derivation, Expr, Term};
use retrograde::prelude::*;
use retrograde_examples::Result;

use crate::problem::Problem;

/// A node of the tape.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Its name, or else its formula: `h_2·Wh`.
    pub(crate) label: String,
    pub(crate) named: bool,
    /// Its formula, `h_2·Wh + x_3·Wx + b`; empty for an input.
    pub(crate) formula: String,
    pub(crate) op: String,
    pub(crate) step: Option<usize>,
    pub(crate) operands: Vec<usize>,
    pub(crate) value: Tensor<f64>,
    pub(crate) cotangent: Option<Tensor<f64>>,
    /// The node that each term of the cotangent came from, and the term; in the order of the sum.
    pub(crate) terms: Vec<(Option<usize>, Tensor<f64>)>,
}

/// A line that was derived: `name = formula`, or a share of a sum over time, `name += formula`.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    pub(crate) name: String,
    /// The step of a share.
    pub(crate) share: Option<usize>,
    pub(crate) formula: String,
    /// The node whose visit computes it.
    pub(crate) at: usize,
    pub(crate) value: Tensor<f64>,
}

/// A forward and a backward sweep.
#[derive(Clone, Debug)]
pub(crate) struct Recording {
    pub(crate) nodes: Vec<Node>,
    /// The nodes in the order in which the backward sweep visits them.
    pub(crate) sweep: Vec<usize>,
    /// In the order of the sweep.
    pub(crate) lines: Vec<Line>,
}

impl Recording {
    /// Records both sweeps of a problem.
    pub(crate) fn new(problem: &Problem) -> Result<Self> {
        let tape = Tape::new();
        let unrolled = problem.unroll(&tape, |_| false);
        let mut nodes = nodes(&tape)?;
        let mut sweep = Vec::new();
        tape.backward_observed(&[(&unrolled.root, &unrolled.seed)], |visit| {
            let node = &mut nodes[visit.node.index()];
            node.cotangent = Some(visit.cotangent.clone());
            let from =
                |from: Option<(_, _)>| from.map(|(id, _): (retrograde::autograd::NodeId, usize)| id.index());
            node.terms = visit.terms.iter().map(|term| (from(term.from), term.value.clone())).collect();
            sweep.push(visit.node.index());
        })?;
        let lines = lines(&nodes, &sweep, &unrolled.root.derivation()?);
        Ok(Recording { nodes, sweep, lines })
    }
}

/// The nodes of a tape. What it did not keep is computed again.
fn nodes(tape: &Tape<f64>) -> Result<Vec<Node>> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut labels: Vec<Expr> = Vec::new();
    for node in tape.nodes() {
        let operands: Vec<usize> = node.operands.iter().map(|id| id.index()).collect();
        let (op, computed, value) = match &node.kind {
            NodeKind::Op(op) => {
                let x: Vec<&Tensor<f64>> = operands.iter().map(|&i| &nodes[i].value).collect();
                let formula =
                    Expr::apply(op.clone(), &operands.iter().map(|&i| &labels[i]).collect::<Vec<_>>());
                (op.to_string(), Some(formula), node.value.map_or_else(|| op.eval(&x), Ok)?)
            }
            _ => ("input".to_owned(), None, node.value.expect("a tape keeps its inputs")),
        };
        let label = match (&node.name, &computed) {
            (None, Some(formula)) => formula.clone(),
            (None, None) if value.dims().is_empty() => Expr::number(value.at(&[])),
            (name, _) => Expr::name(name.clone().unwrap_or_else(|| node.id.to_string()), node.shape),
        };
        nodes.push(Node {
            label: label.to_string(),
            named: node.name.is_some(),
            formula: computed.map_or(String::new(), |formula| formula.to_string()),
            op,
            step: node.step,
            operands,
            value,
            cotangent: None,
            terms: Vec::new(),
        });
        labels.push(label);
    }
    Ok(nodes)
}

/// The derived lines in the order of the sweep. The sum that a parameter gets is taken apart into the shares of the steps,
/// each at the node that the parameter was used by.
fn lines(nodes: &[Node], sweep: &[usize], derivation: &Derivation) -> Vec<Line> {
    let place: HashMap<usize, usize> = sweep.iter().enumerate().map(|(place, &node)| (node, place)).collect();
    let name = |i: usize| if nodes[i].named { format!("d{}", nodes[i].label) } else { format!("dv{i}") };
    let by_name: HashMap<String, usize> = (0..nodes.len()).map(|i| (name(i), i)).collect();
    let mut lines = Vec::new();
    for line in &derivation.lines {
        let at = by_name[&line.name];
        let node = &nodes[at];
        let terms = terms(&line.formula);
        let parameter = node.step.is_none() && ["Wx", "Wh", "b"].contains(&node.label.as_str());
        if parameter && terms.len() == node.terms.len() {
            for (formula, (from, value)) in terms.iter().zip(&node.terms) {
                let at = from.expect("a parameter is no output");
                let (name, formula) = (line.name.clone(), formula.to_string());
                lines.push(Line { name, share: nodes[at].step, formula, at, value: value.clone() });
            }
        } else if let Some(value) = node.cotangent.clone() {
            let (name, formula) = (line.name.clone(), line.formula.to_string());
            lines.push(Line { name, share: None, formula, at, value });
        }
    }
    lines.sort_by_key(|line| (place[&line.at], line.share.is_some()));
    lines
}

/// The terms of a sum, from left to right.
fn terms(sum: &Expr) -> Vec<&Expr> {
    let mut terms = Vec::new();
    let mut rest = sum;
    while let Term::Apply(Op::Add, x) = rest.term() {
        terms.push(&x[1]);
        rest = &x[0];
    }
    terms.push(rest);
    terms.reverse();
    terms
}
