//! The exactness of numbers: the rounding of a gradient, and the noise of a forward pass.

use std::rc::Rc;

use rand::RngExt;

use crate::Error;
use crate::calls::CALLS;
use crate::compare::Comparison;
use crate::cotangent::{median, rms, weight};
use crate::problem::{Problem, require_same};

/// Salts of computations in random rounding, and runs on inputs that are off by a unit in the last place.
const SALTS: [u64; 6] = [
    0xD1B5_4A32_D192_ED02,
    0xD1B5_4A32_D192_ED03,
    0x8CB9_2BA7_2F3D_8DD6,
    0x8CB9_2BA7_2F3D_8DD7,
    0xA24B_AED4_963E_E406,
    0xA24B_AED4_963E_E407,
];

/// A gradient may be off by this many times the largest deviation seen.
const CAUTION: f64 = 16.0;

/// Deviations of a gradient computed again, each time rounded otherwise.
#[derive(Debug, Default)]
pub(crate) struct GradientNoise(Vec<Vec<f64>>);

impl GradientNoise {
    /// The noise of one element.
    pub(crate) fn of(&self, place: usize) -> f64 {
        CAUTION * self.0.iter().map(|deviation| deviation[place].abs()).fold(0.0, f64::max)
    }

    /// The noise along a direction: elements may be off together, or each for itself.
    pub(crate) fn along(&self, u: &[(usize, f64)]) -> f64 {
        let together = |deviation: &Vec<f64>| u.iter().map(|&(i, u)| u * deviation[i]).sum::<f64>().abs();
        let together = self.0.iter().map(together).fold(0.0, f64::max);
        let apart = u.iter().map(|&(i, u)| (u * self.of(i)).powi(2)).sum::<f64>().sqrt();
        apart.max(CAUTION * together)
    }
}

impl Comparison<'_, '_> {
    /// The noise of the gradient for a cotangent. A deviation that is not finite counts for nothing.
    ///
    /// Where the derivative of an operation cancels, as `1 - y²` of a saturated tanh, rounding is much of it. Products
    /// that vanish do so exactly, and have none.
    pub(crate) fn noise(&mut self, p: usize) -> Result<Rc<GradientNoise>, Error> {
        if let Some(known) = self.noise.get(&p) {
            return Ok(known.clone());
        }
        let v = self.cotangents.vectors(self.y.len()).swap_remove(p);
        let apart = |found: Vec<f64>, from: &[f64]| -> Vec<f64> {
            let apart = found.iter().zip(from).map(|(a, b)| a - b);
            apart.map(|apart| if apart.is_finite() { apart } else { 0.0 }).collect()
        };
        let mut deviations = Vec::new();
        if self.problem.is_recorded() {
            let by_tape = self.problem.tape_gradients(&self.x, std::slice::from_ref(&v))?.remove(0);
            let rounded = self.problem.rounded_gradients(&self.x, &v, &SALTS)?;
            deviations.extend(rounded.into_iter().map(|found| apart(found, &by_tape)));
        }
        if self.problem.backward.is_some() {
            // Of an explicit pass nothing can be rounded otherwise but what goes in.
            for _ in 0..2 {
                let x = nudged(&self.x, &mut self.rng);
                let v = nudged(&v, &mut self.rng);
                let found = self.problem.gradients(&x, &[v])?.remove(0);
                deviations.push(apart(found, &self.gradients[p]));
            }
        }
        let noise = Rc::new(GradientNoise(deviations));
        self.noise.insert(p, noise.clone());
        Ok(noise)
    }
}

/// Numbers off by at most a unit in the last place. Zeros stay.
pub(crate) fn nudged(x: &[f64], rng: &mut rand::rngs::StdRng) -> Vec<f64> {
    let nudge = |&x: &f64| x * (1.0 + f64::EPSILON * f64::from(rng.random_range(-1_i8..=1)));
    x.iter().map(nudge).collect()
}

