//! Long short-term memory.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use super::gates::{gated, gated_cell};
use crate::module;
use crate::time::{Cell, Time};

/// One step of a long short-term memory with a forget gate.
///
/// With `t = h_prev · Wh + x · Wx + b`, cut into four blocks of H columns in the order f, g, i, o:
/// ```text
/// f = sigmoid(t_f)    g = tanh(t_g)    i = sigmoid(t_i)    o = sigmoid(t_o)
/// c_next = f ⊙ c_prev + g ⊙ i
/// h_next = o ⊙ tanh(c_next)
/// ```
/// The state is the pair `(h, c)`. Derived by hand, the backward pass is
/// [`explicit::Lstm`](crate::explicit::Lstm)'s.
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`, `c [N, H]`; `Wx [D, 4H]`, `Wh [H, 4H]`, `b [4H]`
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{LstmCell, TimeLstm};
/// use retrograde_tensor::Tensor;
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let mut lstm = TimeLstm::<f64>::new(LstmCell::new(3, 4, &mut rng));
/// let tape = Tape::new();
/// let xs = tape.var(Tensor::normal([2, 5, 3], 0.0, 1.0, &mut rng)?);
/// let out = lstm.forward(&xs)?;
/// let (h, c) = &out.initial;
/// let grads = out.hs.backward_with(&Tensor::normal([2, 5, 4], 0.0, 1.0, &mut rng)?)?;
/// assert_eq!(grads.get(h).unwrap().dims(), [2, 4]); // dh
/// assert_eq!(grads.get(c).unwrap().dims(), [2, 4]); // dc
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// S. Hochreiter and J. Schmidhuber, *Long short-term memory* (1997); the forget gate, F. Gers, J. Schmidhuber and
/// F. Cummins, *Learning to forget* (2000); in the notation of *Deep Learning from Scratch 2*, section 6.3.
#[derive(Clone, Debug)]
pub struct LstmCell<E: Float> {
    /// The weight of the input, `Wx [D, 4H]`.
    pub wx: Param<E>,
    /// The weight of the state, `Wh [H, 4H]`.
    pub wh: Param<E>,
    /// The bias, `b [4H]`.
    pub b: Param<E>,
}

module!(LstmCell { wx, wh, b });

/// An [`LstmCell`] over a sequence.
pub type TimeLstm<E> = Time<LstmCell<E>, E>;

gated!(LstmCell, "lstm_cell", 4);

impl<E: Float> Cell<E> for LstmCell<E> {
    gated_cell!((h, c), projected);

    fn step<'t>(
        &self,
        x: &Var<'t, E>,
        (h_prev, c_prev): &(Var<'t, E>, Var<'t, E>),
    ) -> (Var<'t, E>, Var<'t, E>) {
        let t = (h_prev.matmul(&self.wh) + x).named("t"); // [N, 4H]
        let [f, g, i, o] = t.chunk(1); // [N, H] each
        let (f, g) = (f.sigmoid().named("f"), g.tanh().named("g"));
        let (i, o) = (i.sigmoid().named("i"), o.sigmoid().named("o"));
        let c_next = &f * c_prev + &g * &i;
        let h_next = &o * c_next.tanh();
        (h_next, c_next)
    }
}
