//! The tape: what records a computation.

pub(crate) mod interner;
pub(crate) mod node;
pub(crate) mod operand;
pub(crate) mod param;
pub(crate) mod record;
pub(crate) mod var;

use std::borrow::Cow;
use std::cell::RefCell;
use std::panic::Location;
use std::sync::Arc;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::op::Op;
use crate::tape::node::Origin;
use crate::tape::operand::Operand;
use crate::tape::param::Param;
use crate::tape::record::{Record, UNRECORDED};
use crate::tape::var::Var;
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
        Tape { record: RefCell::new(Record::new()), recording, identity: Arc::new(()) }
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
            record.set_name(var.id(), Cow::Owned(param.name().to_owned()));
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
        let record = self.record.borrow();
        let operations = record.nodes.iter().filter_map(|node| match &node.origin {
            Origin::Computed(op) => Some(op.clone()),
            _ => None,
        });
        operations.collect()
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
        let value = op.compute_within_memory(&shape, values)?;
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
        let id = self.record.borrow_mut().push_leaf(origin, &value, Location::caller());
        Var::new(self, id, value)
    }
}

impl<E: Float> Default for Tape<E> {
    fn default() -> Self {
        Self::new()
    }
}