/// By how much runs on the same input differ, relative to the largest element of an output.
///
/// A random layer differs by about as much in every run. One that differs now and then keeps state between calls, and one
/// that differs by more has no derivative to speak of.
pub(crate) fn run_noise(problem: &mut Problem<'_>, x: &[f64], y: &[f64]) -> Result<f64, Error> {
    let (mut noise, mut differ) = (0.0_f64, 0);
    let mut runs = Vec::new();
    for _ in 0..CALLS {
        let again = problem.outputs_at(x)?;
        let before = noise;
        for part in &problem.outputs {
            let largest = y[part.range.clone()].iter().fold(0.0_f64, |largest, y| largest.max(y.abs()));
            for place in part.range.clone().filter(|&place| again[place] != y[place]) {
                noise = noise.max((again[place] - y[place]).abs() / largest);
            }
        }
        differ += usize::from(again != y);
        if noise > before || noise.is_nan() {
            runs.push(again);
        }
    }
    let rounding = noise <= 64.0 * f64::EPSILON;
    if rounding || differ + 2 >= CALLS && noise <= LARGEST {
        return Ok(noise);
    }
    for again in runs {
        require_same(&problem.outputs, "", y, &again)?;
    }
    Ok(0.0)
}

/// Points on a line, and the order of the differences of their values.
const POINTS: usize = 8;
const ORDER: usize = 6;

/// Noise beyond this, relative to an output, is none but a function that jumps.
const LARGEST: f64 = 2e-5;

/// The noise of a forward pass, which is seen where steps are so short that a smooth function is a line.
///
/// # Source
/// J. Moré and S. Wild, *Estimating computational noise* (2011).
pub(crate) fn forward_noise(
    problem: &mut Problem<'_>,
    x: &[f64],
    y: &[f64],
    rng: &mut rand::rngs::StdRng,
) -> Result<Vec<f64>, Error> {
    let mut noise = vec![0.0_f64; problem.outputs.len()];
    for step in [1e-11, 1e-8, 3e-7] {
        let mut seen = along_line(problem, x, y, step, rng)?;
        let typical: Vec<f64> = problem.outputs.iter().map(|part| rms(&y[part.range.clone()])).collect();
        if seen.iter().zip(&typical).any(|(seen, typical)| *seen > 1e-13 * typical) {
            // A kink on the line is not likely to lie on another.
            let again = along_line(problem, x, y, step, rng)?;
            seen.iter_mut().zip(again).for_each(|(seen, again)| *seen = seen.min(again));
        }
        for ((noise, seen), typical) in noise.iter_mut().zip(seen).zip(typical) {
            if seen <= LARGEST * typical {
                *noise = noise.max(seen);
            }
        }
    }
    Ok(noise)
}

/// The standard deviation of the noise of each output along a random line, by high differences.
fn along_line(
    problem: &mut Problem<'_>,
    x: &[f64],
    y: &[f64],
    step: f64,
    rng: &mut rand::rngs::StdRng,
) -> Result<Vec<f64>, Error> {
    let u: Vec<f64> = x.iter().map(|x| x * weight(rng)).collect();
    let mut rows = vec![y.to_vec()];
    for point in 1..POINTS {
        let moved: Vec<f64> = x.iter().zip(&u).map(|(x, u)| x + point as f64 * step * u).collect();
        rows.push(problem.outputs_moved(&problem.clamped(moved))?);
    }
    for _ in 0..ORDER {
        rows = rows.windows(2).map(|w| w[1].iter().zip(&w[0]).map(|(b, a)| b - a).collect()).collect();
    }
    // The variance of a difference of order n is that of a value times (2n)! / (n!)² = 924.
    let scale = 1.0 / 924.0_f64.sqrt() / 0.6745;
    let of_part = |range: std::ops::Range<usize>| {
        let sizes = rows.iter().flat_map(|row| row[range.clone()].iter().map(|x| x.abs()));
        let median = median(sizes.collect());
        if median.is_finite() { scale * median } else { 0.0 }
    };
    Ok(problem.outputs.iter().map(|part| of_part(part.range.clone())).collect())
}

/// The number of right bits of a result, and the tolerance of finite differences that follows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Precision {
    pub(crate) bits: u32,
    pub(crate) tolerance: f64,
}

impl Precision {
    /// That of outputs with this noise, if it is less than that of a double.
    pub(crate) fn of(noise: f64) -> Option<Self> {
        if noise < 1e-12 {
            return None;
        }
        let bits = (-noise.log2()).floor() as u32;
        // Sums of numbers of 24 bits have about as many.
        let bits = if (20..=27).contains(&bits) { 24 } else { bits };
        let rounding = noise.max(2.0_f64.powi(1 - bits as i32));
        Some(Precision { bits, tolerance: rounding.sqrt() })
    }
}
