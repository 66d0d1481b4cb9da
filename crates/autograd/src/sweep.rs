//! The reverse sweep: one loop from the outputs down to the inputs, for every reading of the rules.

use retrograde_tensor::{Float, Tensor};

use crate::recompute::Saved;
use crate::rules::cotangent;
use crate::tape::id::{NodeId, Place};
use crate::tape::record::{Kind, Opaque, Record};
use crate::value::Value;
use crate::{Error, Result};

/// A way to read the rules backwards over a record: the kind of value, and what is done at each node.
pub(crate) trait Reading<E: Float> {
    /// The type that the rules are read over.
    type Value: Value;

    /// The name for errors.
    fn name(&self) -> &'static str;

    /// Appends the value of a node, as the rules are to see it, to `x`. (A value can be large: it is not moved again.)
    fn read(&mut self, id: NodeId, saved: &mut Saved<'_, E>, x: &mut Vec<Self::Value>) -> Result<()>;

    /// A tensor that is no node, such as a constant in the operations that a function stands for.
    fn constant(&mut self, value: &Tensor<E>) -> Self::Value;

    /// Meets a term of the cotangent of input `i` of node `id`, as a rule returns it.
    fn term(&mut self, _id: NodeId, _i: usize, _term: &Self::Value) -> Result<()> {
        Ok(())
    }

    /// Meets the cotangent of a node when all its terms have been added up, and may change it before a rule reads it.
    fn visit(&mut self, _id: NodeId, _g: &mut Self::Value) -> Result<()> {
        Ok(())
    }

    /// The cotangents of the inputs `x` of a function with output `y` of cotangent `g`, by the user's backward pass;
    /// `None` where only operations of the table will do.
    fn function(
        &mut self,
        _function: &dyn Opaque<E>,
        _x: &[Self::Value],
        _y: &Self::Value,
        _g: &Self::Value,
    ) -> Option<Result<Vec<Option<Self::Value>>>> {
        None
    }
}

/// Sends cotangents from the seeds back through a record, and returns those of leaves and of retained nodes by node.
///
/// An absent cotangent is never a tensor of zeros, since `0 · inf` is not 0.
pub(crate) fn sweep<E: Float, R: Reading<E>>(
    record: &Record<E>,
    seeds: impl IntoIterator<Item = (NodeId, R::Value)>,
    reading: &mut R,
) -> Result<Vec<(NodeId, R::Value)>> {
    let mut saved = Saved::new(record);
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
        if !record.is_tracked(id) {
            continue;
        }
        let Some(mut g) = pending.take(id) else { continue };
        g.finish();
        reading.visit(id, &mut g)?;
        let kind = record.kind(id);
        if kind.is_leaf() {
            done.push((id, g));
            continue;
        }
        saved.seek(id);
        let operands = record.operands(id);
        for &operand in operands {
            reading.read(operand, &mut saved, &mut values)?;
        }
        reading.read(id, &mut saved, &mut values)?;
        let (x, y) = (&values[..operands.len()], &values[operands.len()]);
        let mut of_function = match kind {
            Kind::Function(function) => pullback(reading, &**function, operands, (x, y, &g), &mut saved)?,
            _ => Vec::new(),
        };
        for (i, &operand) in operands.iter().enumerate() {
            if !record.is_tracked(operand) {
                continue;
            }
            let d = match kind {
                Kind::Op(op) => cotangent(op, i, x, y, &g),
                _ => of_function[i].take(),
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
        if record.is_retained(id) {
            done.push((id, g));
        }
    }
    Ok(done)
}

/// The cotangents of the inputs of a function: by the user's backward pass, or through the operations it stands for.
fn pullback<E: Float, R: Reading<E>>(
    reading: &mut R,
    function: &dyn Opaque<E>,
    operands: &[NodeId],
    (x, y, g): (&[R::Value], &R::Value, &R::Value),
    saved: &mut Saved<'_, E>,
) -> Result<Vec<Option<R::Value>>> {
    if let Some(cotangents) = reading.function(function, x, y, g) {
        return cotangents;
    }
    let name = reading.name();
    let inputs = operands.iter().map(|&id| saved.get_or_nan(id)).collect::<Result<Vec<_>>>()?;
    let Some((record, output)) = function.expansion(&inputs.iter().collect::<Vec<_>>())? else {
        return Err(Error::NoRule { op: name, function: function.name() });
    };
    let mut through = Through { name, constant: &mut |value| reading.constant(value), values: Vec::new() };
    through.evaluate(&record, x)?;
    let mut cotangents = vec![None; x.len()];
    for (id, d) in sweep(&record, [(output, g.clone())], &mut through)? {
        if let Some(place) = cotangents.get_mut(id.index()) {
            *place = Some(d);
        }
    }
    Ok(cotangents)
}

/// The operations that a function stands for, read over the same kind of value as what the function is part of.
pub(crate) struct Through<'a, E, V> {
    /// The name of the reading that they are part of.
    pub(crate) name: &'static str,
    pub(crate) constant: &'a mut dyn FnMut(&Tensor<E>) -> V,
    /// The values of the nodes.
    pub(crate) values: Vec<V>,
}

impl<E: Float, V: Value> Through<'_, E, V> {
    /// Evaluates the nodes, of which the first are the inputs `x`.
    pub(crate) fn evaluate(&mut self, record: &Record<E>, x: &[V]) -> Result<()> {
        let mut saved = Saved::new(record);
        for id in record.ids() {
            let operands: Vec<V> =
                record.operands(id).iter().map(|x| self.values[x.index()].clone()).collect();
            let value = match record.kind(id) {
                Kind::Op(op) => V::apply(op.clone(), &operands.iter().collect::<Vec<_>>()),
                Kind::Function(function) => {
                    let inputs = record
                        .operands(id)
                        .iter()
                        .map(|&x| saved.get_or_nan(x))
                        .collect::<Result<Vec<_>>>()?;
                    let expansion = function.expansion(&inputs.iter().collect::<Vec<_>>())?;
                    let unsupported = Error::NoRule { op: self.name, function: function.name() };
                    let (record, output) = expansion.ok_or(unsupported)?;
                    let constant = &mut *self.constant;
                    let mut inner = Through { name: self.name, constant, values: Vec::new() };
                    inner.evaluate(&record, &operands)?;
                    inner.values.swap_remove(output.index())
                }
                _ if id.index() < x.len() => x[id.index()].clone(),
                _ => (self.constant)(record.leaf(id)),
            };
            self.values.push(value);
        }
        Ok(())
    }
}

impl<E: Float, V: Value> Reading<E> for Through<'_, E, V> {
    type Value = V;

    fn name(&self) -> &'static str {
        self.name
    }

    fn read(&mut self, id: NodeId, _: &mut Saved<'_, E>, x: &mut Vec<V>) -> Result<()> {
        x.push(self.values[id.index()].clone());
        Ok(())
    }

    fn constant(&mut self, value: &Tensor<E>) -> V {
        (self.constant)(value)
    }
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
