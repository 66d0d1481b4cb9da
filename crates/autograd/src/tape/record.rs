//! The record of a computation: a flat list of nodes in the order of execution (a Wengert list).

use std::borrow::Cow;
use std::ops::Range;
use std::panic::Location;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::op::Op;
use crate::readings::saved::{Read, ReadsOf};
use crate::tape::interner::Recurring;
use crate::tape::node::Origin;
use crate::tape::param::Param;
use crate::tape::var::Var;

/// What a tape holds. A copy of it is a snapshot: tensors are shared, not copied.
#[derive(Clone)]
pub(crate) struct Record<E> {
    pub(crate) nodes: Vec<Node<E>>,
    /// The values that are kept: leaves always, the value of an operation only where some rule reads it.
    pub(crate) values: Vec<Tensor<E>>,
    /// The names and shapes of nodes, which few steps of a sequence have anew.
    names: Recurring<Cow<'static, str>>,
    shapes: Recurring<Shape>,
    /// The operands of all nodes, end to end.
    pub(crate) operands: Vec<u32>,
    pub(crate) params: Vec<(Param<E>, u32)>,
    reads: ReadsOf,
    pub(crate) step: Option<u32>,
    /// Where the segment began that is being recorded to be computed again.
    pub(crate) segment: Option<u32>,
    /// The segments that are computed again, in order.
    pub(crate) segments: Vec<Range<u32>>,
}

/// One entry of a tape.
#[derive(Clone)]
pub(crate) struct Node<E> {
    pub(crate) origin: Origin<E>,
    /// Where its shape is among those that there are.
    shape: u32,
    /// Where its name is among those given, or [`UNNAMED`].
    name: u32,
    /// Where its value is among those kept, or [`NOT_KEPT`].
    kept: u32,
    /// Whether it depends on a variable or parameter in a way that has a derivative.
    pub(crate) tracked: bool,
    /// Whether its gradient is handed out although it is not a leaf.
    pub(crate) retained: bool,
    pub(crate) first_operand: u32,
    /// The source line that recorded it.
    pub(crate) location: &'static Location<'static>,
    /// The time step that it belongs to, if any.
    pub(crate) step: Option<u32>,
}

/// The id of variables of a tape that does not record.
pub(crate) const UNRECORDED: u32 = u32::MAX;

/// The place of a value that is not kept.
const NOT_KEPT: u32 = u32::MAX;

/// The place of a name that was not given.
const UNNAMED: u32 = u32::MAX;

impl<E: Float> Record<E> {
    pub(crate) fn new() -> Self {
        Record {
            nodes: Vec::new(),
            values: Vec::new(),
            names: Recurring::new(),
            shapes: Recurring::new(),
            operands: Vec::new(),
            params: Vec::new(),
            reads: ReadsOf::default(),
            step: None,
            segment: None,
            segments: Vec::new(),
        }
    }

    /// The operands of a node.
    pub(crate) fn operands(&self, id: u32) -> &[u32] {
        let end =
            self.nodes.get(id as usize + 1).map_or(self.operands.len(), |next| next.first_operand as usize);
        &self.operands[self.nodes[id as usize].first_operand as usize..end]
    }

    /// The value of a node, if it is kept.
    pub(crate) fn value(&self, id: u32) -> Option<&Tensor<E>> {
        self.values.get(self.nodes[id as usize].kept as usize)
    }

    /// The value of a leaf.
    pub(crate) fn leaf(&self, id: u32) -> &Tensor<E> {
        self.value(id).expect("the value of a leaf is kept")
    }

    /// Keeps the value of a node, if it is not kept.
    fn keep(&mut self, id: u32, value: &Tensor<E>) {
        let kept = &mut self.nodes[id as usize].kept;
        if *kept == NOT_KEPT {
            *kept = self.values.len() as u32;
            self.values.push(value.clone());
        }
    }

    /// The name of a node, with its time step if it has one: `h_2`.
    pub(crate) fn name(&self, id: u32) -> Option<String> {
        let node = &self.nodes[id as usize];
        let name = self.names.get(node.name)?;
        Some(match node.step {
            Some(step) => format!("{name}_{step}"),
            None => name.to_string(),
        })
    }

