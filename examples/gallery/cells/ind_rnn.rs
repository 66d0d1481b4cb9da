//! IndRNN: each unit reads its own past alone, so that its gradient is a power of one number.
//!
//! ```text
//! h_t = relu(W x_t + u ⊙ h_{t-1} + b)
//! ```
//!
//! # Source
//! S. Li et al., *Independently recurrent neural network (IndRNN)* (2018), equation 4.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

module!(pub(crate) struct IndRnn { w, u, b }); // W [D, H], u [H], b [H]

impl<E: Float> Cell<E> for IndRnn<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.u.shape()[0]])
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        (x + h_prev * &self.u).relu()
    }
}

impl<E: Float> IndRnn<E> {
    /// A cell that at first forgets nothing.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        IndRnn { w: weight("W", [d, h], rng), u: filled("u", [h], 1.0), b: filled("b", [h], 0.0) }
    }
}
