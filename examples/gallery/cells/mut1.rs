//! MUT1, the best of ten thousand cells that a search tried.
//!
//! ```text
//! z = σ(W_z x_t + b_z)
//! r = σ(W_r x_t + U_r h_{t-1} + b_r)
//! h_t = tanh(U_h (r ⊙ h_{t-1}) + tanh(W_h x_t) + b_h) ⊙ z + h_{t-1} ⊙ (1 - z)
//! ```
//! The columns of `W` are three blocks of H in the order z, r, h; the paper has `tanh(x_t)`, for D = H.
//!
//! # Source
//! R. Jozefowicz, W. Zaremba and I. Sutskever, *An empirical exploration of recurrent network architectures* (2015), section 4.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

module!(pub(crate) struct Mut1 { w, ur, uh, bz, br, bh }); // W [D, 3H], U [H, H], b [H]

impl<E: Float> Cell<E> for Mut1<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.ur.shape()[0]])
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w)
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        let [z, r, x] = x.chunk(1); // [N, H] each
        let r = (r + h_prev.matmul(&self.ur) + &self.br).sigmoid();
        let h_new = ((r * h_prev).matmul(&self.uh) + x.tanh() + &self.bh).tanh();
        h_prev + (z + &self.bz).sigmoid() * (h_new - h_prev)
    }
}

impl<E: Float> Mut1<E> {
    /// A cell whose update gates are at first half closed.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let [ur, uh] = ["Ur", "Uh"].map(|name| weight(name, [h, h], rng));
        let [bz, br, bh] = [("bz", -1.0), ("br", 0.0), ("bh", 0.0)].map(|(name, b)| filled(name, [h], b));
        Mut1 { w: weight("W", [d, 3 * h], rng), ur, uh, bz, br, bh }
    }
}
