//! Some operations of a graph as a graph of their own: one step of a loop, or what stands around it.

use std::collections::HashMap;

use retrograde_autograd::NodeId;

use crate::graph::{Graph, Kind, Node};

/// Some operations of a graph as a graph of their own.
pub(crate) struct Excerpt<'r> {
    from: &'r Graph,
    pub(crate) record: Graph,
    pub(crate) labels: Vec<String>,
    /// The node of the excerpt for each of the whole.
    pub(crate) of: HashMap<NodeId, NodeId>,
}

impl<'r> Excerpt<'r> {
    pub(crate) fn new(from: &'r Graph) -> Self {
        Excerpt { from, record: Graph::default(), labels: Vec::new(), of: HashMap::new() }
    }

    /// Appends a node made of one of the whole, under another name if it is to have one.
    fn push(&mut self, node: Node, label: String, named: bool) -> NodeId {
        let base_name = named.then(|| label.clone());
        self.labels.push(label);
        self.record.push(Node { base_name, step: None, ..node })
    }

    /// A node of which only the value is known here.
    pub(crate) fn anonymous(&mut self, id: NodeId, label: String, tracked: bool) -> NodeId {
        let kind = if tracked { Kind::Variable } else { Kind::Constant };
        let node = Node { kind, operands: Vec::new(), tracked, ..self.from.node(id).clone() };
        self.push(node, label, true)
    }

    /// A leaf, or the value of another part.
    pub(crate) fn input(&mut self, id: NodeId, label: String, tracked: bool) {
        let inner = match self.from.kind(id) {
            Kind::Number(_) => {
                self.push(self.from.node(id).clone(), label, self.from.base_name(id).is_some())
            }
            _ => self.anonymous(id, label, tracked),
        };
        self.of.insert(id, inner);
    }

    pub(crate) fn operation(&mut self, id: NodeId, operands: Vec<NodeId>, label: String, named: bool) {
        let inner = self.push(Node { operands, ..self.from.node(id).clone() }, label, named);
        self.of.insert(id, inner);
    }
}
