//! The reverse sweep: one loop from the outputs down to the inputs, for every reading of the rules.
//!
//! It goes over a [`Graph`], which a tape is and which may be anything else that has operations, and a [`Reading`] says what
//! kind of value the rules are read over. Gradients, recorded gradients, their oracles and derived formulas are such readings.

use crate::Result;
use crate::op::Op;
use crate::rules::cotangent;
use crate::tape::id::{NodeId, Place};
use crate::value::Value;

/// Nodes that a sweep goes over: inputs, operations and functions, each after its operands.
pub trait Graph {
    /// The nodes that an operation or a function is applied to; none for an input.
    fn operands(&self, id: NodeId) -> &[NodeId];

    /// The operation of a node; `None` for an input and for a function, which is not in the table of rules.
    fn op(&self, id: NodeId) -> Option<&Op>;

    /// Whether a node depends on a variable in a way that has a derivative: cotangents go to no other.
    fn is_tracked(&self, id: NodeId) -> bool;

    /// Whether the sweep returns the cotangent of a node that is no input.
    fn is_retained(&self, _id: NodeId) -> bool {
        false
    }
}

/// A way to read the rules backwards over a graph: the kind of value, and what is done at each node.
pub trait Reading {
    /// The type that the rules are read over.
    type Value: Value;

    /// Appends the values of the operands of a node, and then its own, as the rules are to see them. (A value can be
    /// large: it is not moved again.)
    ///
    /// # Errors
    /// Where a value cannot be had, which ends the sweep.
    fn read(&mut self, id: NodeId, values: &mut Vec<Self::Value>) -> Result<()>;

    /// Meets the cotangent of a node when all its terms have been added up, and may change it before a rule reads it.
    ///
    /// # Errors
    /// To end the sweep.
    fn visit(&mut self, _id: NodeId, _g: &mut Self::Value) -> Result<()> {
        Ok(())
    }

    /// Meets a term of the cotangent of operand `i` of node `id`, as a rule returns it.
    ///
    /// # Errors
    /// To end the sweep.
    fn term(&mut self, _id: NodeId, _i: usize, _term: &Self::Value) -> Result<()> {
        Ok(())
    }

    /// The cotangents of the operands `x` of a function with output `y` of cotangent `g`, one for each.
    ///
    /// # Errors
    /// Where the reading knows no backward pass of the function.
    fn function(
        &mut self,
        id: NodeId,
        x: &[Self::Value],
        y: &Self::Value,
        g: &Self::Value,
    ) -> Result<Vec<Option<Self::Value>>>;
}

/// Sends cotangents from the seeds back through a graph, and returns those of inputs and of retained nodes by node.
///
/// An absent cotangent is never a tensor of zeros, since `0 · inf` is not 0.
///
/// # Errors
/// Those of the reading.
pub fn sweep<G: Graph, R: Reading>(
    graph: &G,
    seeds: impl IntoIterator<Item = (NodeId, R::Value)>,
    reading: &mut R,
) -> Result<Vec<(NodeId, R::Value)>> {
    let mut pending = Pending::default();
    let mut end = 0;
    for (id, seed) in seeds {
        end = end.max(id.index() + 1);
        pending.add(id, seed);
    }
    let mut done = Vec::new();
    // The operands of a node and its result.
    let mut values = Vec::new();
    for id in (0..end).rev().map(NodeId::new) {
        if !graph.is_tracked(id) {
            continue;
        }
        let Some(mut g) = pending.take(id) else { continue };
        g.finish();
        reading.visit(id, &mut g)?;
        let operands = graph.operands(id);
        if operands.is_empty() {
            done.push((id, g));
            continue;
        }
        reading.read(id, &mut values)?;
        let (x, y) = (&values[..operands.len()], &values[operands.len()]);
        let op = graph.op(id);
        let mut of_function = if op.is_none() { reading.function(id, x, y, &g)? } else { Vec::new() };
        for (i, &operand) in operands.iter().enumerate() {
            if !graph.is_tracked(operand) {
                continue;
            }
            let d = match op {
                Some(op) => cotangent(op, i, x, y, &g),
                None => of_function.get_mut(i).and_then(Option::take),
            };
            if let Some(mut d) = d {
                // Broadcasting is undone here, for all rules.
                if !d.has_shape_of(&x[i]) {
                    d = d.sum_like(&x[i]);
                }
                reading.term(id, i, &d)?;
                pending.add(operand, d);
            }
        }
        values.clear();
        if graph.is_retained(id) {
            done.push((id, g));
        }
    }
    Ok(done)
}

/// The cotangents that wait for their node. Few wait at a time, however long the tape: their places are used again.
struct Pending<V> {
    /// The place of each node's cotangent, if it has one.
    place: Vec<Option<Place>>,
    places: Vec<Option<V>>,
    free: Vec<Place>,
}

impl<V> Default for Pending<V> {
    fn default() -> Self {
        Pending { place: Vec::new(), places: Vec::new(), free: Vec::new() }
    }
}

impl<V: Value> Pending<V> {
    fn add(&mut self, id: NodeId, term: V) {
        if id.index() >= self.place.len() {
            self.place.resize(id.index() + 1, None);
        }
        let place = *self.place[id.index()].get_or_insert_with(|| {
            self.free.pop().unwrap_or_else(|| {
                self.places.push(None);
                Place::new(self.places.len() - 1)
            })
        });
        match &mut self.places[place.index()] {
            Some(sum) => sum.accumulate(term),
            none => *none = Some(term),
        }
    }

    fn take(&mut self, id: NodeId) -> Option<V> {
        let place = self.place[id.index()].take()?;
        self.free.push(place);
        self.places[place.index()].take()
    }
}
