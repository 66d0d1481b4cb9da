//! Long short-term memory with peepholes.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use super::gates::gated_cell;
use crate::shapes::{Axis, expect, gate_sizes};
use crate::time::Cell;
use crate::{LstmCell, Result, module};

const OP: &str = "peephole_lstm_cell";

/// One step of a long short-term memory whose gates see the memory cell.
///
/// With `t = h_prev · Wh + x · Wx + b`, cut into four blocks of H columns in the order f, g, i, o:
/// ```text
/// f = sigmoid(t_f + pf ⊙ c_prev)    g = tanh(t_g)    i = sigmoid(t_i + pi ⊙ c_prev)
/// c_next = f ⊙ c_prev + g ⊙ i
/// o = sigmoid(t_o + po ⊙ c_next)
/// h_next = o ⊙ tanh(c_next)
/// ```
///
/// # Shapes
/// `x [N, D]`, `h [N, H]`, `c [N, H]`; `Wx [D, 4H]`, `Wh [H, 4H]`, `b [4H]`; `pf`, `pi`, `po [H]`
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{PeepholeLstmCell, Time};
/// use retrograde_tensor::Tensor;
///
/// let mut lstm = Time::new(PeepholeLstmCell::<f32>::new(3, 4, &mut StdRng::seed_from_u64(1)));
/// let tape = Tape::new();
/// let hs = lstm.forward(&tape.constant(Tensor::ones([2, 5, 3])))?.hs;
/// assert!(hs.sum().backward()?.get(&lstm.cell.po).is_some());
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// F. Gers, N. Schraudolph and J. Schmidhuber, *Learning precise timing with LSTM recurrent networks* (2002).
#[derive(Clone, Debug)]
pub struct PeepholeLstmCell<E: Float> {
    /// The weight of the input, `Wx [D, 4H]`.
    pub wx: Param<E>,
    /// The weight of the state, `Wh [H, 4H]`.
    pub wh: Param<E>,
    /// The bias, `b [4H]`.
    pub b: Param<E>,
    /// The peephole of the forget gate, `pf [H]`.
    pub pf: Param<E>,
    /// The peephole of the input gate, `pi [H]`.
    pub pi: Param<E>,
    /// The peephole of the output gate, `po [H]`.
    pub po: Param<E>,
}

module!(PeepholeLstmCell { wx, wh, b, pf, pi, po });

impl<E: Float> PeepholeLstmCell<E> {
    /// Creates a cell for `d` features and a state of `h`: as [`LstmCell::new`], with peepholes that start from zero.
    pub fn new<R: Rng + ?Sized>(d: usize, h: usize, rng: &mut R) -> Self {
        let LstmCell { wx, wh, b } = LstmCell::new(d, h, rng);
        let [pf, pi, po] = ["pf", "pi", "po"].map(|name| Param::new(name, Tensor::zeros([h])));
        PeepholeLstmCell { wx, wh, b, pf, pi, po }
    }

    /// Creates a cell that shares these parameters; the peepholes are `pf`, `pi` and `po`.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(wx: Param<E>, wh: Param<E>, b: Param<E>, [pf, pi, po]: [Param<E>; 3]) -> Result<Self> {
        let [_, h] = gate_sizes(OP, 4, wx.shape(), wh.shape(), b.shape())?;
        for (name, peephole) in [("pf", &pf), ("pi", &pi), ("po", &po)] {
            expect(OP, name, &[Axis::Size(h)], peephole.shape())?;
        }
        Ok(PeepholeLstmCell { wx, wh, b, pf, pi, po })
    }
}

impl<E: Float> Cell<E> for PeepholeLstmCell<E> {
    gated_cell!((h, c), projected);

    fn step<'t>(
        &self,
        x: &Var<'t, E>,
        (h_prev, c_prev): &(Var<'t, E>, Var<'t, E>),
    ) -> (Var<'t, E>, Var<'t, E>) {
        let t = (h_prev.matmul(&self.wh) + x).named("t"); // [N, 4H]
        let [f, g, i, o] = t.chunk(1); // [N, H] each
        let f = (f + c_prev * &self.pf).sigmoid().named("f");
        let g = g.tanh().named("g");
        let i = (i + c_prev * &self.pi).sigmoid().named("i");
        let c_next = &f * c_prev + &g * &i;
        let o = (o + &c_next * &self.po).sigmoid().named("o");
        let h_next = &o * c_next.tanh();
        (h_next, c_next)
    }
}
