//! UGRNN: the update gate of a GRU, and nothing else of it.
//!
//! ```text
//! c_t = tanh(W_c x_t + U_c h_{t-1} + b_c)
//! g_t = σ(W_g x_t + U_g h_{t-1} + b_g)
//! h_t = g_t ⊙ h_{t-1} + (1 - g_t) ⊙ c_t
//! ```
//! The columns of `W`, `U` and `b` are two blocks of H in the order g, c.
//!
//! # Source
//! J. Collins, J. Sohl-Dickstein and D. Sussillo, *Capacity and trainability in recurrent neural networks* (2017), equations 4 to 6.

use rand::Rng;
use retrograde::prelude::*;

use super::weight;

module!(pub(crate) struct UgRnn { w, u, b }); // W [D, 2H], U [H, 2H], b [2H]

impl<E: Float> Cell<E> for UgRnn<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.u.shape()[0]])
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        let [g, c] = (x + h_prev.matmul(&self.u)).chunk(1); // [N, H] each
        let (g, c) = (g.sigmoid(), c.tanh());
        &g * (h_prev - &c) + c
    }
}

impl<E: Float> UgRnn<E> {
    /// A cell that remembers at first.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let b = Tensor::from_fn([2 * h], |at| E::from_f64(if at[0] < h { 1.0 } else { 0.0 }));
        UgRnn { w: weight("W", [d, 2 * h], rng), u: weight("U", [h, 2 * h], rng), b: Param::new("b", b) }
    }
}
