//! minGRU: a gated recurrent unit whose gate and candidate do not read the state.
//!
//! ```text
//! z_t = σ(W_z x_t + b_z)
//! h̃_t = W_h x_t + b_h
//! h_t = (1 - z_t) ⊙ h_{t-1} + z_t ⊙ h̃_t
//! ```
//! The columns of `W` and `b` are two blocks of H in the order z, h.
//!
//! # Source
//! L. Feng et al., *Were RNNs all we needed?* (2024), section 3.1.

use rand::Rng;
use retrograde::prelude::*;

use super::weight;

module!(pub(crate) struct MinGru { w, b }); // W [D, 2H], b [2H]

impl<E: Float> Cell<E> for MinGru<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.b.shape()[0] / 2])
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        let [z, h_new] = x.chunk(1); // [N, H] each
        h_prev + z.sigmoid() * (h_new - h_prev)
    }
}

impl<E: Float> MinGru<E> {
    /// A cell whose gates are at first almost closed.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let closed = Tensor::from_fn([2 * h], |at| E::from_f64(if at[0] < h { -2.0 } else { 0.0 }));
        MinGru { w: weight("W", [d, 2 * h], rng), b: Param::new("b", closed) }
    }
}
