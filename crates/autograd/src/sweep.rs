//! The reverse sweep: one loop from the root down to 0, for every reading of the rules.

use retrograde_tensor::Float;

use crate::rules::cotangent;
use crate::tape::{Origin, Record};
use crate::value::Value;

/// Sends cotangents from the seeds back through a record, and returns those of leaves and of retained nodes by node.
///
/// `value` gives the value of a node as the rules are to see it. `settle` is called once for each node that a
/// cotangent reaches, when all its contributions have been added up and before any rule reads it. An absent
/// cotangent is never a tensor of zeros, since `0 · inf` is not 0.
pub(crate) fn sweep<E: Float, V: Value>(
    record: &Record<E>,
    seeds: impl IntoIterator<Item = (u32, V)>,
    mut value: impl FnMut(u32) -> V,
    mut settle: impl FnMut(u32, V) -> V,
) -> Vec<(u32, V)> {
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
        let Some(g) = pending.take(id).filter(|_| node.tracked) else { continue };
        let g = settle(id, g);
        if let Origin::Computed(op) = &node.origin {
            let operands = record.operands(id);
            x.extend(operands.iter().map(|&operand| value(operand)));
            let y = value(id);
            for (i, &operand) in operands.iter().enumerate() {
                if record.nodes[operand as usize].tracked
                    && let Some(d) = cotangent(op, i, &x, &y, &g)
                {
                    debug_assert_eq!(
                        d.shape(),
                        x[i].shape(),
                        "{}: the rule of input {i} gives another shape",
                        op.name()
                    );
                    pending.add(operand, d);
                }
            }
            x.clear();
            if !node.retained {
                continue;
            }
        }
        done.push((id, g));
    }
    done
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
