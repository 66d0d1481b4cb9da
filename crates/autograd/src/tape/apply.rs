//! Recording: inputs, parameters and operations, each computed at once.

use std::panic::Location;

use retrograde_tensor::{Float, Tensor};

use crate::op::Op;
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::param::Param;
use crate::tape::record::Kind;
use crate::tape::var::{Var, or_panic};
use crate::{Error, Result};

impl<E: Float> Tape<E> {
    /// A variable: an input that gradients are taken with respect to.
    #[track_caller]
    pub fn var(&self, value: Tensor<E>) -> Var<'_, E> {
        self.leaf(Kind::Variable, value)
    }

    /// A constant: an input that no gradient is taken with respect to.
    #[track_caller]
    pub fn constant(&self, value: Tensor<E>) -> Var<'_, E> {
        self.leaf(Kind::Constant, value)
    }

    /// The variable of a parameter. However often it is asked for, it is on the tape once, and its gradients sum.
    ///
    /// # Panics
    /// If the tape recorded another value of the parameter: each training step belongs on a fresh tape.
    /// [`try_param`](Self::try_param) returns that as an error.
    #[track_caller]
    pub fn param(&self, param: &Param<E>) -> Var<'_, E> {
        or_panic(self.try_param(param))
    }

    /// As [`param`](Self::param).
    ///
    /// # Errors
    /// [`Error::ParamChanged`] if the tape recorded another value of the parameter.
    #[track_caller]
    pub fn try_param(&self, param: &Param<E>) -> Result<Var<'_, E>> {
        if let Some((id, value)) = self.record.borrow().param(param)? {
            return Ok(Var::new(self, id, value.clone()));
        }
        let version = param.version();
        let var = self.leaf(Kind::Parameter, param.value());
        if let Some(id) = var.id() {
            self.record.borrow_mut().set_param(id, param, version);
        }
        Ok(var)
    }

    /// Records an operation and computes its value.
    ///
    /// # Errors
    /// If the operands do not fit the operation, or if one is a variable of another tape.
    #[track_caller]
    pub fn apply(&self, op: Op, x: &[&Var<'_, E>]) -> Result<Var<'_, E>> {
        if !self.owns(x) {
            return Err(Error::ForeignVariable { op: op.name() });
        }
        let value = match *x {
            [x0] => op.eval(&[x0.value()])?,
            [x0, x1] => op.eval(&[x0.value(), x1.value()])?,
            _ => op.eval(&x.iter().map(|x| x.value()).collect::<Vec<_>>())?,
        };
        debug_assert_eq!(
            op.shape(&x.iter().map(|x| x.shape()).collect::<Vec<_>>()),
            Ok(value.shape()),
            "{}: the value has another shape than declared",
            op.name()
        );
        let id = self.push(Kind::Op(op), x, &value);
        Ok(Var::new(self, id, value))
    }

    /// `x0 + x1`, in the buffer of `x0` where it has the shape of the sum and nothing else holds it.
    #[track_caller]
    pub(crate) fn add_into<'t>(&'t self, x0: Var<'t, E>, x1: &Var<'t, E>) -> Result<Var<'t, E>> {
        let shape = Op::Add.shape(&[x0.shape(), x1.shape()]);
        if shape.is_ok_and(|shape| shape == x0.shape()) && std::ptr::eq(x1.tape(), self) {
            // Recorded first, as no rule reads a sum or its terms; what is kept for another reason is not overwritten.
            let id = self.push(Kind::Op(Op::Add), &[&x0, x1], x0.value());
            let mut sum = x0.detach();
            sum.add_assign(x1.value());
            return Ok(Var::new(self, id, sum));
        }
        self.apply(Op::Add, &[&x0, x1])
    }

    pub(crate) fn require_own(&self, op: &'static str, x: &[&Var<'_, E>]) -> Result<()> {
        if self.owns(x) { Ok(()) } else { Err(Error::ForeignVariable { op }) }
    }

    fn owns(&self, x: &[&Var<'_, E>]) -> bool {
        x.iter().all(|x| std::ptr::eq(x.tape(), self))
    }

    /// The node of a variable, which must be recorded on this tape.
    pub(crate) fn recorded_id(&self, op: &'static str, x: &Var<'_, E>) -> Result<NodeId> {
        self.require_own(op, &[x])?;
        x.id().ok_or(Error::NotRecorded { op })
    }

    /// Appends a node to the record, if there is one.
    #[track_caller]
    pub(crate) fn push(&self, kind: Kind<E>, x: &[&Var<'_, E>], value: &Tensor<E>) -> Option<NodeId> {
        let location = Location::caller();
        let operands = x.iter().filter_map(|x| Some((x.id()?, x.value())));
        self.is_recording().then(|| self.record.borrow_mut().push(kind, operands, value, location))
    }

    #[track_caller]
    fn leaf(&self, kind: Kind<E>, value: Tensor<E>) -> Var<'_, E> {
        let id = self.push(kind, &[], &value);
        Var::new(self, id, value)
    }
}
