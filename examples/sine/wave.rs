//! The data: a sine, measured with noise.

use std::f64::consts::TAU;

use rand::rngs::StdRng;
use retrograde::prelude::*;

/// A sine of amplitude 1.
pub(crate) struct Wave {
    /// In steps.
    pub(crate) period: f64,
    /// The standard deviation of a measurement.
    pub(crate) noise: f32,
}

impl Wave {
    /// The sine at a step.
    pub(crate) fn at(&self, step: usize) -> f32 {
        (TAU * step as f64 / self.period).sin() as f32
    }

    /// The number of steps measured.
    pub(crate) fn measure(&self, steps: usize, rng: &mut StdRng) -> Vec<f32> {
        let noise = Tensor::normal([steps], 0.0, self.noise, rng).expect("a finite standard deviation");
        noise.iter().enumerate().map(|(step, noise)| self.at(step) + noise).collect()
    }
}