    /// Names a node.
    pub(crate) fn set_name(&mut self, id: u32, name: Cow<'static, str>) {
        // Compared by place, as text takes longer.
        let same = |known: &Cow<'static, str>, name: &Cow<'static, str>| match (known, name) {
            (Cow::Borrowed(known), Cow::Borrowed(name)) => std::ptr::eq(*known, *name),
            _ => false,
        };
        self.nodes[id as usize].name = self.names.place(name, same);
    }

    /// The shape of a node.
    pub(crate) fn shape(&self, id: u32) -> Shape {
        *self.shapes.get(self.nodes[id as usize].shape).expect("every node has a shape")
    }

    /// The node of a parameter, if it is on the tape.
    pub(crate) fn param(&self, param: &Param<E>) -> Option<u32> {
        self.params.iter().find(|(known, _)| known.same(param)).map(|&(_, id)| id)
    }

    /// The next node, whose operands are about to be appended.
    fn node(
        &mut self,
        origin: Origin<E>,
        shape: Shape,
        tracked: bool,
        location: &'static Location<'static>,
    ) -> Node<E> {
        let shape = self.shapes.place(shape, Shape::eq);
        let first_operand = self.operands.len() as u32;
        let (kept, name, step) = (NOT_KEPT, UNNAMED, self.step);
        Node { origin, shape, name, kept, tracked, retained: false, first_operand, location, step }
    }

    fn push(&mut self, node: Node<E>) -> u32 {
        let id = u32::try_from(self.nodes.len()).ok().filter(|&id| id != UNRECORDED);
        self.nodes.push(node);
        id.expect("a tape holds fewer than 2³² - 1 nodes")
    }

    /// Appends a node that is an input, and keeps its value.
    pub(crate) fn push_leaf(
        &mut self,
        origin: Origin<E>,
        value: &Tensor<E>,
        location: &'static Location<'static>,
    ) -> u32 {
        // A parameter is shared by all steps, whichever asks for it first.
        let step = self.step.filter(|_| !matches!(origin, Origin::Parameter));
        let tracked = !matches!(origin, Origin::Constant);
        let node = Node { step, ..self.node(origin, value.shape(), tracked, location) };
        let id = self.push(node);
        self.keep(id, value);
        id
    }

    /// Appends a node of an operation, and keeps what the backward pass will read.
    pub(crate) fn push_op(
        &mut self,
        op: Op,
        x: &[&Var<'_, E>],
        shapes: &[Shape],
        value: &Tensor<E>,
        location: &'static Location<'static>,
    ) -> u32 {
        let rules = self.reads.of(&op, shapes, value.shape());
        let mut tracked = false;
        let mut read = Read::default();
        for (i, xi) in x.iter().enumerate() {
            if self.nodes[xi.id() as usize].tracked
                && let Some(reads) = rules.of_input(i)
            {
                tracked = true;
                read = read.and(reads);
            }
        }
        self.push_result(Origin::Computed(op), x, value, (tracked, read), location)
    }

    /// Appends a node that is no leaf, and keeps what the backward pass will read.
    pub(crate) fn push_result(
        &mut self,
        origin: Origin<E>,
        x: &[&Var<'_, E>],
        value: &Tensor<E>,
        (tracked, read): (bool, Read),
        location: &'static Location<'static>,
    ) -> u32 {
        for (j, xj) in x.iter().enumerate() {
            let keep = match self.segment {
                // To be computed again, a segment needs all that it began from.
                Some(start) => xj.id() < start,
                None => read.input(j),
            };
            if keep {
                self.keep(xj.id(), xj.value());
            }
        }
        let node = self.node(origin, value.shape(), tracked, location);
        self.operands.extend(x.iter().map(|x| x.id()));
        let id = self.push(node);
        if self.segment.is_none() && read.output() {
            self.keep(id, value);
        }
        self.share_stacked(id, value);
        id
    }

    /// Keeps what was stacked as views on the stack, so that the states of a sequence are not kept twice.
    fn share_stacked(&mut self, id: u32, stack: &Tensor<E>) {
        let Origin::Computed(Op::Stack { axis }) = self.nodes[id as usize].origin else { return };
        let first = self.nodes[id as usize].first_operand as usize;
        for index in 0..self.operands.len() - first {
            let node = &self.nodes[self.operands[first + index] as usize];
            if node.kept != NOT_KEPT && !node.origin.is_leaf() {
                self.values[node.kept as usize] = stack.select(axis, index);
            }
        }
    }
}
