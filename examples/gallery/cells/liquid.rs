//! A liquid time constant network: a differential equation whose time constant depends on the input.
//!
//! ```text
//! f = σ(W x_t + U h + b)
//! dh/dt = -(1/τ + f) ⊙ h + f ⊙ A
//! h ← (h + Δt f ⊙ A) / (1 + Δt (1/τ + f))
//! ```
//! The last line is a step of the fused solver; there are a few in each step of the sequence.
//!
//! # Source
//! R. Hasani et al., *Liquid time-constant networks* (2021), equations 1 to 3.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, vector, weight};

module!(pub(crate) struct Liquid { w, u, b, tau, a }); // W [D, H], U [H, H], the others [H]

impl<E: Float> Cell<E> for Liquid<E> {
    type State = Tensor<E>;

    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.u.shape()[0]])
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.w) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        (0..SOLVER_STEPS).fold(h_prev.clone(), |h, _| {
            let f = (x + h.matmul(&self.u)).sigmoid();
            let decay = 1.0 / x.tape().param(&self.tau) + &f;
            (h + f * DT * &self.a) / (decay * DT + 1.0)
        })
    }
}

impl<E: Float> Liquid<E> {
    /// A cell of slow units.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let (w, u) = (weight("W", [d, h], rng), weight("U", [h, h], rng));
        Liquid { w, u, b: filled("b", [h], -2.0), tau: filled("tau", [h], 10.0), a: vector("A", h, rng) }
    }
}

const SOLVER_STEPS: usize = 3;
const DT: f64 = 1.0 / SOLVER_STEPS as f64;
