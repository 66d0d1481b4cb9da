//! A public look inside a tape: its nodes, one by one.

use std::panic::Location;

use retrograde_tensor::{Element, Float, Shape, Tensor};

use crate::op::Op;
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::param::Param;
use crate::tape::record::{Kind, Record};

/// One node of a tape: an input, or the result of an operation.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Node<E: Element> {
    /// Its number.
    pub id: NodeId,
    /// Its name, with the time step: `h_2`.
    pub name: Option<String>,
    /// The time step that it belongs to.
    pub step: Option<usize>,
    /// The kind of node: an input, or an operation.
    pub kind: NodeKind<E>,
    /// The nodes that the operation was applied to.
    pub operands: Vec<NodeId>,
    /// The shape of its value.
    pub shape: Shape,
    /// Its value, if the tape keeps it: always for inputs, for results where some rule reads it.
    pub value: Option<Tensor<E>>,
    /// Whether a gradient can reach it: it depends on a variable or parameter in a way that has a derivative.
    pub tracked: bool,
    /// The source line that recorded it.
    pub location: &'static Location<'static>,
}

/// The origin of a [`Node`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum NodeKind<E: Element> {
    /// An input that gradients are taken with respect to.
    Variable,
    /// A parameter that the tape has met.
    Parameter(Param<E>),
    /// An input without a gradient.
    Constant,
    /// An operation of the table of rules.
    Op(Op),
    /// A [`Function`](crate::Function) with a backward pass of its own, by name.
    Function(&'static str),
}

impl<E: Element> Node<E> {
    /// The name, or the number for a node without one: `v3`.
    #[must_use]
    pub fn label(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.id.to_string())
    }
}

impl<E: Float> Tape<E> {
    /// All nodes in the order of recording; `nodes()[id.index()]` is the node of an id.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{NodeKind, Op, Tape};
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([1.0_f64, 2.0])).named("x");
    /// let y = (&x * 3.0).named("y");
    /// let nodes = tape.nodes();
    /// let node = &nodes[y.id().unwrap().index()];
    /// assert!(matches!(node.kind, NodeKind::Op(Op::Scale(3.0))));
    /// assert_eq!(node.operands, [x.id().unwrap()]);
    /// assert!(node.value.is_none(), "no rule reads it");
    /// ```
    #[must_use]
    pub fn nodes(&self) -> Vec<Node<E>> {
        let record = self.record.borrow();
        record.ids().map(|id| record.inspect(id)).collect()
    }

    /// The node of an id of this tape; `None` for an id beyond its end.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<Node<E>> {
        let record = self.record.borrow();
        (id.index() < record.len()).then(|| record.inspect(id))
    }

    /// The parameters that the tape has met, in order.
    #[must_use]
    pub fn params(&self) -> Vec<Param<E>> {
        self.record.borrow().params().map(|(param, _)| param.clone()).collect()
    }

    /// The parameters whose value is no longer the one that the tape recorded. It refuses to record them again.
    #[must_use]
    pub fn changed_params(&self) -> Vec<Param<E>> {
        self.record.borrow().changed_params()
    }
}

impl<E: Float> Record<E> {
    fn inspect(&self, id: NodeId) -> Node<E> {
        Node {
            id,
            name: self.name(id),
            step: self.step(id),
            kind: match self.kind(id) {
                Kind::Variable => NodeKind::Variable,
                Kind::Parameter => NodeKind::Parameter(self.param_of(id).clone()),
                Kind::Constant => NodeKind::Constant,
                Kind::Op(op) => NodeKind::Op(op.clone()),
                Kind::Function(function) => NodeKind::Function(function.name()),
            },
            operands: self.operands(id).to_vec(),
            shape: *self.shape(id),
            value: self.value(id).cloned(),
            tracked: self.is_tracked(id),
            location: self.location(id),
        }
    }
}
