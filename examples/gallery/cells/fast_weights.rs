//! Fast weights: a matrix of recent states, which the state is attracted to in an inner loop.
//!
//! ```text
//! A_t = λ A_{t-1} + η h_{t-1} h_{t-1}ᵀ
//! h⁰ = relu(LN(W x_t + U h_{t-1} + b))
//! hˢ⁺¹ = relu(LN(W x_t + U h_{t-1} + b + A_t hˢ))
//! ```
//!
//! # Source
//! J. Ba et al., *Using fast weights to attend to the recent past* (2016), equations 1 and 2, with one inner step.

use rand::Rng;
use retrograde::nn::{LayerNorm, init};
use retrograde::prelude::*;

use super::{filled, weight};

pub(crate) struct FastWeights<E: Float> {
    w: Param<E>, // [D, H]
    u: Param<E>, // [H, H]
    b: Param<E>, // [H]
    norm: LayerNorm<E>,
}
module!(FastWeights { w, u, b, norm });

impl<E: Float> Cell<E> for FastWeights<E> {
    type State = (Tensor<E>, Tensor<E>); // h [N, H], A [N, H, H]

    fn initial_state(&self, n: usize) -> Self::State {
        let h = self.b.shape()[0];
        (Tensor::zeros([n, h]), Tensor::zeros([n, h, h]))
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, (h_prev, a): &(Var<'t, E>, Var<'t, E>)) -> (Var<'t, E>, Var<'t, E>) {
        let a = a * DECAY + h_prev.unsqueeze(2) * h_prev.unsqueeze(1) * RATE; // [N, H, H]
        let t = x + h_prev.matmul(&self.u);
        let h = self.norm.normalise(&t).relu();
        (self.norm.normalise(&(t + a.matmul(h.unsqueeze(2)).squeeze(2))).relu(), a)
    }
}

impl<E: Float> FastWeights<E> {
    /// A cell whose slow weights are at first near the identity.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let u = Param::new("U", init::identity([h, h]) * E::from_f64(0.5));
        FastWeights { w: weight("W", [d, h], rng), u, b: filled("b", [h], 0.0), norm: LayerNorm::new(h) }
    }
}

/// λ and η.
const DECAY: f64 = 0.95;
const RATE: f64 = 0.5;
