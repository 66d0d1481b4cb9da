//! ConvLSTM: an LSTM whose products are convolutions, here over one axis of positions and their neighbours.
//!
//! ```text
//! i, f, o = σ(W * x_t + U * h_{t-1} + b)    g = tanh(W * x_t + U * h_{t-1} + b)
//! c_t = f ⊙ c_{t-1} + i ⊙ g
//! h_t = o ⊙ tanh(c_t)
//! ```
//! The input of a step is S positions of D channels, `[N, S, D]`; there are zeros beyond the ends. The columns of `W`, `U` and `b` are
//! four blocks of H in the order i, f, o, g.
//!
//! # Source
//! X. Shi et al., *Convolutional LSTM network* (2015), equation 3, without peepholes.

use rand::Rng;
use retrograde::prelude::*;

use super::weight;

pub(crate) struct ConvLstm<E> {
    w: Param<E>, // [3D, 4H]
    u: Param<E>, // [3H, 4H]
    b: Param<E>, // [4H]
    positions: usize,
}
module!(ConvLstm { w, u, b });

impl<E: Float> Cell<E> for ConvLstm<E> {
    type State = [Tensor<E>; 2]; // [N, S, H] each

    fn input_shape(&self) -> Shape {
        Shape::from([self.positions, self.w.shape()[0] / 3])
    }
    fn initial_state(&self, n: usize) -> Self::State {
        [(); 2].map(|()| Tensor::zeros([n, self.positions, self.b.shape()[0] / 4]))
    }
    fn step<'t>(&self, x: &Var<'t, E>, [h_prev, c_prev]: &[Var<'t, E>; 2]) -> [Var<'t, E>; 2] {
        let t = neighbours(x).matmul(&self.w) + neighbours(h_prev).matmul(&self.u) + &self.b;
        let [i, f, o, g] = t.chunk(2); // [N, S, H] each
        let c = f.sigmoid() * c_prev + i.sigmoid() * g.tanh();
        [o.sigmoid() * c.tanh(), c]
    }
}

/// Each position with those beside it, `[N, S, D] -> [N, S, 3D]`.
fn neighbours<'t, E: Float>(x: &Var<'t, E>) -> Var<'t, E> {
    let s = x.shape()[1];
    let wide = x.pad(1, 1, s + 2);
    Var::concat(&[0, 1, 2].map(|start| wide.narrow(1, start, s)), 2)
}

impl<E: Float> ConvLstm<E> {
    /// A cell for `positions` of `d` channels, and a state of `h` channels in each.
    pub(crate) fn new(positions: usize, d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let (w, u) = (weight("W", [3 * d, 4 * h], rng), weight("U", [3 * h, 4 * h], rng));
        let b = Tensor::from_fn([4 * h], |at| E::from_f64(if at[0] / h == 1 { 1.0 } else { 0.0 }));
        ConvLstm { w, u, b: Param::new("b", b), positions }
    }
}
