//! Variables that stand for parameters.

use std::borrow::Cow;

use retrograde_tensor::Float;

use crate::tape::Tape;
use crate::tape::operand::Operand;
use crate::tape::param::Param;
use crate::tape::record::Kind;
use crate::{Error, Result};

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
