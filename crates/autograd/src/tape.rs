//! The record of a computation: a flat list of nodes in the order of execution (a Wengert list).

use std::borrow::Cow;
use std::cell::RefCell;
use std::ops::Range;
use std::panic::Location;
use std::sync::Arc;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::op::Op;
use crate::operand::Operand;
use crate::origin::Origin;
use crate::param::Param;
use crate::reads::{Read, ReadsOf};
use crate::var::Var;
use crate::{Error, Result};

/// The record of a computation, from which derivatives are derived.
///
/// A tape grows by a node an operation and is dropped as a whole. A [`Var`] borrows its tape, so the compiler proves
/// that no variable outlives it: truncated backpropagation is a plain tensor ([`Var::detach`]) and a fresh tape.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_tensor::Tensor;
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([1.0, 2.0, 3.0]));
/// let y = (&x * &x).sum();
/// let grads = y.backward()?;
/// assert_eq!(grads.get(&x), Some(&Tensor::from([2.0, 4.0, 6.0])));
/// # Ok::<(), retrograde_autograd::Error>(())
/// ```
///
/// A state cannot be carried into the next tape by accident:
/// ```compile_fail,E0597
/// # use retrograde_autograd::Tape;
/// # use retrograde_tensor::Tensor;
/// let h = {
///     let tape = Tape::new();
///     tape.var(Tensor::from([0.0_f64])).tanh()
/// };
/// println!("{h:?}");
/// ```
/// but a value can, and nothing flows back through it:
/// ```
/// # use retrograde_autograd::Tape;
/// # use retrograde_tensor::Tensor;
/// let h = {
///     let tape = Tape::new();
///     tape.var(Tensor::from([0.0_f64])).tanh().detach()
/// };
/// let tape = Tape::new();
/// let h = tape.constant(h);
/// # assert_eq!(h.value(), &Tensor::from([0.0]));
/// ```
pub struct Tape<E> {
    pub(crate) record: RefCell<Record<E>>,
    recording: bool,
    /// Outlives the tape in its gradients, so that no later tape can be taken for this one.
    pub(crate) identity: Arc<()>,
}

/// What a tape holds. A copy of it is a snapshot: tensors are shared, not copied.
#[derive(Clone)]
pub(crate) struct Record<E> {
    pub(crate) nodes: Vec<Node<E>>,
    /// The values that are kept: leaves always, the value of an operation only where some rule reads it.
    pub(crate) values: Vec<Tensor<E>>,
    /// The operands of all nodes, end to end.
    pub(crate) operands: Vec<u32>,
    pub(crate) params: Vec<(Param<E>, u32)>,
    reads: ReadsOf,
    step: Option<u32>,
    /// Where the segment began that is being recorded to be computed again.
    pub(crate) segment: Option<u32>,
    /// The segments that are computed again, in order.
    pub(crate) segments: Vec<Range<u32>>,
}

/// One entry of a tape.
#[derive(Clone)]
pub(crate) struct Node<E> {
    pub(crate) origin: Origin<E>,
    pub(crate) name: Option<Cow<'static, str>>,
    pub(crate) shape: Shape,
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

impl<E: Float> Tape<E> {
    /// An empty tape that records.
    pub fn new() -> Self {
        Self::with(true)
    }

    /// A tape that computes and records nothing, for evaluation: its memory stays empty however long the computation.
    ///
    /// The same code runs on it; only a backward pass is refused, with [`Error::NotRecorded`].
    pub fn inference() -> Self {
        Self::with(false)
    }

    fn with(recording: bool) -> Self {
        let record = Record {
            nodes: Vec::new(),
            values: Vec::new(),
            operands: Vec::new(),
            params: Vec::new(),
            reads: ReadsOf::default(),
            step: None,
            segment: None,
            segments: Vec::new(),
        };
        Tape { record: RefCell::new(record), recording, identity: Arc::new(()) }
    }

    /// A variable: an input that gradients are taken with respect to.
    #[track_caller]
    pub fn var(&self, value: Tensor<E>) -> Var<'_, E> {
        self.leaf(Origin::Variable, value)
    }

