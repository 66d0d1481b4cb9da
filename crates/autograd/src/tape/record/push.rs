//! Recording a node: what it is, what it depends on, and which values the backward pass will read.

use std::panic::Location;

use retrograde_tensor::{Float, Shape, Tensor};

use super::{Kind, Node, Record};
use crate::op::Op;
use crate::readings::saved::{SavedSet, saved_sets};
use crate::tape::id::{NodeId, Place};

/// Nodes that there is room for from the first on.
const FIRST: usize = 256;

impl<E: Float> Record<E> {
    /// Appends a node, and keeps what the backward pass will read: the value of an input, and of operands and results of
    /// operations what some rule reads.
    pub(crate) fn push<'a>(
        &mut self,
        kind: Kind<E>,
        operands: impl Iterator<Item = (NodeId, &'a Tensor<E>)> + Clone,
        value: &Tensor<E>,
        location: &'static Location<'static>,
    ) -> NodeId
    where
        E: 'a,
    {
        if self.nodes.is_empty() {
            self.nodes.reserve(FIRST);
            self.operands.reserve(FIRST);
            self.values.reserve(FIRST);
        }
        let id = NodeId::new(self.nodes.len());
        let first_operand = self.operands.len() as u32;
        let sets = match &kind {
            Kind::Op(op) => {
                let shapes = || operands.clone().map(|(_, x)| x.shape()).collect();
                Some(saved_sets(op, shapes, value.shape()))
            }
            _ => None,
        };
        let mut saved = matches!(kind, Kind::Variable | Kind::Parameter).then(SavedSet::default);
        for (i, (id, _)) in operands.clone().enumerate() {
            self.operands.push(id);
            if self.node(id).tracked {
                let set = sets.map_or(Some(SavedSet::ALL), |sets| sets.of_input(i));
                saved = set.map(|set| saved.unwrap_or_default().and(set)).or(saved);
            }
        }
        // It depends on a variable or parameter in a way that has a derivative.
        let tracked = saved.is_some();
        let saved = saved.unwrap_or_default();
        if let Some(start) = self.open_segment {
            // To be computed again, a segment needs all that it began from.
            operands.filter(|(id, _)| id.index() < start).for_each(|(id, value)| self.keep(id, value));
        } else if saved.any_input() {
            let read = (0..).zip(operands).filter(|&(i, _)| saved.input(i));
            read.for_each(|(_, (id, value))| self.keep(id, value));
        }
        // A parameter is shared by all steps, whichever asks for it first.
        let step = self.step.filter(|_| !matches!(kind, Kind::Parameter));
        let keep = kind.is_leaf() || self.open_segment.is_none() && saved.output();
        let stacked = if let Kind::Op(Op::Stack { axis }) = kind { Some(axis) } else { None };
        let shape = self.shapes.intern(value.shape(), Shape::eq);
        let (name, kept, retained) = (None, None, false);
        self.nodes.push(Node { kind, shape, name, kept, tracked, retained, first_operand, location, step });
        if keep {
            self.keep(id, value);
        }
        if let Some(axis) = stacked {
            self.share_stacked(id, axis, value);
        }
        id
    }

    /// Keeps what was stacked as views on the stack, so that the states of a sequence are not kept twice.
    fn share_stacked(&mut self, id: NodeId, axis: usize, stack: &Tensor<E>) {
        let first = self.node(id).first_operand as usize;
        for (index, operand) in self.operands[first..].iter().enumerate() {
            let node = &self.nodes[operand.index()];
            if let Some(place) = node.kept.filter(|_| !node.kind.is_leaf()) {
                self.values[place.index()] = stack.select(axis, index);
            }
        }
    }

    fn keep(&mut self, id: NodeId, value: &Tensor<E>) {
        let kept = &mut self.nodes[id.index()].kept;
        if kept.is_none() {
            *kept = Some(Place::new(self.values.len()));
            self.values.push(value.clone());
        }
    }
}
