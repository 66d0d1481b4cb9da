//! coRNN: a network of oscillators that the input drives.
//!
//! ```text
//! z_t = (z_{t-1} + Δt (tanh(W y_{t-1} + 𝒲 z_{t-1} + V x_t + b) - γ y_{t-1})) / (1 + Δt ε)
//! y_t = y_{t-1} + Δt z_t
//! ```
//!
//! # Source
//! T. Rusch and S. Mishra, *Coupled oscillatory recurrent neural network* (2021), equation 3, with the damping implicit.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

module!(pub(crate) struct CoRnn { v, w, wz, b }); // V [D, H], W [H, H], 𝒲 [H, H], b [H]

impl<E: Float> Cell<E> for CoRnn<E> {
    type State = [Tensor<E>; 2];

    fn initial_state(&self, n: usize) -> Self::State {
        [(); 2].map(|()| Tensor::zeros([n, self.b.shape()[0]]))
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.matmul(&self.v) + &self.b
    }
    fn step<'t>(&self, x: &Var<'t, E>, [y, z]: &[Var<'t, E>; 2]) -> [Var<'t, E>; 2] {
        let force = (x + y.matmul(&self.w) + z.matmul(&self.wz)).tanh() - y * GAMMA;
        let z = (z + force * DT) / (1.0 + DT * EPSILON);
        [y + &z * DT, z]
    }
}

impl<E: Float> CoRnn<E> {
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let [w, wz] = ["W", "Wz"].map(|name| weight(name, [h, h], rng));
        CoRnn { v: weight("V", [d, h], rng), w, wz, b: filled("b", [h], 0.0) }
    }
}

/// The step of time, the stiffness of the springs and their damping.
const DT: f64 = 0.3;
const GAMMA: f64 = 1.0;
const EPSILON: f64 = 0.5;
