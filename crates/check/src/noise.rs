//! The exactness of numbers: the rounding of a gradient, and the noise of a forward pass.

use std::rc::Rc;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::Error;
use crate::calls::CALLS;
use crate::compare::Comparison;
use crate::cotangent::{median, rms, weight};
use crate::parts::{Part, require_same};
use crate::problem::Problem;

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
    /// Measures the noise of the gradient under test along a line of points and cotangents, relative to the largest element
    /// of each block. In a backward pass of single precision it is 1e-8, whatever the forward pass.
    pub(crate) fn measure_noise(&mut self) -> Result<(), Error> {
        let v = self.cotangents.dense[0].1.clone();
        // Random numbers of its own, so that directions are those of the seed however much is measured.
        let mut rng = StdRng::seed_from_u64(self.settings.seed);
        let mut line = |of: &[f64]| -> Vec<f64> { of.iter().map(|x| x * weight(&mut rng)).collect() };
        let (du, dv) = (line(&self.x), line(&v));
        let mut rows = vec![self.gradients[0].clone()];
        for point in 1..POINTS {
            let moved = |of: &[f64], u: &[f64]| -> Vec<f64> {
                of.iter().zip(u).map(|(x, u)| x + point as f64 * STEPS[2] * u).collect()
            };
            let x = self.problem.clamped(moved(&self.x, &du));
            let Some(g) = self.problem.gradient_moved(&x, moved(&v, &dv))? else { return Ok(()) };
            rows.push(g);
        }
        let noise = root_mean_squares(&high_differences(rows));
        for block in &mut self.blocks {
            let largest = |of: &[f64]| block.members.iter().map(|&i| of[i].abs()).fold(0.0, f64::max);
            let (noise, magnitude) = (largest(&noise), largest(&self.gradients[0]));
            block.noise = if magnitude > 0.0 { noise / magnitude } else { 0.0 };
        }
        Ok(())
    }

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
pub(crate) fn nudged(x: &[f64], rng: &mut StdRng) -> Vec<f64> {
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

/// Noise of most elements up to this, relative to an output, is that of a double.
const DOUBLE: f64 = 1e-12;

/// Noise beyond this, relative to an output, is none but a function that jumps.
const LARGEST: f64 = 2e-5;

/// The noise of a forward pass.
#[derive(Debug)]
pub(crate) struct ForwardNoise {
    /// That of an element of each output, as most have it: of what precision the pass is.
    pub(crate) typical: Vec<f64>,
    /// That of each output element: where a recurrence is chaotic, or a norm divides by almost nothing, rounding grows from
    /// step to step, and a few elements have far more of it than others.
    pub(crate) elements: Vec<f64>,
}

/// The noise that one line shows.
type Seen = ForwardNoise;

impl ForwardNoise {
    /// The noise in high differences of outputs: of an element the root of its mean square, of an output the median.
    fn of(parts: &[Part], rows: Vec<Vec<f64>>) -> Self {
        let typical = |part: &Part| {
            let sizes = rows.iter().flat_map(|row| row[part.range.clone()].iter().map(|x| x.abs()));
            let median = median(sizes.collect());
            if median.is_finite() { median / 0.6745 } else { 0.0 }
        };
        ForwardNoise { typical: parts.iter().map(typical).collect(), elements: root_mean_squares(&rows) }
    }

    fn least(&mut self, other: &Self) {
        let pairs = self.typical.iter_mut().zip(&other.typical);
        pairs.chain(self.elements.iter_mut().zip(&other.elements)).for_each(|(a, b)| *a = a.min(*b));
    }
}

/// Steps, relative to an input, that are so short that a smooth function is a line, also one that is steep. In single
/// precision nothing moves by the first of them; the last is for that.
const STEPS: [f64; 3] = [1e-11, 1e-8, 3e-7];

/// The noise of a forward pass, which is seen where steps are so short that a smooth function is a line.
///
/// # Source
/// J. Moré and S. Wild, *Estimating computational noise* (2011).
pub(crate) fn forward_noise(
    problem: &mut Problem<'_>,
    x: &[f64],
    y: &[f64],
    rng: &mut StdRng,
) -> Result<ForwardNoise, Error> {
    let mut noise = ForwardNoise { typical: vec![0.0; problem.outputs.len()], elements: vec![0.0; y.len()] };
    let parts = problem.outputs.clone();
    let sizes: Vec<f64> = parts.iter().map(|part| rms(&y[part.range.clone()])).collect();
    for step in STEPS {
        let mut seen = Seen::of(&parts, along_line(problem, x, y, step, rng)?);
        let over = |(part, size): (&Part, &f64)| {
            seen.elements[part.range.clone()].iter().any(|seen| *seen > 1e-13 * size)
        };
        if parts.iter().zip(&sizes).any(over) {
            // A kink on the line is not likely to lie on another.
            let again = Seen::of(&parts, along_line(problem, x, y, step, rng)?);
            seen.least(&again);
        }
        for (i, (part, size)) in parts.iter().zip(&sizes).enumerate() {
            let typical = seen.typical[i];
            if typical <= LARGEST * size {
                noise.typical[i] = noise.typical[i].max(typical);
            }
            // The last step is too long for an element that is steeper than others, but in single precision.
            if step < STEPS[2] || typical > DOUBLE * size {
                for place in part.range.clone() {
                    noise.elements[place] =
                        noise.elements[place].max(seen.elements[place].min(LARGEST * size));
                }
            }
        }
    }
    // Where outputs hardly move on such lines, as a loss with a small gradient, rounding to a coarse grid does not show.
    let moved = problem.outputs_moved(&problem.clamped(x.iter().map(|x| 1.000_7 * x).collect()))?;
    for ((part, size), typical) in parts.iter().zip(&sizes).zip(&mut noise.typical) {
        let range = part.range.clone();
        if is_single(y[range.clone()].iter().chain(&moved[range.clone()])) {
            *typical = typical.max(SINGLE * size);
            noise.elements[range].iter_mut().for_each(|noise| *noise = noise.max(SINGLE * size));
        }
    }
    Ok(noise)
}

/// The noise of a number that was rounded to single precision, relative.
const SINGLE: f64 = 1.0 / (1 << 25) as f64;

/// Whether all numbers are of single precision, and some of more than a few bits, as constants and masks have.
fn is_single<'a>(mut numbers: impl Iterator<Item = &'a f64> + Clone) -> bool {
    let long = |x: &f64| x.to_bits().trailing_zeros() < 40;
    numbers.clone().all(|&x| f64::from(x as f32) == x) && numbers.any(long)
}

