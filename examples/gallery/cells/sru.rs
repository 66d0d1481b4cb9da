//! The simple recurrent unit: all its products are of the input, its state is read elementwise.
//!
//! ```text
//! f_t = σ(W_f x_t + v_f ⊙ c_{t-1} + b_f)
//! r_t = σ(W_r x_t + v_r ⊙ c_{t-1} + b_r)
//! c_t = f_t ⊙ c_{t-1} + (1 - f_t) ⊙ W x_t
//! h_t = r_t ⊙ c_t + (1 - r_t) ⊙ V x_t
//! ```
//! The columns of `W` are four blocks of H in the order x, f, r, V; for D = H the paper takes `x_t` in place of `V x_t`.
//!
//! # Source
//! T. Lei et al., *Simple recurrent units for highly parallelizable recurrence* (2018), equations 1 to 4.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, vector, weight};

module!(pub(crate) struct Sru { w, vf, bf, vr, br }); // W [D, 4H], the others [H]

impl<E: Float> Cell<E> for Sru<E> {
    type State = [Tensor<E>; 2];

    fn initial_state(&self, n: usize) -> Self::State {
        [(); 2].map(|()| Tensor::zeros([n, self.vf.shape()[0]]))
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w)
    }
    fn step<'t>(&self, x: &Var<'t, E>, [_, c_prev]: &[Var<'t, E>; 2]) -> [Var<'t, E>; 2] {
        let [x, f, r, skip] = x.chunk(1); // [N, H] each
        let f = (f + c_prev * &self.vf + &self.bf).sigmoid();
        let r = (r + c_prev * &self.vr + &self.br).sigmoid();
        let c = &f * c_prev + (1.0 - f) * x;
        [&r * &c + (1.0 - r) * skip, c]
    }
}

impl<E: Float> Sru<E> {
    /// A cell that remembers at first.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let [vf, vr] = ["vf", "vr"].map(|name| vector(name, h, rng));
        let (bf, br) = (filled("bf", [h], 2.0), filled("br", [h], 0.0));
        Sru { w: weight("W", [d, 4 * h], rng), vf, bf, vr, br }
    }
}
