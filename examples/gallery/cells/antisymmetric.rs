//! AntisymmetricRNN: a step of Euler's method for a stable differential equation.
//!
//! ```text
//! h_t = h_{t-1} + ε tanh((W - Wᵀ - γ I) h_{t-1} + V x_t + b)
//! ```
//!
//! # Source
//! B. Chang et al., *AntisymmetricRNN* (2019), equation 9.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

module!(pub(crate) struct Antisymmetric { v, w, b } with { a }); // V [D, H], W [H, H], b [H]

impl<E: Float> Cell<E> for Antisymmetric<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.w.shape()[0]])
    }
    fn prepare(&self, tape: &Tape<E>) {
        let w = tape.param(&self.w);
        self.a.bind(&(w.t() - w - Tensor::eye(self.w.shape()[0]) * E::from_f64(GAMMA)));
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.v) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        h_prev + (x + h_prev.matmul(&self.a)).tanh() * EPSILON
    }
}

impl<E: Float> Antisymmetric<E> {
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let (v, w) = (weight("V", [d, h], rng), weight("W", [h, h], rng));
        Antisymmetric { v, w, b: filled("b", [h], 0.0), a: Placeholder::new("a") }
    }
}

const EPSILON: f64 = 0.5;
const GAMMA: f64 = 0.05;