/// High differences of the outputs along a random line.
fn along_line(
    problem: &mut Problem<'_>,
    x: &[f64],
    y: &[f64],
    step: f64,
    rng: &mut StdRng,
) -> Result<Vec<Vec<f64>>, Error> {
    let u: Vec<f64> = x.iter().map(|x| x * weight(rng)).collect();
    let mut rows = vec![y.to_vec()];
    for point in 1..POINTS {
        let moved: Vec<f64> = x.iter().zip(&u).map(|(x, u)| x + point as f64 * step * u).collect();
        rows.push(problem.outputs_moved(&problem.clamped(moved))?);
    }
    Ok(high_differences(rows))
}

/// High differences of each number in rows for points on a line, of the size of its noise.
fn high_differences(mut rows: Vec<Vec<f64>>) -> Vec<Vec<f64>> {
    for _ in 0..ORDER {
        rows = rows.windows(2).map(|w| w[1].iter().zip(&w[0]).map(|(b, a)| b - a).collect()).collect();
    }
    // The variance of a difference of order n is that of a value times (2n)! / (n!)² = 924.
    let scale = 1.0 / 924.0_f64.sqrt();
    rows.iter_mut().flatten().for_each(|x| *x *= scale);
    rows
}

/// The root of the mean square of each number, 0 where it is not finite.
fn root_mean_squares(rows: &[Vec<f64>]) -> Vec<f64> {
    let of = |i: usize| (rows.iter().map(|row| row[i] * row[i]).sum::<f64>() / rows.len() as f64).sqrt();
    (0..rows[0].len()).map(of).map(|seen| if seen.is_finite() { seen } else { 0.0 }).collect()
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
        if noise < DOUBLE {
            return None;
        }
        let bits = (-noise.log2()).floor() as u32;
        // Sums of numbers of 24 bits have about as many.
        let bits = if (20..=27).contains(&bits) { 24 } else { bits };
        let rounding = noise.max(2.0_f64.powi(1 - bits as i32));
        Some(Precision { bits, tolerance: rounding.sqrt() })
    }
}
