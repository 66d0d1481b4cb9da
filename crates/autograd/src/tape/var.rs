//! A variable: a handle to a node of a tape, with its value.

use std::borrow::Cow;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::op::Op;
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::value::Value;
use crate::{Error, Result};

/// A value on a [`Tape`]. Cloning it is cheap and records nothing.
///
/// Operators and methods record an operation and compute its value at once. Where shapes do not fit they panic with
/// the text of the [`Error`] that the `try_` twin returns.
///
/// A variable does not outlive its tape:
/// ```compile_fail,E0505
/// # use retrograde_autograd::Tape;
/// # use retrograde_tensor::Tensor;
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([1.0_f64]));
/// drop(tape);
/// let y = x.tanh();
/// ```
#[derive(Clone)]
pub struct Var<'t, E> {
    tape: &'t Tape<E>,
    id: Option<NodeId>,
    value: Tensor<E>,
}

impl<'t, E: Float> Var<'t, E> {
    pub(crate) fn new(tape: &'t Tape<E>, id: Option<NodeId>, value: Tensor<E>) -> Self {
        Var { tape, id, value }
    }

    /// The node of the tape that the variable is a handle to; `None` on a tape that does not record.
    #[must_use]
    pub fn id(&self) -> Option<NodeId> {
        self.id
    }

    /// The tape that the variable lives on.
    #[must_use]
    pub fn tape(&self) -> &'t Tape<E> {
        self.tape
    }

    /// The value.
    #[must_use]
    pub fn value(&self) -> &Tensor<E> {
        &self.value
    }

    /// The shape of the value.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.value.shape()
    }

    /// The value as a plain tensor, off the tape: no gradient flows through it. To cut the gradient but stay on a
    /// tape, make a constant of it: `tape.constant(h.detach())`.
    #[must_use]
    pub fn detach(self) -> Tensor<E> {
        self.value
    }

    /// Gives the variable a name, which printed tapes, errors and derived formulas use, with the time step at which
    /// it was recorded, if any: `h_2`. Derived formulas are cut into lines at named variables.
    #[must_use]
    pub fn named(self, name: impl Into<Cow<'static, str>>) -> Self {
        self.set_name(name);
        self
    }

    /// As [`named`](Self::named), in place.
    pub fn set_name(&self, name: impl Into<Cow<'static, str>>) {
        if let Some(id) = self.id {
            let name = name.into();
            self.tape.record.borrow_mut().set_name(id, name);
        }
    }

    /// Asks every backward pass to return the gradient of this variable although it is not an input.
    #[must_use]
    pub fn retain_grad(self) -> Self {
        if let Some(id) = self.id {
            self.tape.record.borrow_mut().retain(id);
        }
        self
    }

    /// Records an operation of one operand that fits every shape.
    #[track_caller]
    pub(crate) fn unary(&self, op: impl Into<Op>) -> Self {
        or_panic(self.tape.apply(op.into(), &[self]))
    }

    /// Records an operation of one operand.
    #[track_caller]
    pub(crate) fn try_unary(&self, op: Op) -> Result<Self> {
        self.tape.apply(op, &[self])
    }
}

/// The reading that records: rules applied to variables leave the backward pass itself on the tape.
impl<E: Float> Value for Var<'_, E> {
    fn shape(&self) -> Shape {
        self.value.shape()
    }

    fn apply(op: Op, x: &[&Self]) -> Self {
        or_panic(x[0].tape.apply(op, x))
    }
}

impl<E: Float> std::fmt::Debug for Var<'_, E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Var").field("id", &self.id).field("value", &self.value).finish()
    }
}

/// The value, or a panic with the error's text at the caller's line.
#[track_caller]
pub(crate) fn or_panic<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
