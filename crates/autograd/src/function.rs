//! Operations whose backward pass is written by hand.

use std::sync::Arc;

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::recompute::Saved;
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::{Kind, Opaque, Record};
use crate::tape::var::{Var, or_panic};

/// An operation of tensors with a backward pass written by hand, which [`Tape::call`] records as one node.
///
/// It is for a derivative that the table of [`rules`](crate::rules) does not give: a kernel from elsewhere, a formula
/// that is cheaper or more exact than the derived one, a gradient that is not the derivative on purpose (straight
/// through). A composition of operations of a tape needs none.
///
/// The tape keeps all inputs and the output until the backward pass. The output must depend on the inputs alone, and
/// what else the backward pass needs, it computes again. The checker (`retrograde-check`) holds it against finite
/// differences. It has a first derivative and no more: to a recorded gradient
/// ([`hvp`](Var::hvp)), to forward mode ([`Tape::jvp`]) and to a derivation it is
/// [`Error::NoRule`](crate::Error::NoRule), unless it says in [`expand`](Self::expand) what operations it stands for.
///
/// # Example
/// Rounding, through which the gradient passes as it is:
/// ```
/// use std::sync::Arc;
///
/// use retrograde_autograd::{Function, Result, Tape};
/// use retrograde_tensor::Tensor;
///
/// struct Round;
///
/// impl Function<f64> for Round {
///     fn name(&self) -> &'static str {
///         "round"
///     }
///     fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
///         Ok(x[0].map(f64::round))
///     }
///     fn backward(&self, _x: &[&Tensor<f64>], _y: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
///         vec![Some(dy.clone())]
///     }
/// }
///
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([0.4, 1.7]));
/// let y = tape.call(Arc::new(Round), &[&x]);
/// assert_eq!(y.value(), &Tensor::from([0.0, 2.0]));
/// assert_eq!(y.square().sum().backward()?.get(&x), Some(&Tensor::from([0.0, 4.0])));
/// # Ok::<(), retrograde_autograd::Error>(())
/// ```
///
/// # Source
/// Straight through: Y. Bengio, N. Léonard and A. Courville, *Estimating or propagating gradients through stochastic
/// neurons for conditional computation* (2013).
pub trait Function<E: Float>: Send + Sync {
    /// The name in lower case, as errors and printed tapes give it.
    fn name(&self) -> &'static str;

    /// The output, from the inputs.
    ///
    /// # Errors
    /// If the inputs do not fit, in number or in shape, such as [`Error::InputShape`](crate::Error::InputShape).
    fn forward(&self, x: &[&Tensor<E>]) -> Result<Tensor<E>>;

    /// The cotangent of each input in its shape, from the inputs, the output `y` and its cotangent `dy`; `None` where
    /// nothing flows.
    fn backward(&self, x: &[&Tensor<E>], y: &Tensor<E>, dy: &Tensor<E>) -> Vec<Option<Tensor<E>>>;

    /// The same output in operations on the tape of the inputs, if the function is composed of some.
    ///
    /// A recorded gradient, forward mode and a derivation see through it to these operations, which must have the
    /// derivative that the backward pass computes. They may use the inputs and constants; a parameter counts as a
    /// constant.
    ///
    /// # Errors
    /// If the inputs do not fit.
    fn expand<'t>(&self, _x: &[&Var<'t, E>]) -> Option<Result<Var<'t, E>>> {
        None
    }
}

impl<E: Float> Tape<E> {
    /// The output of a function with a backward pass of its own, recorded as one operation.
    ///
    /// # Derivative
    /// The cotangents that its [`backward`](Function::backward) returns. The backward pass of the tape checks that there is
    /// one for each input, in its shape.
    ///
    /// # Panics
    /// Where the function refuses its inputs, or if one is a variable of another tape; [`try_call`](Self::try_call)
    /// returns that as an error.
    #[track_caller]
    pub fn call(&self, function: Arc<dyn Function<E>>, x: &[&Var<'_, E>]) -> Var<'_, E> {
        or_panic(self.try_call(function, x))
    }

    /// As [`call`](Self::call).
    ///
    /// # Errors
    /// Where the function refuses its inputs, or if one is a variable of another tape.
    #[track_caller]
    pub fn try_call(&self, function: Arc<dyn Function<E>>, x: &[&Var<'_, E>]) -> Result<Var<'_, E>> {
        self.require_own(function.name(), x)?;
        let value = function.forward(&x.iter().map(|x| x.value()).collect::<Vec<_>>())?;
        let id = self.push(Kind::Function(Arc::new(function)), x, &value);
        Ok(Var::new(self, id, value))
    }
}

impl<E: Float> Tape<E> {
    /// The operations that the function of a node stands for and the node of their result, on a tape whose first nodes are
    /// the inputs; `None` for other nodes, and if the function does not say.
    ///
    /// # Errors
    /// Where an input is computed again and its function fails, or where the inputs do not fit the operations.
    pub fn expansion(&self, id: NodeId) -> Result<Option<(Tape<E>, NodeId)>> {
        // A snapshot: what the function stands for is the user's code.
        let record = self.record.borrow().clone();
        if !matches!(record.kind(id), Kind::Function(_)) {
            return Ok(None);
        }
        let expansion = Saved::new(&record).expansion(id)?;
        Ok(expansion.map(|(record, output)| (Tape::of(record), output)))
    }
}

/// A function as a record sees it.
impl<E: Float> Opaque<E> for Arc<dyn Function<E>> {
    fn name(&self) -> &'static str {
        (**self).name()
    }

    fn forward(&self, x: &[&Tensor<E>]) -> Result<Tensor<E>> {
        (**self).forward(x)
    }

    fn backward(&self, x: &[&Tensor<E>], y: &Tensor<E>, dy: &Tensor<E>) -> Vec<Option<Tensor<E>>> {
        (**self).backward(x, y, dy)
    }

    fn expansion(&self, x: &[&Tensor<E>]) -> Result<Option<(Record<E>, NodeId)>> {
        let tape = Tape::new();
        let x: Vec<_> = x.iter().map(|&x| tape.var(x.clone())).collect();
        let Some(output) = self.expand(&x.iter().collect::<Vec<_>>()) else { return Ok(None) };
        let id = tape.recorded_id((**self).name(), &output?)?;
        Ok(Some((tape.record.into_inner(), id)))
    }
}
