//! Attention inside of a cell: each step looks at a memory, such as the states of an encoder, with its state as the query.
//!
//! ```text
//! e_i = vᵀ tanh(Q h_{t-1} + K m_i)
//! α = softmax(e)    c = Σ α_i m_i
//! h_t = tanh(W x_t + U h_{t-1} + C c + b)
//! ```
//! The memory `[N, S, M]` is bound to `memory` on the tape before a call; its keys are made once a call.
//!
//! # Source
//! D. Bahdanau, K. Cho and Y. Bengio, *Neural machine translation by jointly learning to align and translate* (2015), section 3.1.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

module!(pub(crate) struct AttentionCell { w, u, b, q, k, v, c } with { memory, keys });

impl<E: Float> Cell<E> for AttentionCell<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.u.shape()[0]])
    }
    fn prepare(&self, tape: &Tape<E>) {
        self.keys.bind(&tape.operand(&self.memory).matmul(&self.k)); // [N, S, A]
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        let e = (h_prev.matmul(&self.q).unsqueeze(1) + &self.keys).tanh().matmul(&self.v); // [N, S, 1]
        let c = (e.softmax(1) * &self.memory).sum_axes(&[1], false); // [N, M]
        (x.matmul(&self.w) + h_prev.matmul(&self.u) + c.matmul(&self.c) + &self.b).tanh()
    }
}

impl<E: Float> AttentionCell<E> {
    /// A cell for a memory of `m` features.
    pub(crate) fn new(d: usize, h: usize, m: usize, rng: &mut impl Rng) -> Self {
        let shapes =
            [("W", [d, h]), ("U", [h, h]), ("Q", [h, h]), ("K", [m, h]), ("v", [h, 1]), ("C", [m, h])];
        let [w, u, q, k, v, c] = shapes.map(|(name, shape)| weight(name, shape, rng));
        let [memory, keys] = ["memory", "keys"].map(Placeholder::new);
        AttentionCell { w, u, b: filled("b", [h], 0.0), q, k, v, c, memory, keys }
    }

    /// Binds the memory of the next call.
    pub(crate) fn look_at(&self, memory: &Var<'_, E>) {
        self.memory.bind(memory);
    }
}
