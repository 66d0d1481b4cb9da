//! The simple recurrent network.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use super::gates::{gated, gated_cell};
use crate::module;
use crate::time::{Cell, Time};

/// One step of a simple recurrent network: `h_next = tanh(h_prev · Wh + x · Wx + b)`.
///
/// Its backward pass is derived from the tape. [`explicit::Rnn`](crate::explicit::Rnn) has the one that is derived by
/// hand.
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`; `Wx [D, H]`, `Wh [H, H]`, `b [H]`
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_derivation::DeriveVar;
/// use retrograde_nn::{Cell, RnnCell};
/// use retrograde_tensor::Tensor;
///
/// let cell = RnnCell::from_arrays(Tensor::eye(3).narrow(1, 0, 2), Tensor::<f64>::eye(2), Tensor::zeros([2]))?;
/// let tape = Tape::new();
/// let x = tape.var(Tensor::ones([1, 3])).named("x");
/// let h_prev = tape.var(cell.initial_state(1)).named("h_prev");
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

gated!(RnnCell, "rnn_cell", 1);

impl<E: Float> Cell<E> for RnnCell<E> {
    gated_cell!(h, projected);

    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        let t = (h_prev.matmul(&self.wh) + x).named("t");
        t.tanh()
    }
}
