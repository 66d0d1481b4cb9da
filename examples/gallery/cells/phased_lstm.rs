//! Phased LSTM: each unit opens for a part of a period of its own, and keeps its state in between.
//!
//! ```text
//! φ = ((t - s) mod τ) / τ
//! k = 2φ/r where φ < r/2,  2 - 2φ/r where φ < r,  α φ elsewhere
//! c_t = k ⊙ c̃_t + (1 - k) ⊙ c_{t-1}
//! h_t = k ⊙ h̃_t + (1 - k) ⊙ h_{t-1}
//! ```
//! with `c̃_t` and `h̃_t` those of an LSTM. The last column of the input is the time `t`. The columns of `W`, `U` and `b` are four
//! blocks of H in the order f, i, g, o.
//!
//! # Source
//! D. Neil, M. Pfeiffer and S. Liu, *Phased LSTM* (2016), equations 6 to 10, without peepholes.

use rand::{Rng, RngExt};
use retrograde::nn::init;
use retrograde::prelude::*;

use super::weight;

module!(pub(crate) struct PhasedLstm { w, u, b, tau, s }); // W [D, 4H], U [H, 4H], b [4H], τ [H], s [H]

impl<E: Float> Cell<E> for PhasedLstm<E> {
    type State = [Tensor<E>; 2];

    fn input_size(&self) -> usize {
        self.w.shape()[0] + 1
    }
    fn initial_state(&self, n: usize) -> Self::State {
        [(); 2].map(|()| Tensor::zeros([n, self.s.shape()[0]]))
    }
    fn step<'t>(&self, x: &Var<'t, E>, [h_prev, c_prev]: &[Var<'t, E>; 2]) -> [Var<'t, E>; 2] {
        let [x, time] = x.split(1, [self.w.shape()[0], 1]);
        let phase = (time - &self.s) / &self.tau; // [N, H]
        let phase = &phase - phase.floor();
        let up = &phase * (2.0 / OPEN);
        let k = up.where_mask(phase.lt(OPEN / 2.0), (2.0 - &up).where_mask(phase.lt(OPEN), phase * LEAK));
        let [f, i, g, o] = (x.matmul(&self.w) + h_prev.matmul(&self.u) + &self.b).chunk(1); // [N, H] each
        let c = f.sigmoid() * c_prev + i.sigmoid() * g.tanh();
        let h = o.sigmoid() * c.tanh();
        [h_prev + &k * (h - h_prev), c_prev + &k * (c - c_prev)]
    }
}

impl<E: Float> PhasedLstm<E> {
    /// A cell for `d` features and the time, of periods between 1 and 4.
    pub(crate) fn new(d: usize, h: usize, rng: &mut impl Rng) -> Self {
        let (w, u) = (weight("W", [d, 4 * h], rng), weight("U", [h, 4 * h], rng));
        let b = Param::new("b", init::forget_bias(h, 1.0));
        let tau = Tensor::from_fn([h], |at| E::from_f64(1.1 + 2.9 * at[0] as f64 / h as f64));
        // Shifts anywhere in the period: at each time, some units are open.
        let s = &tau * Tensor::from_fn([h], |_| E::from_f64(rng.random()));
        PhasedLstm { w, u, b, tau: Param::new("tau", tau), s: Param::new("s", s) }
    }
}

/// The part of a period in which a unit is open, r, and how much goes through in the rest, α.
const OPEN: f64 = 0.5;
const LEAK: f64 = 0.001;
