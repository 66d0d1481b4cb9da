//! Names that tell all nodes of a tape apart.

use std::collections::{HashMap, HashSet};

use retrograde_tensor::Float;

use crate::tape::id::NodeId;
use crate::tape::record::{Kind, Record};

/// Names that are taken.
#[derive(Default)]
pub(super) struct Names(HashMap<String, usize>);

impl Names {
    /// The name, or one made of it that nothing else has: `h'`.
    pub(super) fn take(&mut self, name: String) -> String {
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
    pub(super) fn labels<E: Float>(&mut self, record: &Record<E>, count: usize) -> Vec<String> {
        let ids = || (0..count).map(NodeId::new);
        let (mut once, mut repeated) = (HashSet::new(), HashSet::new());
        for id in ids().filter(|&id| matches!(record.kind(id), Kind::Parameter)) {
            let name = record.param_of(id).name();
            if !once.insert(name) {
                repeated.insert(name);
            }
        }
        let mut labels = vec![String::new(); count];
        for id in ids() {
            let name = match record.kind(id) {
                Kind::Parameter if repeated.contains(record.param_of(id).name()) => {
                    Some(record.param_of(id).qualified_name())
                }
                _ => record.name(id),
            };
            if let Some(name) = name {
                labels[id.index()] = self.take(name);
            }
        }
        for id in ids().filter(|&id| record.name(id).is_none()) {
            labels[id.index()] = self.take(id.to_string());
        }
        labels
    }
}
