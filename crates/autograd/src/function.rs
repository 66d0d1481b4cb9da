//! Operations whose backward pass is written by hand.

use std::panic::Location;
use std::sync::Arc;

use retrograde_tensor::{Float, Tensor};

use crate::readings::numbers::Adjoint;
use crate::readings::saved::Read;
use crate::tape::Tape;
use crate::tape::node::Origin;
use crate::tape::record::{Record, UNRECORDED};
use crate::tape::var::{Var, or_panic};
use crate::{Error, Result};

/// An operation of tensors with a backward pass written by hand, which [`Tape::call`] records as one node.
///
/// It is for a derivative that the table of [`rules`](crate::rules) does not give: a kernel from elsewhere, a formula
/// that is cheaper or more exact than the derived one, a gradient that is not the derivative on purpose (straight
/// through). What is composed of operations of a tape needs none.
///
/// The tape keeps all inputs and the output until the backward pass. The output must depend on the inputs alone, and
/// what the backward pass needs besides, it computes again. [`Check`](crate::check::Check) holds it against finite
/// differences. It has a first derivative and no more: to a recorded gradient
/// ([`hvp`](Var::hvp)), to forward mode ([`Tape::jvp`]) and to a [`Derivation`](crate::Derivation) it is
/// [`Error::NoRule`].
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
    /// If the inputs do not fit, in number or in shape, such as [`Error::InputShape`].
    fn forward(&self, x: &[&Tensor<E>]) -> Result<Tensor<E>>;

    /// The cotangent of each input in its shape, from the inputs, the output `y` and its cotangent `dy`; `None` where
    /// nothing flows.
    fn backward(&self, x: &[&Tensor<E>], y: &Tensor<E>, dy: &Tensor<E>) -> Vec<Option<Tensor<E>>>;
}

impl<E: Float> Tape<E> {
    /// The output of a function with a backward pass of its own, recorded as one operation.
    ///
    /// # Derivative
    /// What its [`backward`](Function::backward) says. That it returns one cotangent for each input, in its shape, is
    /// checked in the backward pass of the tape.
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
        if x.iter().any(|x| !std::ptr::eq(x.tape(), self)) {
            return Err(Error::ForeignVariable { op: function.name() });
        }
        let value = function.forward(&x.iter().map(|x| x.value()).collect::<Vec<_>>())?;
        let id = if self.is_recording() {
            self.record.borrow_mut().push_call(function, x, &value, Location::caller())
        } else {
            UNRECORDED
        };
        Ok(Var::new(self, id, value))
    }
}

impl<E: Float> Record<E> {
    fn push_call(
        &mut self,
        function: Arc<dyn Function<E>>,
        x: &[&Var<'_, E>],
        value: &Tensor<E>,
        location: &'static Location<'static>,
    ) -> u32 {
        let tracked = x.iter().any(|x| self.nodes[x.id() as usize].tracked);
        let read = if tracked { Read::ALL } else { Read::default() };
        self.push_result(Origin::Called(function), x, value, (tracked, read), location)
    }
}

/// The cotangents of the inputs of a function by its backward pass, if they are as many and have the shapes that they
/// should.
pub(crate) fn by_hand<'r, E: Float>(
    function: &dyn Function<E>,
    x: &[Adjoint<'r, E>],
    y: &Adjoint<'r, E>,
    g: &Adjoint<'r, E>,
) -> Result<Vec<Option<Adjoint<'r, E>>>> {
    let dense = |value: &Adjoint<'r, E>| value.clone().into_dense();
    let x: Vec<Tensor<E>> = x.iter().map(dense).collect();
    let cotangents = function.backward(&x.iter().collect::<Vec<_>>(), &dense(y), &dense(g));
    let op = function.name();
    if cotangents.len() != x.len() {
        return Err(Error::CotangentCount { op, expected: x.len(), found: cotangents.len() });
    }
    for (input, (x, d)) in x.iter().zip(&cotangents).enumerate() {
        if let Some(d) = d.as_ref().filter(|d| d.shape() != x.shape()) {
            let (expected, found) = (Box::new(x.shape()), Box::new(d.shape()));
            return Err(Error::CotangentShape { op, input, expected, found });
        }
    }
    Ok(cotangents.into_iter().map(|d| d.map(Adjoint::Dense)).collect())
}

/// What a reading makes of a function: nothing, where only a rule of the table would do.
pub(crate) fn no_rule<T, E: Float>(op: &'static str, function: &dyn Function<E>) -> Result<T> {
    Err(Error::NoRule { op, function: function.name() })
}
