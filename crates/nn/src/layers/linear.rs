//! The affine map.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect};
use crate::{Result, init, module};

/// An affine map of the last axis: `y = x · W + b`.
///
/// # Shapes
/// `x [.., D] -> y [.., V]`; `W [D, V]`, `b [V]`
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::Linear;
/// use retrograde_tensor::Tensor;
///
/// let linear = Linear::from_arrays(Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([0.5, 0.0]))?;
/// let tape = Tape::new();
/// let y = linear.forward(&tape.var(Tensor::from([[[1.0, 1.0]]])))?;
/// assert_eq!(y.value(), &Tensor::from([[[4.5, 6.0]]]));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Linear<E: Float> {
    /// The weight, `W [D, V]`.
    pub w: Param<E>,
    /// The bias, `b [V]`.
    pub b: Param<E>,
}

module!(Linear { w, b });

impl<E: Float> Linear<E> {
    /// Creates a map of `d` features to `v`: normal weights of standard deviation `1/sqrt(d)`, zero bias.
    pub fn new<R: Rng + ?Sized>(d: usize, v: usize, rng: &mut R) -> Self {
        Linear {
            w: Param::of("linear", "W", init::normal([d, v], d, rng)),
            b: Param::of("linear", "b", init::zeros([v])),
        }
    }

    /// Creates a map that shares these parameters.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(w: Param<E>, b: Param<E>) -> Result<Self> {
        let shape = w.shape();
        expect("linear", "w", &[Axis::Any("D"), Axis::Any("V")], shape)?;
        expect("linear", "b", &[Axis::Size(shape[1])], b.shape())?;
        Ok(Linear { w, b })
    }

    /// Creates a map of parameters with these initial values.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_arrays(w: Tensor<E>, b: Tensor<E>) -> Result<Self> {
        Self::from_params(Param::of("linear", "W", w), Param::of("linear", "b", b))
    }

    /// `x · W + b`
    ///
    /// # Shapes
    /// `[.., D] -> [.., V]`
    ///
    /// # Errors
    /// If the last axis of `x` is not of size D.
    pub fn forward<'t>(&self, x: &Var<'t, E>) -> Result<Var<'t, E>> {
        expect("linear", "x", &[Axis::Rest, Axis::Size(self.w.shape()[0])], x.shape())?;
        Ok(x.try_matmul(&self.w)?.try_add(&self.b)?)
    }
}
