//! Names that tell all nodes of a tape apart.

use std::collections::{HashMap, HashSet};

use crate::graph::{Graph, Kind};
use retrograde_autograd::NodeId;

/// Names that are taken.
#[derive(Default)]
pub(crate) struct Names(HashMap<String, usize>);

impl Names {
    /// The name, or one made of it that nothing else has: `h'`.
    pub(crate) fn take(&mut self, name: String) -> String {
        let Some(repeats) = self.0.get_mut(&name) else {
            self.0.insert(name.clone(), 0);
            return name;
        };
        *repeats += 1;
        let other = if *repeats == 1 { format!("{name}'") } else { format!("{name}'{repeats}") };
        self.take(other)
    }

    /// A name for each of the first nodes of a record: its own, or its number, `v3`. Parameters of one name are told apart
    /// by what they belong to, `linear.b`.
    pub(crate) fn labels(&mut self, record: &Graph, count: usize) -> Vec<String> {
        let ids = || (0..count).map(NodeId::new);
        let (mut once, mut repeated) = (HashSet::new(), HashSet::new());
        for id in ids().filter(|&id| matches!(record.kind(id), Kind::Parameter { .. })) {
            let name = record.base_name(id);
            if !once.insert(name) {
                repeated.insert(name);
            }
        }
        let mut labels = vec![String::new(); count];
        for id in ids() {
            let name = match record.kind(id) {
                Kind::Parameter { qualified } if repeated.contains(&record.base_name(id)) => {
                    Some(qualified.clone())
                }
                _ => record.name(id),
            };
            if let Some(name) = name {
                labels[id.index()] = self.take(name);
            }
        }
        // The result of a function comes last, and has the number that the tape gave it.
        for id in ids().rev().filter(|&id| record.name(id).is_none()) {
            labels[id.index()] = self.take(record.node(id).origin.to_string());
        }
        labels
    }
}
