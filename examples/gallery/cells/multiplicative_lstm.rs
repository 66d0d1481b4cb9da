//! Multiplicative LSTM: the state that the gates read is transformed by the input first.
//!
//! ```text
//! m_t = (W_m x_t) ⊙ (U_m h_{t-1})
//! f, i, o = σ(W x_t + U m_t + b)
//! g = tanh(W x_t + U m_t + b)
//! c_t = f ⊙ c_{t-1} + i ⊙ g
//! h_t = o ⊙ tanh(c_t)
//! ```
//! The columns of `W` are five blocks of H in the order m, f, i, o, g; those of `U` and `b` the last four.
//!
//! # Source
//! B. Krause et al., *Multiplicative LSTM for sequence modelling* (2016), equations 16 to 21.

use rand::Rng;
use retrograde::nn::init;
use retrograde::prelude::*;

use super::weight;

module!(pub(crate) struct MultiplicativeLstm { w, um, u, b }); // W [D, 5H], Um [H, H], U [H, 4H], b [4H]

impl<E: Float> Cell<E> for MultiplicativeLstm<E> {
    type State = [Tensor<E>; 2];

    fn initial_state(&self, n: usize) -> Self::State {
        [(); 2].map(|()| Tensor::zeros([n, self.u.shape()[0]]))
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w)
    }
    fn step<'t>(&self, x: &Var<'t, E>, [h_prev, c_prev]: &[Var<'t, E>; 2]) -> [Var<'t, E>; 2] {
        let [m, f, i, o, g] = x.chunk(1); // [N, H] each
        let m = m * h_prev.matmul(&self.um);
        let [uf, ui, uo, ug] = (m.matmul(&self.u) + &self.b).chunk(1);
        let c = (f + uf).sigmoid() * c_prev + (i + ui).sigmoid() * (g + ug).tanh();
        [(o + uo).sigmoid() * c.tanh(), c]
    }
}

impl<E: Float> MultiplicativeLstm<E> {
    /// A cell that remembers at first.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let (w, um) = (weight("W", [d, 5 * h], rng), weight("Um", [h, h], rng));
        MultiplicativeLstm {
            w,
            um,
            u: weight("U", [h, 4 * h], rng),
            b: Param::new("b", init::forget_bias(h, 1.0)),
        }
    }
}
