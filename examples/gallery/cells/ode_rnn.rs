//! ODE-RNN: between two observations the state follows a differential equation, at each it makes a step of an RNN.
//!
//! ```text
//! dh/dt = A₂ tanh(A₁ h)    for the time Δt
//! h_t = tanh(W x_t + U h + b)
//! ```
//! The last column of the input is the time Δt since the observation before, which Euler's method crosses in a few steps.
//!
//! # Source
//! Y. Rubanova, R. Chen and D. Duvenaud, *Latent ODEs for irregularly-sampled time series* (2019), algorithm 1.

use rand::Rng;
use retrograde::prelude::*;

use super::{filled, weight};

module!(pub(crate) struct OdeRnn { w, u, b, a1, a2 }); // W [D, H], b [H], the others [H, H]

impl<E: Float> Cell<E> for OdeRnn<E> {
    type State = Tensor<E>;

    fn input_size(&self) -> usize {
        self.w.shape()[0] + 1
    }
    fn initial_state(&self, n: usize) -> Tensor<E> {
        Tensor::zeros([n, self.u.shape()[0]])
    }
    fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
        let [x, time] = x.split(1, [self.w.shape()[0], 1]);
        let dt = time / SOLVER_STEPS as f64; // [N, 1]
        let euler = |h: Var<'t, E>, _| &h + h.matmul(&self.a1).tanh().matmul(&self.a2) * &dt;
        let h = (0..SOLVER_STEPS).fold(h_prev.clone(), euler);
        (x.matmul(&self.w) + h.matmul(&self.u) + &self.b).tanh()
    }
}

impl<E: Float> OdeRnn<E> {
    /// A cell for `d` features and the time.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let [u, a1, a2] = ["U", "A1", "A2"].map(|name| weight(name, [h, h], rng));
        OdeRnn { w: weight("W", [d, h], rng), u, b: filled("b", [h], 0.0), a1, a2 }
    }
}

const SOLVER_STEPS: usize = 3;
