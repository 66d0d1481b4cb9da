//! The parts of a graph: which nodes make a loop, and the straight lines between loops.

use std::collections::{BTreeSet, HashMap, HashSet};

use retrograde_autograd::op::Op;
use retrograde_autograd::{NodeId, Result, Value};

use crate::excerpt::Excerpt;
use crate::graph::Graph;
use crate::lines::{Lines, lines};
use crate::names::Names;
use crate::program::{Assignment, Part};
use crate::steps::{self, Steps};
use crate::{Expr, Line, Term};

/// The nodes of a part.
pub(crate) enum Nodes<'s> {
    Straight(Vec<NodeId>),
    /// And the nodes that stack values of its steps.
    Loop(&'s Steps, Vec<NodeId>),
}

/// The program while it is written.
pub(crate) struct Author<'r> {
    pub(crate) record: &'r Graph,
    pub(crate) names: Names,
    pub(crate) labels: Vec<String>,
    pub(crate) outputs: &'r [(NodeId, bool)],
    /// The nodes that another part reads.
    pub(crate) crossing: HashSet<NodeId>,
    /// The nodes whose cotangent has been assigned.
    pub(crate) has: HashSet<NodeId>,
}

impl Author<'_> {
    pub(crate) fn label(&self, id: NodeId) -> &str {
        &self.labels[id.index()]
    }

    /// The nodes that outputs can depend on.
    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.labels.len()).map(NodeId::new)
    }

    pub(crate) fn reached(&self) -> Vec<bool> {
        let mut reached = vec![false; self.labels.len()];
        self.outputs.iter().for_each(|(id, _)| reached[id.index()] = true);
        for id in self.ids().rev() {
            if reached[id.index()] {
                self.record.operands(id).iter().for_each(|x| reached[x.index()] = true);
            }
        }
        reached
    }

    /// The loops of which only the last values and stacks of all values are read from outside.
    pub(crate) fn loops(&self, reached: &[bool]) -> Vec<Steps> {
        let mut loops = steps::find(self.record, self.labels.len());
        loops.retain(|steps| {
            let mut nodes = steps.blocks.iter().flatten();
            nodes.any(|id| reached.get(id.index()) == Some(&true))
        });
        loops.retain(|steps| {
            let within: HashSet<NodeId> = steps.blocks.iter().flatten().copied().collect();
            let last: HashSet<NodeId> = steps.last().iter().copied().collect();
            let outputs = self.outputs.iter().map(|(id, _)| id);
            let reads = |id: NodeId| self.record.operands(id).iter().filter(|x| within.contains(*x));
            outputs.clone().all(|id| !within.contains(id) || last.contains(id))
                && self
                    .ids()
                    .filter(|id| reached[id.index()] && !within.contains(id))
                    .all(|id| reads(id).all(|x| last.contains(x)) || steps.stacked(self.record, id).is_some())
        });
        loops
    }

    /// The parts in the order of execution; finds out what is read by another part.
    pub(crate) fn parts<'s>(&mut self, loops: &'s [Steps], reached: &[bool]) -> Vec<Nodes<'s>> {
        let mut part_of: HashMap<NodeId, usize> = HashMap::new();
        let mut parts = vec![Nodes::Straight(Vec::new())];
        let mut next = loops.iter().peekable();
        for id in self.ids() {
            if let Some(&steps) = next.peek()
                && steps.blocks[0][0] == id
            {
                next.next();
                part_of.extend(steps.blocks.iter().flatten().map(|&id| (id, parts.len())));
                parts.push(Nodes::Loop(steps, Vec::new()));
                parts.push(Nodes::Straight(Vec::new()));
            }
            if part_of.contains_key(&id) || !reached[id.index()] || self.record.kind(id).is_leaf() {
                continue;
            }
            let of = self.record.operands(id).first().and_then(|x| part_of.get(x)).copied();
            if let Some(place) = of
                && let Nodes::Loop(steps, stacks) = &mut parts[place]
                && steps.stacked(self.record, id).is_some()
            {
                stacks.push(id);
                part_of.insert(id, place);
            } else {
                part_of.insert(id, parts.len() - 1);
                if let Some(Nodes::Straight(ids)) = parts.last_mut() {
                    ids.push(id);
                }
            }
        }
        self.crossing = self.outputs.iter().map(|&(id, _)| id).collect();
        for (&id, part) in &part_of {
            let from_elsewhere = |x: &&NodeId| part_of.get(*x).is_some_and(|of| of != part);
            self.crossing.extend(self.record.operands(id).iter().filter(from_elsewhere));
        }
        parts.retain(|part| !matches!(part, Nodes::Straight(ids) if ids.is_empty()));
        parts
    }

    /// An assignment to the cotangent of a node that may have been assigned before.
    pub(crate) fn assign(&mut self, id: NodeId, line: Line) -> Assignment {
        let add = !self.has.insert(id);
        let formula = if add { without_first(&line.formula, &line.name) } else { line.formula };
        Assignment { line: Line { formula, ..line }, add }
    }

    pub(crate) fn straight(&mut self, ids: &[NodeId]) -> Result<Part> {
        let mut excerpt = Excerpt::new(self.record);
        let mut all: BTreeSet<NodeId> = ids.iter().copied().collect();
        all.extend(ids.iter().flat_map(|&id| self.record.operands(id)));
        let within: HashSet<NodeId> = ids.iter().copied().collect();
        for &id in &all {
            let label = self.label(id).to_owned();
            if within.contains(&id) {
                let named = self.record.name(id).is_some() || self.crossing.contains(&id);
                let operands = self.record.operands(id).iter().map(|x| excerpt.of[x]).collect();
                excerpt.operation(id, operands, label, named);
            } else {
                excerpt.input(id, label, self.record.is_tracked(id));
            }
        }
        let mut seeds = Vec::new();
        for &id in ids {
            let shape = self.record.shape(id);
            if self.outputs.contains(&(id, false)) {
                seeds.push((excerpt.of[&id], Expr::number(1.0)));
            }
            if self.has.contains(&id) {
                seeds.push((excerpt.of[&id], Expr::name(format!("d{}", self.label(id)), shape)));
            }
        }
        let Lines { values, cotangents } = lines(&excerpt.record, &excerpt.labels, seeds)?;
        let node: HashMap<String, NodeId> =
            all.iter().map(|&id| (format!("d{}", self.label(id)), id)).collect();
        let cotangents = cotangents.into_iter().map(|line| self.assign(node[&line.name], line)).collect();
        Ok(Part { values, cotangents, repeat: None })
    }
}

/// A sum without its first term, if that is the name.
fn without_first(sum: &Expr, name: &str) -> Expr {
    let mut terms = Vec::new();
    let mut first = sum;
    while let Term::Apply(Op::Add, x) = first.term() {
        terms.push(&x[1]);
        first = &x[0];
    }
    if !matches!(first.term(), Term::Name(known) if known == name) {
        return sum.clone();
    }
    let mut terms = terms.into_iter().rev();
    let second = terms.next().cloned().unwrap_or_else(|| sum.clone());
    terms.fold(second, |sum, term| sum.add(term))
}
