//! A neural Turing machine with one head: a memory that is addressed by content and by place.
//!
//! ```text
//! h_t = tanh(W x_t + U h_{t-1} + V r_{t-1} + b)    k, β, g, s, γ, e, a = P h_t + p
//! w = softmax(β cos(k, M))           by content
//! w ← g w + (1 - g) w_{t-1}          or where it was
//! w ← Σ_j s_j w shifted by j         or beside that
//! w_t = w^γ / Σ w^γ                  sharper
//! M_t = M_{t-1} ⊙ (1 - w_t eᵀ) + w_t aᵀ    r_t = w_tᵀ M_t
//! ```
//! The first memory is trained; the state is what was written since.
//!
//! # Source
//! A. Graves, G. Wayne and I. Danihelka, *Neural Turing machines* (2014), equations 1 to 9.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

state!(pub(crate) Machine { h, read, w, m }); // h [N, H], read [N, M], w [N, S], m [N, S, M]
module!(pub(crate) struct TuringMachine { w, u, v, b, p, pb, m0 }); // P [H, 3M + 6], m0 [S, M]

impl<E: Float> Cell<E> for TuringMachine<E> {
    type State = Machine<Tensor<E>>;

    fn initial_state(&self, n: usize) -> Self::State {
        let ([s, m], h) = (self.places(), Tensor::zeros([n, self.b.shape()[0]]));
        let w = Tensor::full([n, s], E::from_f64(1.0 / s as f64));
        Machine { h, read: Tensor::zeros([n, m]), w, m: Tensor::zeros([n, s, m]) }
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, s: &Machine<Var<'t, E>>) -> Machine<Var<'t, E>> {
        let ([places, m], memory) = (self.places(), &s.m + &self.m0); // [N, S, M]
        let h = (x + s.h.matmul(&self.u) + s.read.matmul(&self.v)).tanh();
        let [k, e, a, beta, g, gamma, shifts] =
            (h.matmul(&self.p) + &self.pb).split(1, [m, m, m, 1, 1, 1, 3]);
        let size = |x: &Var<'t, E>, axis: usize| (x.square().sum_axes(&[axis], false) + 1e-6).sqrt();
        let cos = memory.matmul(k.unsqueeze(2)).squeeze(2) / (size(&memory, 2) * size(&k, 1).unsqueeze(1)); // [N, S]
        let w = &s.w + g.sigmoid() * ((beta.softplus() * cos).softmax(1) - &s.w);
        let [left, stay, right] = shifts.softmax(1).chunk(1); // [N, 1] each
        let roll = |by: usize| {
            let [a, b] = w.split(1, [by, places - by]);
            Var::concat(&[b, a], 1)
        };
        let w = left * roll(1) + stay * &w + right * roll(places - 1);
        let w = ((w + 1e-12).ln() * (gamma.softplus() + 1.0)).softmax(1); // w^γ / Σ w^γ
        let (row, e, a) = (w.unsqueeze(2), e.sigmoid().unsqueeze(1), a.unsqueeze(1));
        let m = memory * (1.0 - &row * e) + &row * a;
        Machine { h, read: (row * &m).sum_axes(&[1], false), w, m: m - &self.m0 }
    }
}

impl<E: Float> TuringMachine<E> {
    fn places(&self) -> [usize; 2] {
        [0, 1].map(|axis| self.m0.shape()[axis])
    }

    /// A cell with a state of `h` and a memory of `s` places of `m` numbers.
    pub(crate) fn new(d: usize, h: usize, [s, m]: [usize; 2], rng: &mut impl Rng) -> Self {
        let [w, u, v] = [("W", d), ("U", h), ("V", m)].map(|(name, rows)| weight(name, [rows, h], rng));
        let (p, pb) = (weight("P", [h, 3 * m + 6], rng), filled("p", [3 * m + 6], 0.0));
        TuringMachine { w, u, v, b: filled("b", [h], 0.0), p, pb, m0: weight("M0", [s, m], rng) }
    }
}
