//! The reverse sweep: one loop from the root down to 0, for every reading of the rules.

use retrograde_tensor::Float;

use crate::Result;
use crate::function::Function;
use crate::recompute::Values;
use crate::rules::cotangent;
use crate::tape::node::Origin;
use crate::tape::record::Record;
use crate::value::Value;

/// Sends cotangents from the seeds back through a record, and returns those of leaves and of retained nodes by node.
///
/// `value` gives the value of a node as the rules are to see it. `look` is shown the cotangent of each node that one
/// reaches, and may change it, when all its contributions have been added up and before any rule reads it. An absent
/// cotangent is never a tensor of zeros, since `0 · inf` is not 0. `call` gives the cotangents of the inputs of a
/// function that has no rule.
pub(crate) fn sweep<'r, E: Float, V: Value>(
    record: &'r Record<E>,
    seeds: impl IntoIterator<Item = (u32, V)>,
    mut value: impl FnMut(u32, &mut Values<'r, E>) -> V,
    mut look: impl FnMut(u32, &mut V, &mut Values<'r, E>),
    call: impl Fn(&dyn Function<E>, &[V], &V, &V) -> Result<Vec<Option<V>>>,
) -> Result<Vec<(u32, V)>> {
    let mut values = Values::new(record);
    let mut pending = Pending::default();
    let mut end = 0;
    for (id, seed) in seeds {
        end = end.max(id + 1);
        pending.add(id, seed);
    }
    let mut done = Vec::new();
    let mut x = Vec::new();
    for id in (0..end).rev() {
        let node = &record.nodes[id as usize];
        if !node.tracked {
            continue;
        }
        let Some(mut g) = pending.take(id) else { continue };
        g.settle();
        values.turn_to(id);
        look(id, &mut g, &mut values);
        if node.origin.is_leaf() {
            done.push((id, g));
            continue;
        }
        let operands = record.operands(id);
        x.extend(operands.iter().map(|&operand| value(operand, &mut values)));
        let y = value(id, &mut values);
        let tracked = |&i: &usize| record.nodes[operands[i] as usize].tracked;
        let wanted = (0..operands.len()).filter(tracked);
        pull_back(&node.origin, wanted, (&x, &y, &g), &call, |i, d| pending.add(operands[i], d))?;
        x.clear();
        if node.retained {
            done.push((id, g));
        }
    }
    Ok(done)
}

/// The cotangents of the wanted inputs of a node with inputs `x` and output `y` of cotangent `g`: by the rules of its
/// operation, or by `call` of its function.
pub(crate) fn pull_back<E: Float, V: Value>(
    origin: &Origin<E>,
    wanted: impl Iterator<Item = usize>,
    (x, y, g): (&[V], &V, &V),
    call: impl Fn(&dyn Function<E>, &[V], &V, &V) -> Result<Vec<Option<V>>>,
    mut each: impl FnMut(usize, V),
) -> Result<()> {
    match origin {
        Origin::Computed(op) => {
            for i in wanted {
                let Some(d) = cotangent(op, i, x, y, g) else { continue };
                // Broadcasting is undone here, for all rules.
                each(i, if d.shape() == x[i].shape() { d } else { d.sum_like(&x[i]) });
            }
        }
        Origin::Called(function) => {
            let mut cotangents = call(&**function, x, y, g)?;
            wanted.for_each(|i| {
                if let Some(d) = cotangents[i].take() {
                    each(i, d);
                }
            });
        }
        Origin::Variable | Origin::Parameter | Origin::Constant => {}
    }
    Ok(())
}

/// The cotangents that wait for their node. Few wait at a time, however long the tape: their places are used again.
struct Pending<V> {
    /// The place of each node's cotangent, [`NOWHERE`](Self::NOWHERE) if it has none.
    place: Vec<u32>,
    places: Vec<Option<V>>,
    free: Vec<u32>,
}

impl<V> Default for Pending<V> {
    fn default() -> Self {
        Pending { place: Vec::new(), places: Vec::new(), free: Vec::new() }
    }
}

impl<V: Value> Pending<V> {
    const NOWHERE: u32 = u32::MAX;

    fn add(&mut self, id: u32, term: V) {
        if id as usize >= self.place.len() {
            self.place.resize(id as usize + 1, Self::NOWHERE);
        }
        let place = &mut self.place[id as usize];
        if *place == Self::NOWHERE {
            *place = self.free.pop().unwrap_or_else(|| {
                self.places.push(None);
                self.places.len() as u32 - 1
            });
        }
        match &mut self.places[*place as usize] {
            Some(sum) => sum.accumulate(term),
            none => *none = Some(term),
        }
    }

    fn take(&mut self, id: u32) -> Option<V> {
        let place = std::mem::replace(&mut self.place[id as usize], Self::NOWHERE);
        if place == Self::NOWHERE {
            return None;
        }
        self.free.push(place);
        self.places[place as usize].take()
    }
}
