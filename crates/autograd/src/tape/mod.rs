//! The tape: a recorded computation.

mod apply;
pub(crate) mod bind;
pub(crate) mod id;
pub(crate) mod inspect;
mod interner;
pub(crate) mod operand;
pub(crate) mod param;
mod params;
pub(crate) mod record;
pub(crate) mod var;

use std::cell::RefCell;
use std::sync::Arc;

use retrograde_tensor::Float;

use crate::op::Op;
use crate::tape::record::{Kind, Record};

/// The record of a computation, from which derivatives are derived.
///
/// A tape grows by one node per operation and is dropped as a whole. A [`Var`](crate::Var) borrows its tape, so the compiler proves
/// that no variable outlives it: truncated backpropagation is a plain tensor ([`Var::detach`](crate::Var::detach)) and a fresh tape.
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
    /// Borrowed for a moment at a time, never while a user's code runs that could record.
    pub(crate) record: RefCell<Record<E>>,
    recording: bool,
    /// Outlives the tape in its gradients, so that no later tape can be taken for this one.
    pub(crate) identity: Arc<()>,
}

impl<E: Float> Tape<E> {
    /// An empty tape that records.
    #[must_use]
    pub fn new() -> Self {
        Self::with(true)
    }

    /// A tape that computes and records nothing, for evaluation: its memory stays empty however long the computation.
    ///
    /// The same code runs on it; only a backward pass is refused, with [`Error::NotRecorded`](crate::Error::NotRecorded).
    #[must_use]
    pub fn inference() -> Self {
        Self::with(false)
    }

    /// A tape of what has been recorded.
    pub(crate) fn of(record: Record<E>) -> Self {
        Tape { record: RefCell::new(record), ..Self::new() }
    }

    fn with(recording: bool) -> Self {
        Tape { record: RefCell::default(), recording, identity: Arc::new(()) }
    }

    /// Marks the next nodes as belonging to a time step (`None`: to no step), for names and error messages.
    pub fn set_step(&self, step: Option<usize>) {
        self.record.borrow_mut().set_step(step);
    }

    /// The number of recorded nodes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.record.borrow().len()
    }

    /// Whether nothing has been recorded.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The recorded operations, in order, without inputs and without any [`Function`](crate::Function).
    /// [`nodes`](Self::nodes) has all nodes.
    #[must_use]
    pub fn ops(&self) -> Vec<Op> {
        let record = self.record.borrow();
        let op = |id| if let Kind::Op(op) = record.kind(id) { Some(op.clone()) } else { None };
        record.ids().filter_map(op).collect()
    }

    /// Whether the tape records.
    #[must_use]
    pub fn is_recording(&self) -> bool {
        self.recording
    }
}

impl<E: Float> Default for Tape<E> {
    fn default() -> Self {
        Self::new()
    }
}
