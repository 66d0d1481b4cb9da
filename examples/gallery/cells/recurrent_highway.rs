//! A recurrent highway network: several layers within a step, each with a gate between itself and the layer below.
//!
//! ```text
//! h_l = tanh(W_h x_t [l = 1] + R_h^l s_{l-1} + b_h^l)
//! t_l = σ(W_t x_t [l = 1] + R_t^l s_{l-1} + b_t^l)
//! s_l = h_l ⊙ t_l + s_{l-1} ⊙ (1 - t_l)
//! ```
//! The columns of `W`, `R` and `b` are two blocks of H in the order h, t.
//!
//! # Source
//! J. Zilly et al., *Recurrent highway networks* (2017), equations 6 to 9, with coupled gates.

use rand::Rng;
use retrograde::prelude::*;

use super::weight;

pub(crate) struct RecurrentHighway<E> {
    w: Param<E>,                       // [D, 2H]
    layers: Vec<(Param<E>, Param<E>)>, // R [H, 2H] and b [2H]
}
module!(RecurrentHighway { w, layers });

impl<E: Float> Cell<E> for RecurrentHighway<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.w.shape()[1] / 2])
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w)
    }
    fn step<'t>(&self, x: &Var<'t, E>, s_prev: &Var<'t, E>) -> Var<'t, E> {
        let layer = |(l, s): (usize, Var<'t, E>), (r, b): &(Param<E>, Param<E>)| {
            let t = s.matmul(r) + b;
            let [h, t] = if l == 0 { t + x } else { t }.chunk(1); // [N, H] each
            (l + 1, &s + t.sigmoid() * (h.tanh() - &s))
        };
        self.layers.iter().fold((0, s_prev.clone()), layer).1
    }
}

impl<E: Float> RecurrentHighway<E> {
    /// A cell of two layers whose gates are at first almost closed.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let closed = || Tensor::from_fn([2 * h], |at| E::from_f64(if at[0] < h { 0.0 } else { -2.0 }));
        let layers = [1, 2].map(|_| (weight("R", [h, 2 * h], rng), Param::new("b", closed())));
        RecurrentHighway { w: weight("W", [d, 2 * h], rng), layers: layers.into() }
    }
}
