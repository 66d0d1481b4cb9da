//! The reverse sweep: one loop from the root down to 0, for every reading of the rules.

use retrograde_tensor::Float;

use crate::rules::cotangent;
use crate::tape::{Origin, Record};
use crate::value::Value;

/// Sends cotangents from the seeds back through a record, and returns those of leaves and of retained nodes by node.
///
/// `value` gives the value of a node as the rules are to see it. `settle` is called once for each node that a
/// cotangent reaches, when all its contributions have been added up and before any rule reads it. An absent
/// cotangent is `None`, never a tensor of zeros, since `0 · inf` is not 0.
pub(crate) fn sweep<E: Float, V: Value>(
    record: &Record<E>,
    seeds: impl IntoIterator<Item = (u32, V)>,
    mut value: impl FnMut(u32) -> V,
    mut settle: impl FnMut(u32, V) -> V,
) -> Vec<Option<V>> {
    let mut cotangents: Vec<Option<V>> = Vec::new();
    for (id, seed) in seeds {
        cotangents.resize(cotangents.len().max(id as usize + 1), None);
        add(&mut cotangents[id as usize], seed);
    }
    let mut x = Vec::new();
    for id in (0..cotangents.len() as u32).rev() {
        let node = &record.nodes[id as usize];
        let Some(g) = cotangents[id as usize].take().filter(|_| node.tracked) else { continue };
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
                    add(&mut cotangents[operand as usize], d);
                }
            }
            x.clear();
            if !node.retained {
                continue;
            }
        }
        cotangents[id as usize] = Some(g);
    }
    cotangents
}

fn add<V: Value>(sum: &mut Option<V>, term: V) {
    match sum {
        Some(sum) => sum.accumulate(term),
        None => *sum = Some(term),
    }
}
