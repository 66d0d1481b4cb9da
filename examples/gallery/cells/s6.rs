//! S6, the selective state space model of Mamba: steps, inputs and outputs of a linear system depend on the input.
//!
//! ```text
//! Δ_t = softplus(W_Δ x_t + b)    B_t = W_B x_t    C_t = W_C x_t
//! h_t = exp(Δ_t A) ⊙ h_{t-1} + Δ_t B_t x_t    A = -exp(log a)
//! y_t = C_t h_t + d ⊙ x_t
//! ```
//! The columns of `W` are Δ of D, B and C of S each.
//!
//! # Source
//! A. Gu and T. Dao, *Mamba: linear-time sequence modeling with selective state spaces* (2023), algorithm 2.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

module!(pub(crate) struct S6 { w, b, log_a, d } with { a }); // W [D, D + 2S], b [D], log a [D, S], d [D]

impl<E: Float> Cell<E> for S6<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.log_a.shape()[0], self.log_a.shape()[1]])
    }
    fn prepare(&self, tape: &Tape<E>) {
        self.a.bind(&-tape.param(&self.log_a).exp());
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        let ([d, s], last) = (self.sizes(), x.shape().rank() - 1);
        let [delta, b, c] = x.matmul(&self.w).split(last, [d, s, s]);
        let delta = (delta + &self.b).softplus();
        Var::concat(&[&delta * x, delta, b, c, x * &self.d], last)
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        let [d, s] = self.sizes();
        let [x, delta, b, _] = x.split(1, [d, d, s, s + d]);
        (delta.unsqueeze(2) * &self.a).exp() * h_prev + x.unsqueeze(2) * b.unsqueeze(1)
    }
    fn output<'t>(&self, x: &Var<'t, E>, h: &Var<'t, E>) -> Var<'t, E> {
        let [d, s] = self.sizes();
        let [_, c, skip] = x.split(1, [2 * d + s, s, d]);
        h.matmul(c.unsqueeze(2)).squeeze(2) + skip
    }
}

impl<E: Float> S6<E> {
    fn sizes(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.log_a.shape()[axis])
    }

    /// A cell of `s` states for each of `d` features, with time constants of 1 to `s` steps.
    pub(crate) fn new(d: usize, s: usize, rng: &mut impl Rng) -> Self {
        let log_a = Tensor::from_fn([d, s], |at| E::from_f64((1.0 + at[1] as f64).ln()));
        let (b, log_a) = (filled("b", [d], -2.0), Param::new("log_a", log_a));
        S6 {
            w: weight("W", [d, d + 2 * s], rng),
            b,
            log_a,
            d: filled("d", [d], 1.0),
            a: Placeholder::new("a"),
        }
    }
}
