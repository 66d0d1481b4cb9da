//! The simple recurrent network.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use crate::shapes::rnn_sizes;
use crate::time::{Cell, Time};
use crate::{Result, init, module};

/// One step of a simple recurrent network: `h_next = tanh(h_prev · Wh + x · Wx + b)`.
///
/// Its backward pass is nowhere in this crate's layers: it is derived from the tape. The one that is derived by hand
/// is [`explicit::Rnn`](crate::explicit::Rnn).
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`; `Wx [D, H]`, `Wh [H, H]`, `b [H]`
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Cell, RnnCell};
/// use retrograde_tensor::Tensor;
///
/// let cell = RnnCell::from_arrays(Tensor::eye(3).narrow(1, 0, 2), Tensor::<f64>::eye(2), Tensor::zeros([2]))?;
/// let tape = Tape::new();
/// let x = tape.var(Tensor::ones([1, 3])).named("x");
/// let h_prev = tape.var(cell.zero_state(1)).named("h_prev");
/// let h_next = cell.step(&cell.project(&x), &h_prev).named("h_next");
/// assert_eq!(h_next.derivation()?.line("dh_prev").unwrap().to_string(), "dh_prev = dt·Whᵀ");
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// J. Elman, *Finding structure in time* (1990); in the notation of *Deep Learning from Scratch 2*, chapter 5.
#[derive(Clone, Debug)]
pub struct RnnCell<E: Float> {
    /// The weight of the input, `Wx [D, H]`.
    pub wx: Param<E>,
    /// The weight of the state, `Wh [H, H]`.
    pub wh: Param<E>,
    /// The bias, `b [H]`.
    pub b: Param<E>,
}

module!(RnnCell { wx, wh, b });

/// An [`RnnCell`] over a sequence.
pub type TimeRnn<E> = Time<RnnCell<E>, E>;

impl<E: Float> RnnCell<E> {
    /// A cell for `d` features and a state of `h`: normal weights of standard deviation `1/sqrt(fan-in)`, zero bias.
    pub fn new<R: Rng + ?Sized>(d: usize, h: usize, rng: &mut R) -> Self {
        RnnCell {
            wx: Param::new("Wx", init::normal([d, h], d, rng)),
            wh: Param::new("Wh", init::normal([h, h], h, rng)),
            b: Param::new("b", init::zeros([h])),
        }
    }

    /// A cell of these parameters, which it shares with whoever else has them.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(wx: Param<E>, wh: Param<E>, b: Param<E>) -> Result<Self> {
        rnn_sizes("rnn_cell", wx.shape(), wh.shape(), b.shape())?;
        Ok(RnnCell { wx, wh, b })
    }

    /// A cell of parameters with these initial values.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_arrays(wx: Tensor<E>, wh: Tensor<E>, b: Tensor<E>) -> Result<Self> {
        Self::from_params(Param::new("Wx", wx), Param::new("Wh", wh), Param::new("b", b))
    }
}

impl<E: Float> Cell<E> for RnnCell<E> {
    type State = Tensor<E>;

    fn input_size(&self) -> usize {
        self.wx.shape()[0]
    }

    fn zero_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.wh.shape()[0]])
    }

    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.wx) + &self.b
    }

    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        let t = (h_prev.matmul(&self.wh) + x).named("t");
        t.tanh()
    }
}
