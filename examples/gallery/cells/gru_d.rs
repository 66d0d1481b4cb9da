//! GRU-D: a gated recurrent unit for values that are missing, which decay with the time since they were last seen.
//!
//! ```text
//! γ_x = exp(-max(0, w_x ⊙ δ_t + b_x))    γ_h = exp(-max(0, W_γ δ_t + b_γ))
//! x̂_t = m_t ⊙ x_t + (1 - m_t) ⊙ γ_x ⊙ x'_t
//! ĥ = γ_h ⊙ h_{t-1}
//! r, z = σ(W x̂_t + V m_t + b + U ĥ)
//! h̃ = tanh(W x̂_t + V m_t + b + U_h (r ⊙ ĥ))
//! h_t = (1 - z) ⊙ ĥ + z ⊙ h̃
//! ```
//! The input is `x`, the mask `m` and the time `δ` side by side, F columns each; `x'` is the last value seen, and the mean of
//! all values is 0.
//!
//! # Source
//! Z. Che et al., *Recurrent neural networks for multivariate time series with missing values* (2018), equations 9 to 16.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

module!(pub(crate) struct GruD { wx, bx, wg, bg, w, v, b, u, uh }); // w_x [F], W_γ [F, H], W, V [F, 3H], U [H, 2H]

impl<E: Float> Cell<E> for GruD<E> {
    type State = [Tensor<E>; 2];

    fn input_size(&self) -> usize {
        3 * self.wx.shape()[0]
    }
    fn initial_state(&self, n: usize) -> Self::State {
        [&self.bg, &self.bx].map(|like| Tensor::zeros([n, like.shape()[0]]))
    }
    fn step<'t>(&self, x: &Var<'t, E>, [h_prev, x_prev]: &[Var<'t, E>; 2]) -> [Var<'t, E>; 2] {
        let [x, m, delta] = x.chunk(1); // [N, F] each
        let decay_x = (-(&delta * &self.wx + &self.bx).relu()).exp();
        let decay_h = (-(delta.matmul(&self.wg) + &self.bg).relu()).exp(); // [N, H]
        let (x_hat, h_hat) = (&m * &x + (1.0 - &m) * decay_x * x_prev, decay_h * h_prev);
        let [t, n] = (x_hat.matmul(&self.w) + m.matmul(&self.v) + &self.b).split(1, [2 * self.h(), self.h()]);
        let [r, z] = (t + h_hat.matmul(&self.u)).sigmoid().chunk(1); // [N, H] each
        let n = (n + (r * &h_hat).matmul(&self.uh)).tanh();
        [&h_hat + z * (n - &h_hat), &m * x + (1.0 - &m) * x_prev]
    }
}

impl<E: Float> GruD<E> {
    fn h(&self) -> usize {
        self.bg.shape()[0]
    }

    /// A cell for 3 `f` columns.
    pub(crate) fn new(f: usize, h: usize, rng: &mut impl Rng) -> Self {
        let [wx, bx] = ["wx", "bx"].map(|name| filled(name, [f], 0.1));
        let (wg, bg) = (weight("Wg", [f, h], rng), filled("bg", [h], 0.1));
        let [w, v] = ["W", "V"].map(|name| weight(name, [f, 3 * h], rng));
        let (u, uh) = (weight("U", [h, 2 * h], rng), weight("Uh", [h, h], rng));
        GruD { wx, bx, wg, bg, w, v, b: filled("b", [3 * h], 0.0), u, uh }
    }
}
