//! Variables that stand for parameters.

use std::borrow::Cow;

use retrograde_tensor::{Float, Tensor};

use crate::tape::Tape;
use crate::tape::operand::Operand;
use crate::tape::param::Param;
use crate::tape::record::Kind;
use crate::tape::var::Var;
use crate::{Error, Result};

/// A name for a variable that each tape has for itself, as a cell's side inputs are: the memory of an encoder, or what all
/// steps of a call share. It is an operand of operations, as a parameter is, and has no value of its own.
///
/// # Example
/// ```
/// use retrograde_autograd::{Placeholder, Tape};
/// use retrograde_tensor::Tensor;
///
/// let memory = Placeholder::new("memory");
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([3.0]));
/// assert!((&x).try_mul(&memory).is_err());
/// memory.bind(&tape.var(Tensor::from([5.0])));
/// assert_eq!((x * &memory).value(), &Tensor::from([15.0]));
/// ```
#[derive(Clone, Debug)]
pub struct Placeholder<E: Float> {
    /// Has no elements: the key under which the tape finds the variable.
    key: Param<E>,
}

impl<E: Float> Placeholder<E> {
    /// Creates a placeholder of this name. Its clones are the same one.
    #[must_use]
    pub fn new(name: impl Into<String>) -> Self {
        Placeholder { key: Param::new(name, Tensor::zeros([0])) }
    }

    /// Lets it stand for a variable from here on, on the tape of the variable.
    pub fn bind(&self, x: &Var<'_, E>) {
        x.tape().record.borrow_mut().bindings().bind(&self.key, x.id(), x.value().clone());
    }
}

impl<'t, E: Float> Operand<'t, E> for &Placeholder<E> {
    #[track_caller]
    fn try_on(self, tape: &'t Tape<E>) -> Result<Var<'t, E>> {
        match tape.record.borrow().bound(&self.key) {
            Some((id, value)) => Ok(Var::new(tape, id, value.clone())),
            None => Err(Error::Unbound { name: self.key.name().to_owned() }),
        }
    }
}

impl<E: Float> Tape<E> {
    /// Lets `x` stand for a parameter wherever that is used on this tape from here on: a weight that was adapted, masked or
    /// normed, the output of another network, or a constant, with which the parameter is frozen and no gradient of it is
    /// computed.
    ///
    /// [`param`](Self::param) is then the variable that stands for the parameter. Backward passes return the gradient of that
    /// variable too, and through it that of the parameter where it was made from it.
    ///
    /// # Errors
    /// If `x` has another shape than the parameter, or is a variable of another tape.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Param, Tape};
    /// use retrograde_tensor::Tensor;
    ///
    /// let (w, b) = (Param::new("w", Tensor::from([1.0, 2.0])), Param::new("b", Tensor::from([0.5, 0.5])));
    /// let tape = Tape::new();
    /// tape.bind(&w, tape.param(&w) * Tensor::from([1.0, 0.0]))?; // a mask, as in DropConnect
    /// tape.bind(&b, b.value())?; // frozen
    /// let loss = (tape.constant(Tensor::from([3.0, 5.0])) * &w + &b).sum();
    /// let grads = loss.backward()?;
    /// assert_eq!(grads.get(&w), Some(&Tensor::from([3.0, 0.0])));
    /// assert_eq!(grads.get(&b), None);
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    pub fn bind<'t>(&'t self, param: &Param<E>, x: impl Operand<'t, E>) -> Result<()> {
        let x = x.try_on(self)?;
        self.require_own("bind", &[&x])?;
        if x.shape() != param.shape() {
            let (name, expected, found) =
                (param.name().to_owned(), Box::new(param.shape()), Box::new(x.shape()));
            return Err(Error::ParamShape { name, expected, found });
        }
        let mut record = self.record.borrow_mut();
        if let Some(id) = x.id() {
            record.retain(id);
            if matches!(record.kind(id), Kind::Constant) && record.name(id).is_none() {
                record.set_name(id, Cow::Owned(param.name().to_owned()));
            }
        }
        record.bindings().bind(param, x.id(), x.detach());
        Ok(())
    }

    /// Lets a parameter stand for itself again.
    pub fn unbind(&self, param: &Param<E>) {
        self.record.borrow_mut().bindings().unbind(param);
    }
}
