//! The record of a computation: a flat list of nodes in the order of execution (a Wengert list).

mod push;

use std::borrow::Cow;
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::Result;
use crate::op::Op;
use crate::sweep::Graph;
use crate::tape::id::{NodeId, Place};
use crate::tape::interner::Interner;
use crate::tape::param::Param;
use crate::tape::params::Params;

/// The nodes of a tape and the values that it keeps. A clone is a snapshot: tensors are shared, not copied.
#[derive(Clone)]
pub(crate) struct Record<E> {
    nodes: Vec<Node<E>>,
    /// The operands of all nodes, end to end.
    operands: Vec<NodeId>,
    /// The values that are kept: of leaves always, of an operation only where some rule reads it.
    values: Vec<Tensor<E>>,
    /// The names and shapes of nodes. Few of a step differ from those of the step before.
    names: Interner<Cow<'static, str>>,
    shapes: Interner<Shape>,
    params: Params<E>,
    /// The time step that the next nodes belong to.
    step: Option<u32>,
    /// The segments that are computed again, in order, and the start of the one that is being recorded.
    segments: Vec<Range<usize>>,
    open_segment: Option<usize>,
}

#[derive(Clone)]
struct Node<E> {
    kind: Kind<E>,
    shape: Place,
    name: Option<Place>,
    /// The place of its value, if that is kept.
    kept: Option<Place>,
    /// Whether it depends on a variable or parameter in a way that has a derivative.
    tracked: bool,
    /// Whether its gradient is returned although it is not a leaf.
    retained: bool,
    first_operand: u32,
    /// The source line that recorded it.
    location: &'static Location<'static>,
    step: Option<u32>,
}

/// The origin of a node: an input, or the result of an operation or a function.
#[derive(Clone)]
pub(crate) enum Kind<E> {
    Variable,
    Parameter,
    Constant,
    /// An operation, whose derivative is in the table.
    Op(Op),
    /// A function with a backward pass of its own.
    Function(Arc<dyn Opaque<E>>),
}

/// A function of tensors that is not in the table of rules, as the record sees it.
pub(crate) trait Opaque<E>: Send + Sync {
    fn name(&self) -> &'static str;

    fn forward(&self, x: &[&Tensor<E>]) -> Result<Tensor<E>>;

    fn backward(&self, x: &[&Tensor<E>], y: &Tensor<E>, dy: &Tensor<E>) -> Vec<Option<Tensor<E>>>;

    /// The operations that it stands for and the node of its output, if it says so. The inputs are the first nodes.
    fn expansion(&self, x: &[&Tensor<E>]) -> Result<Option<(Record<E>, NodeId)>>;
}

impl<E> Kind<E> {
    /// Whether it is an input of the computation.
    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self, Kind::Variable | Kind::Parameter | Kind::Constant)
    }

    /// The word for it in errors and printed tapes.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Kind::Variable => "variable",
            Kind::Parameter => "parameter",
            Kind::Constant => "constant",
            Kind::Op(op) => op.name(),
            Kind::Function(function) => function.name(),
        }
    }
}

impl<E> Default for Record<E> {
    fn default() -> Self {
        Record {
            nodes: Vec::new(),
            operands: Vec::new(),
            values: Vec::new(),
            names: Interner::new(),
            shapes: Interner::new(),
            params: Params::default(),
            step: None,
            segments: Vec::new(),
            open_segment: None,
        }
    }
}

impl<E: Float> Record<E> {
    /// The number of nodes.
    pub(crate) fn len(&self) -> usize {
        self.nodes.len()
    }

    /// All nodes, in order.
    pub(crate) fn ids(&self) -> impl DoubleEndedIterator<Item = NodeId> + use<E> {
        (0..self.len()).map(NodeId::new)
    }

    fn node(&self, id: NodeId) -> &Node<E> {
        &self.nodes[id.index()]
    }

    pub(crate) fn kind(&self, id: NodeId) -> &Kind<E> {
        &self.node(id).kind
    }

    pub(crate) fn operands(&self, id: NodeId) -> &[NodeId] {
        let end =
            self.nodes.get(id.index() + 1).map_or(self.operands.len(), |next| next.first_operand as usize);
        &self.operands[self.node(id).first_operand as usize..end]
    }

    pub(crate) fn shape(&self, id: NodeId) -> &Shape {
        self.shapes.get(self.node(id).shape)
    }

    /// Whether a node depends on a variable or parameter in a way that has a derivative.
    pub(crate) fn is_tracked(&self, id: NodeId) -> bool {
        self.node(id).tracked
    }

    pub(crate) fn retain(&mut self, id: NodeId) {
        self.nodes[id.index()].retained = true;
    }

    /// The source line that recorded a node.
    pub(crate) fn location(&self, id: NodeId) -> &'static Location<'static> {
        self.node(id).location
    }

