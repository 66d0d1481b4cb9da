//! A tape as operations with names, without its values; functions as the operations that they stand for.

use retrograde_autograd::op::Op;
use retrograde_autograd::sweep;
use retrograde_autograd::{NodeId, NodeKind, Result, Tape};
use retrograde_tensor::{Float, Shape};

/// Nodes in the order of execution.
#[derive(Default)]
pub(crate) struct Graph(Vec<Node>);

/// A node of a graph.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) operands: Vec<NodeId>,
    pub(crate) shape: Shape,
    /// The name as it was given.
    pub(crate) base_name: Option<String>,
    pub(crate) step: Option<usize>,
    pub(crate) tracked: bool,
    /// The node of the tape that it comes from, for the label of a node without a name.
    pub(crate) origin: NodeId,
}

/// The origin of a node.
#[derive(Clone, PartialEq)]
pub(crate) enum Kind {
    Variable,
    /// A parameter, by the name that tells it apart from others of its name.
    Parameter {
        qualified: String,
    },
    Constant,
    /// A constant without axes.
    Number(f64),
    Op(Op),
    /// A function that does not say what it stands for, by name.
    Function(&'static str),
}

impl Kind {
    /// Whether it is an input.
    pub(crate) fn is_leaf(&self) -> bool {
        !matches!(self, Kind::Op(_) | Kind::Function(_))
    }
}

impl Graph {
    /// The nodes of a tape, and its outputs among them.
    pub(crate) fn of<E: Float>(tape: &Tape<E>, outputs: &[NodeId]) -> Result<(Self, Vec<NodeId>)> {
        let mut graph = Graph::default();
        let outputs = graph.extend(tape, outputs, &[], None)?;
        Ok((graph, outputs))
    }

    /// Appends the nodes of a tape, the first of which are `inputs`, and returns where its outputs are; for those of a
    /// function, the node that calls it. Functions that no output depends on stay closed.
    fn extend<E: Float>(
        &mut self,
        tape: &Tape<E>,
        outputs: &[NodeId],
        inputs: &[NodeId],
        caller: Option<&Node>,
    ) -> Result<Vec<NodeId>> {
        let mut places = inputs.to_vec();
        let nodes = tape.nodes();
        let mut reached = vec![false; nodes.len()];
        outputs.iter().for_each(|y| reached[y.index()] = true);
        for node in nodes.iter().rev() {
            if reached[node.id.index()] {
                node.operands.iter().for_each(|x| reached[x.index()] = true);
            }
        }
        for node in nodes.into_iter().skip(inputs.len()) {
            let operands: Vec<NodeId> = node.operands.iter().map(|x| places[x.index()]).collect();
            let kind = match node.kind {
                NodeKind::Variable => Kind::Variable,
                // To a function, a parameter counts as a constant.
                NodeKind::Parameter(param) if caller.is_none() => {
                    Kind::Parameter { qualified: param.qualified_name() }
                }
                NodeKind::Op(op) => Kind::Op(op),
                NodeKind::Function(name) => Kind::Function(name),
                _ => match node.value.filter(|value| value.rank() == 0) {
                    Some(value) => Kind::Number(value.at(&[]).to_f64()),
                    None => Kind::Constant,
                },
            };
            let base_name = node.name.map(|name| match node.step {
                Some(step) => name.strip_suffix(&format!("_{step}")).unwrap_or(&name).to_owned(),
                None => name,
            });
            let (shape, step, tracked, origin) = (node.shape, node.step, node.tracked, node.id);
            let mut node = Node { kind, operands, shape, base_name, step, tracked, origin };
            if let Some(caller) = caller {
                (node.step, node.origin) = (caller.step, caller.origin);
                node.tracked &= node.operands.iter().any(|&x| self.is_tracked(x));
            }
            if let Kind::Function(_) = node.kind
                && reached[origin.index()]
                && let Some((inner, output)) = tape.expansion(origin)?
            {
                let output = self.extend(&inner, &[output], &node.operands, Some(&node))?[0];
                if node.base_name.is_some() && !node.operands.contains(&output) {
                    self.0[output.index()].base_name = node.base_name;
                }
                places.push(output);
            } else {
                places.push(self.push(node));
            }
        }
        Ok(outputs.iter().map(|y| places[y.index()]).collect())
    }

    /// Appends a node.
    pub(crate) fn push(&mut self, node: Node) -> NodeId {
        self.0.push(node);
        NodeId::new(self.0.len() - 1)
    }

    /// All nodes, in order.
    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<> {
        (0..self.0.len()).map(NodeId::new)
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.0[id.index()]
    }

    pub(crate) fn kind(&self, id: NodeId) -> &Kind {
        &self.node(id).kind
    }

    pub(crate) fn operands(&self, id: NodeId) -> &[NodeId] {
        &self.node(id).operands
    }

    pub(crate) fn shape(&self, id: NodeId) -> Shape {
        self.node(id).shape
    }

    /// Whether a cotangent can reach a node.
    pub(crate) fn is_tracked(&self, id: NodeId) -> bool {
        self.node(id).tracked
    }

    /// The time step that a node belongs to.
    pub(crate) fn step(&self, id: NodeId) -> Option<usize> {
        self.node(id).step
    }

    /// The name of a node as it was given.
    pub(crate) fn base_name(&self, id: NodeId) -> Option<&str> {
        self.node(id).base_name.as_deref()
    }

    /// The name of a node, with its time step if it has one: `h_2`.
    pub(crate) fn name(&self, id: NodeId) -> Option<String> {
        let name = self.base_name(id)?;
        Some(match self.step(id) {
            Some(step) => format!("{name}_{step}"),
            None => name.to_owned(),
        })
    }
}

impl sweep::Graph for Graph {
    fn operands(&self, id: NodeId) -> &[NodeId] {
        self.operands(id)
    }

    fn op(&self, id: NodeId) -> Option<&Op> {
        if let Kind::Op(op) = self.kind(id) { Some(op) } else { None }
    }

    fn is_tracked(&self, id: NodeId) -> bool {
        self.is_tracked(id)
    }
}