    /// A constant: an input that no gradient is taken with respect to.
    #[track_caller]
    pub fn constant(&self, value: Tensor<E>) -> Var<'_, E> {
        self.leaf(Origin::Constant, value)
    }

    /// The variable of a parameter. However often it is asked for, it is on the tape once, and its gradients sum.
    #[track_caller]
    pub fn param(&self, param: &Param<E>) -> Var<'_, E> {
        if let Some(id) = self.record.borrow().param(param) {
            let value = self.record.borrow().leaf(id).clone();
            return Var::new(self, id, value);
        }
        let var = self.leaf(Origin::Parameter, param.value());
        if self.recording {
            let mut record = self.record.borrow_mut();
            record.nodes[var.id() as usize].name = Some(Cow::Owned(param.name().to_owned()));
            record.params.push((param.clone(), var.id()));
        }
        var
    }

    /// Marks what is recorded from here on as belonging to a time step (`None`: to no step), for error messages.
    pub fn set_step(&self, step: Option<usize>) {
        self.record.borrow_mut().step = step.map(|step| step as u32);
    }

    /// The number of recorded nodes.
    pub fn len(&self) -> usize {
        self.record.borrow().nodes.len()
    }

    /// Whether nothing has been recorded.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The recorded operations, in order; leaves are left out, and so is a [`Function`](crate::Function).
    pub fn ops(&self) -> Vec<Op> {
        let operation = |node: &Node<E>| match &node.origin {
            Origin::Computed(op) => Some(op.clone()),
            _ => None,
        };
        self.record.borrow().nodes.iter().filter_map(operation).collect()
    }

    /// Whether the tape records.
    pub fn is_recording(&self) -> bool {
        self.recording
    }

    /// Records an operation and computes its value.
    ///
    /// # Errors
    /// If the operands do not fit the operation, or if one is a variable of another tape.
    #[track_caller]
    pub fn apply(&self, op: Op, x: &[&Var<'_, E>]) -> Result<Var<'_, E>> {
        if x.iter().any(|x| !std::ptr::eq(x.tape(), self)) {
            return Err(Error::ForeignVariable { op: op.name() });
        }
        match *x {
            [x0] => self.record_op(op, x, &[x0.shape()], &[x0.value()]),
            [x0, x1] => self.record_op(op, x, &[x0.shape(), x1.shape()], &[x0.value(), x1.value()]),
            _ => {
                let shapes: Vec<Shape> = x.iter().map(|x| x.shape()).collect();
                self.record_op(op, x, &shapes, &x.iter().map(|x| x.value()).collect::<Vec<_>>())
            }
        }
    }

    /// `x0 + x1`, in the buffer of `x0` where it has the shape of the sum and nothing else holds it.
    #[track_caller]
    pub(crate) fn add_into<'t>(&'t self, x0: Var<'t, E>, x1: &Var<'t, E>) -> Result<Var<'t, E>> {
        let (op, shapes) = (Op::Add, [x0.shape(), x1.shape()]);
        let fits = op.shape(&shapes).is_ok_and(|shape| shape == shapes[0]);
        if !fits || !std::ptr::eq(x1.tape(), self) {
            return self.apply(op, &[&x0, x1]);
        }
        let mut id = UNRECORDED;
        if self.recording {
            // Recorded first, as no rule reads a sum or its terms; what is kept for another reason is not overwritten.
            id = self.record.borrow_mut().push_op(op, &[&x0, x1], &shapes, x0.value(), Location::caller());
        }
        let mut sum = x0.detach();
        sum.add_assign(x1.value());
        Ok(Var::new(self, id, sum))
    }

    #[track_caller]
    fn record_op(
        &self,
        op: Op,
        x: &[&Var<'_, E>],
        shapes: &[Shape],
        values: &[&Tensor<E>],
    ) -> Result<Var<'_, E>> {
        let shape = op.shape(shapes)?;
        let value = op.eval(values);
        debug_assert_eq!(
            value.shape(),
            shape,
            "{}: the value has another shape than the one declared",
            op.name()
        );
        if !self.recording {
            return Ok(Var::new(self, UNRECORDED, value));
        }
        let id = self.record.borrow_mut().push_op(op, x, shapes, &value, Location::caller());
        Ok(Var::new(self, id, value))
    }

    /// What anything that can be an operand is on this tape.
    #[track_caller]
    pub fn operand<'t>(&'t self, x: impl Operand<'t, E>) -> Var<'t, E> {
        x.on(self)
    }

    #[track_caller]
    fn leaf(&self, origin: Origin<E>, value: Tensor<E>) -> Var<'_, E> {
        if !self.recording {
            return Var::new(self, UNRECORDED, value);
        }
        let mut record = self.record.borrow_mut();
        let node = Node {
            tracked: !matches!(origin, Origin::Constant),
            // A parameter is shared by all steps, whichever asks for it first.
            step: record.step.filter(|_| !matches!(origin, Origin::Parameter)),
            origin,
            name: None,
            shape: value.shape(),
            kept: NOT_KEPT,
            retained: false,
            first_operand: record.operands.len() as u32,
            location: Location::caller(),
        };
        let id = record.push(node);
        record.keep(id, &value);
        Var::new(self, id, value)
    }
}

impl<E: Float> Default for Tape<E> {
    fn default() -> Self {
        Self::new()
    }
}

impl<E: Float> Record<E> {
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
        let name = node.name.as_ref()?;
        Some(match node.step {
            Some(step) => format!("{name}_{step}"),
            None => name.to_string(),
        })
    }

    /// The node of a parameter, if it is on the tape.
    pub(crate) fn param(&self, param: &Param<E>) -> Option<u32> {
        self.params.iter().find(|(known, _)| known.same(param)).map(|&(_, id)| id)
    }

    fn push(&mut self, node: Node<E>) -> u32 {
        let id = u32::try_from(self.nodes.len()).ok().filter(|&id| id != UNRECORDED);
        self.nodes.push(node);
        id.expect("a tape holds fewer than 2³² - 1 nodes")
    }

    fn push_op(
        &mut self,
        op: Op,
        x: &[&Var<'_, E>],
        shapes: &[Shape],
        value: &Tensor<E>,
        location: &'static Location<'static>,
    ) -> u32 {
        let mut tracked = false;
        let mut read = Read::default();
        for (i, xi) in x.iter().enumerate() {
            if self.nodes[xi.id() as usize].tracked
                && let Some(reads) = self.reads.of(&op, i, shapes, value.shape())
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
        let node = Node {
            origin,
            name: None,
            shape: value.shape(),
            kept: NOT_KEPT,
            tracked,
            retained: false,
            first_operand: self.operands.len() as u32,
            location,
            step: self.step,
        };
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