    /// The time step that a node belongs to.
    pub(crate) fn step(&self, id: NodeId) -> Option<usize> {
        self.node(id).step.map(|step| step as usize)
    }

    pub(crate) fn set_step(&mut self, step: Option<usize>) {
        self.step = step.map(|step| step as u32);
    }

    /// The name of a node, with its time step if it has one: `h_2`.
    pub(crate) fn name(&self, id: NodeId) -> Option<String> {
        let name = self.names.get(self.node(id).name?);
        Some(match self.node(id).step {
            Some(step) => format!("{name}_{step}"),
            None => name.to_string(),
        })
    }

    /// The name of a node, or its number: `v3`.
    pub(crate) fn label(&self, id: NodeId) -> String {
        self.name(id).unwrap_or_else(|| id.to_string())
    }

    pub(crate) fn set_name(&mut self, id: NodeId, name: Cow<'static, str>) {
        // Compared by place, as text takes longer.
        let same = |known: &Cow<'static, str>, name: &Cow<'static, str>| match (known, name) {
            (Cow::Borrowed(known), Cow::Borrowed(name)) => std::ptr::eq(*known, *name),
            _ => false,
        };
        self.nodes[id.index()].name = Some(self.names.intern(name, same));
    }

    /// The parameters in the order in which the tape met them.
    pub(crate) fn params(&self) -> impl Iterator<Item = (&Param<E>, NodeId)> {
        self.params.iter()
    }

    /// The node and value that a parameter is read as, if it is on the tape: those of the variable bound to it, else its own.
    pub(crate) fn param(&self, param: &Param<E>) -> Result<Option<(Option<NodeId>, &Tensor<E>)>> {
        self.params.find(param, |id| self.leaf(id))
    }

    /// The node and value of the variable that is bound to a parameter.
    pub(crate) fn bound(&self, param: &Param<E>) -> Option<(Option<NodeId>, &Tensor<E>)> {
        self.params.bound(param)
    }

    /// The variables that are bound to parameters.
    pub(crate) fn bindings(&mut self) -> &mut Params<E> {
        &mut self.params
    }

    /// The parameter of a node that is one.
    pub(crate) fn param_of(&self, id: NodeId) -> &Param<E> {
        self.params.at(id)
    }

    /// The parameters whose value is no longer the one that was recorded.
    pub(crate) fn changed_params(&self) -> Vec<Param<E>> {
        self.params.changed(|id| self.leaf(id))
    }

    /// Says which parameter a node is, and which version of it.
    pub(crate) fn set_param(&mut self, id: NodeId, param: &Param<E>, version: u64) {
        self.set_name(id, Cow::Owned(param.name().to_owned()));
        self.params.push(param, id, version);
    }

    /// The value of a node, if it is kept.
    pub(crate) fn value(&self, id: NodeId) -> Option<&Tensor<E>> {
        self.node(id).kept.map(|place| &self.values[place.index()])
    }

    /// The value of a leaf.
    pub(crate) fn leaf(&self, id: NodeId) -> &Tensor<E> {
        self.value(id).expect("the value of a leaf is kept")
    }

    /// All values that are kept.
    pub(crate) fn values(&self) -> &[Tensor<E>] {
        &self.values
    }

    /// Begins a segment whose values are computed again; false within one.
    pub(crate) fn open_segment(&mut self) -> bool {
        let first = self.open_segment.is_none();
        self.open_segment.get_or_insert(self.nodes.len());
        first
    }

    pub(crate) fn close_segment(&mut self) {
        let end = self.len();
        self.segments
            .extend(self.open_segment.take().map(|start| start..end).filter(|segment| !segment.is_empty()));
    }

    /// Whether values are to be computed again.
    pub(crate) fn has_segments(&self) -> bool {
        !self.segments.is_empty() || self.open_segment.is_some()
    }

    /// The segment that a node belongs to; an empty one if its value need not be computed again.
    pub(crate) fn segment(&self, id: NodeId) -> Range<usize> {
        let id = id.index();
        let after = self.segments.partition_point(|segment| segment.end <= id);
        let open = self.open_segment.map(|start| start..self.len());
        let segment = self.segments.get(after).cloned().or(open);
        segment.filter(|segment| segment.contains(&id)).unwrap_or(0..0)
    }
}

impl<E: Float> Graph for Record<E> {
    fn operands(&self, id: NodeId) -> &[NodeId] {
        self.operands(id)
    }

    fn op(&self, id: NodeId) -> Option<&Op> {
        if let Kind::Op(op) = self.kind(id) { Some(op) } else { None }
    }

    fn is_tracked(&self, id: NodeId) -> bool {
        self.is_tracked(id)
    }

    fn is_retained(&self, id: NodeId) -> bool {
        self.node(id).retained
    }
}
