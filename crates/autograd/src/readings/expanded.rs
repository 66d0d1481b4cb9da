//! A function read through the operations that it stands for.

use retrograde_tensor::{Float, Tensor};

use crate::recompute::Saved;
use crate::sweep::{Reading, sweep};
use crate::tape::id::NodeId;
use crate::tape::record::{Kind, Record};
use crate::value::Value;
use crate::{Error, Result};

/// A reading that sees through functions.
pub(crate) struct Expanding<'a, E, V> {
    /// The name for errors.
    pub(crate) name: &'static str,
    /// Makes a value of a tensor that is no node of the tape, such as a constant in the operations.
    pub(crate) constant: &'a mut dyn FnMut(&Tensor<E>) -> V,
}

impl<E: Float, V: Value> Expanding<'_, E, V> {
    /// The cotangents of the inputs `x` of a function with an output of cotangent `g`.
    pub(crate) fn pullback(
        &mut self,
        id: NodeId,
        saved: &mut Saved<'_, E>,
        x: &[V],
        g: &V,
    ) -> Result<Vec<Option<V>>> {
        let (record, output) = self.expansion(id, saved)?;
        let values = self.evaluate(&record, x)?;
        let (name, constant) = (self.name, &mut *self.constant);
        let expanding = Expanding { name, constant };
        let mut through = Through { record: &record, saved: Saved::new(&record), values, expanding };
        let mut cotangents = vec![None; x.len()];
        for (id, d) in sweep(&record, [(output, g.clone())], &mut through)? {
            if let Some(place) = cotangents.get_mut(id.index()) {
                *place = Some(d);
            }
        }
        Ok(cotangents)
    }

    /// The operations of a function and their result.
    fn expansion(&self, id: NodeId, saved: &mut Saved<'_, E>) -> Result<(Record<E>, NodeId)> {
        let function = saved.record.kind(id).name();
        saved.expansion(id)?.ok_or(Error::NoRule { op: self.name, function })
    }

    /// The values of all nodes, of which the first are the inputs `x`.
    fn evaluate(&mut self, record: &Record<E>, x: &[V]) -> Result<Vec<V>> {
        let mut saved = Saved::new(record);
        let mut values: Vec<V> = Vec::with_capacity(record.len());
        for id in record.ids() {
            let operands = || record.operands(id).iter().map(|x| &values[x.index()]);
            let value = match record.kind(id) {
                Kind::Op(op) => V::apply(op.clone(), &operands().collect::<Vec<_>>()),
                Kind::Function(_) => {
                    let (inner, output) = self.expansion(id, &mut saved)?;
                    self.evaluate(&inner, &operands().cloned().collect::<Vec<_>>())?
                        .swap_remove(output.index())
                }
                _ if id.index() < x.len() => x[id.index()].clone(),
                _ => (self.constant)(record.leaf(id)),
            };
            values.push(value);
        }
        Ok(values)
    }
}

/// The reading of the operations over the values that they have.
struct Through<'a, 'r, E, V> {
    record: &'r Record<E>,
    saved: Saved<'r, E>,
    values: Vec<V>,
    expanding: Expanding<'a, E, V>,
}

impl<E: Float, V: Value> Reading for Through<'_, '_, E, V> {
    type Value = V;

    fn read(&mut self, id: NodeId, values: &mut Vec<V>) -> Result<()> {
        let ids = self.record.operands(id).iter().chain([&id]);
        values.extend(ids.map(|x| self.values[x.index()].clone()));
        Ok(())
    }

    fn function(&mut self, id: NodeId, x: &[V], _: &V, g: &V) -> Result<Vec<Option<V>>> {
        self.expanding.pullback(id, &mut self.saved, x, g)
    }
}
