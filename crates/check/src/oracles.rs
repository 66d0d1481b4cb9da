//! The oracles: what each says about the gradient under test.

use crate::Error;
use crate::compare::{Comparison, Difference, Unseen, contradicts, within};
use crate::findings::Oracle;

/// Beyond this many elements, a block that fails is searched by halves for where.
const SEARCHED: usize = 4096;

/// An element is judged by its own size, but not where it is smaller than this of the tolerance of its block.
const OWN: f64 = 1e-3;

/// An element is not judged by its own size beyond this many times the noise of its block: what was added up for it is
/// rounded by that, however small it is itself.
const ROUNDED: f64 = 30.0;

impl Comparison<'_, '_> {
    /// Finite differences of elements, and along random directions of each block.
    pub(crate) fn by_differences(&mut self) -> Result<(), Error> {
        for block in 0..self.blocks.len() {
            let members = self.blocks[block].members.clone();
            let numel = self.problem.inputs[self.blocks[block].part].range.len();
            let all = numel <= self.settings.elements;
            let every = if all { 1 } else { numel.div_ceil(self.settings.elements.max(1)) };
            let chosen: Vec<usize> = match self.settings.elements {
                0 => Vec::new(),
                _ => members.iter().copied().step_by(every).collect(),
            };
            self.elements(block, &chosen)?;
            let draws = if self.blocks[block].step.is_some() { 1 } else { self.settings.directions };
            let uneven = self.is_uneven(block);
            for draw in 0..draws {
                let u = self.direction(block, uneven && draw % 2 == 1);
                let agrees = self.along(block, &u)?;
                let known = |found: &Difference| found.block == block && found.oracle == Oracle::Differences;
                let Some(found) = agrees else { continue };
                if self.differences.iter().chain(&self.kinks).any(known) {
                    continue;
                }
                if chosen.len() < members.len() && members.len() <= SEARCHED {
                    self.elements(block, &members)?;
                }
                if !self.differences.iter().chain(&self.kinks).any(known) {
                    let found = self.where_along(&u, found)?;
                    self.file(found)?;
                }
            }
            self.repeat()?;
        }
        Ok(())
    }

    /// Finite differences of single elements.
    pub(crate) fn elements(&mut self, block: usize, places: &[usize]) -> Result<(), Error> {
        let count = self.cotangents.len();
        let tolerances: Vec<f64> = (0..count).map(|p| self.tolerance(block, p)).collect();
        let wanted: Vec<f64> = tolerances.iter().map(|tolerance| 0.01 * tolerance).collect();
        let relative = self.relative_tolerance();
        let rounded = (ROUNDED * self.blocks[block].noise / relative).clamp(OWN, 1.0);
        let slack = |analytic: f64, numeric: f64, of_block: f64| {
            own(relative, analytic, numeric).max(rounded * of_block)
        };
        let mut slopes = Vec::with_capacity(places.len());
        for &place in places {
            let gradient: Vec<f64> = self.gradients.iter().map(|g| g[place]).collect();
            let slope = self.slope(&[(place, 1.0)], &wanted, |p, numeric, error| {
                !contradicts(gradient[p], numeric, error, slack(gradient[p], numeric, tolerances[p]))
            })?;
            self.numeric.insert(place, slope.value.clone());
            slopes.push(slope);
        }
        for p in 0..count {
            let largest = slopes.iter().map(|slope| slope.value[p].abs()).fold(0.0, f64::max);
            let magnitude = self.magnitude(block, p).max(largest);
            let tolerance = relative * magnitude;
            let mut unseen = Unseen { block, cotangent: p, magnitude, floor: 0.0, elements: 0, flat: true };
            for (&place, slope) in places.iter().zip(&slopes) {
                let (analytic, numeric) = (self.gradients[p][place], slope.value[p]);
                let (error, distance) = (slope.error[p], (analytic - numeric).abs());
                let flat = analytic == 0.0 && !slope.moved[p];
                unseen.flat &= flat;
                let resolved = error <= tolerance && analytic.is_finite();
                let wrong = contradicts(analytic, numeric, error, slack(analytic, numeric, tolerance));
                let noise = if wrong { self.noise(p)?.of(place) } else { 0.0 };
                let wrong = wrong && !self.excuse(block, distance, noise, magnitude);
                if slope.kink[p].is_none() && resolved && !wrong {
                    self.measure(block, Oracle::Differences, distance, magnitude);
                } else if slope.kink[p].is_some() || error > slope.floor[p] || wrong {
                    let found = Difference::new(
                        (Oracle::Differences, block, Some(place), p),
                        analytic,
                        numeric,
                        if wrong && distance <= tolerance {
                            analytic.abs().max(numeric.abs())
                        } else {
                            magnitude
                        },
                    );
                    if !self.settle(found, tolerance, wrong)? && !wrong && !flat && !resolved {
                        unseen.elements += 1;
                        unseen.floor = unseen.floor.max(error);
                    }
                } else if !flat {
                    unseen.elements += 1;
                    unseen.floor = unseen.floor.max(error);
                }
            }
            if unseen.elements > 0 || unseen.flat && !places.is_empty() {
                self.unseen.push(unseen);
            }
        }
        Ok(())
    }

    /// A finite difference along a direction within a block; the worst disagreement, if there is one.
    fn along(&mut self, block: usize, u: &[(usize, f64)]) -> Result<Option<Difference>, Error> {
        let count = self.cotangents.len();
        let relative = self.relative_tolerance();
        let sum = |g: &Vec<f64>, power: i32| u.iter().map(|&(i, u)| (u * g[i]).powi(power)).sum::<f64>();
        let analytic: Vec<f64> = self.gradients.iter().map(|g| sum(g, 1)).collect();
        let sizes: Vec<f64> = self.gradients.iter().map(|g| sum(g, 2).sqrt()).collect();
        let tolerance = |p: usize, numeric: f64| relative * sizes[p].max(numeric.abs());
        let wanted: Vec<f64> = (0..count).map(|p| 0.01 * self.tolerance(block, p)).collect();
        let slope = self.slope(u, &wanted, |p, numeric, error| {
            !contradicts(analytic[p], numeric, error, tolerance(p, numeric))
        })?;
        let mut worst: Option<Difference> = None;
        let mut kinks = None;
        for p in 0..count {
            let (analytic, numeric, error) = (analytic[p], slope.value[p], slope.error[p]);
            let (distance, tolerance) = ((analytic - numeric).abs(), tolerance(p, numeric));
            let magnitude = sizes[p].max(numeric.abs());
            if contradicts(analytic, numeric, error, tolerance) {
                if kinks.is_none() {
                    kinks = Some(self.kinks(u)?);
                }
                // Many elements may be at kinks, each with slopes of its own: within as much as they differ, anything goes.
                let [left, right] = kinks.as_ref().and_then(|kinks| kinks[p]).unwrap_or([numeric; 2]);
                let gap = (right - left).abs();
                let excused = gap > 0.0 && (analytic - left).abs().min((analytic - right).abs()) <= gap;
                let noise = self.noise(p)?.along(u);
                if excused || self.excuse(block, distance, noise, magnitude) {
                    continue;
                }
                let found =
                    Difference::new((Oracle::Differences, block, None, p), analytic, numeric, magnitude);
                self.measure(block, Oracle::Differences, distance, magnitude);
                if worst.as_ref().is_none_or(|worst| found.relative() > worst.relative()) {
                    worst = Some(found);
                }
            } else if error <= tolerance {
                self.measure(block, Oracle::Differences, distance, magnitude);
            }
        }
        Ok(worst)
    }

    /// The adjoint identity `⟨v, J u⟩ = ⟨Jᵀ v, u⟩`, with `J u` from dual numbers.
    pub(crate) fn by_adjoint(&mut self) -> Result<(), Error> {
        for block in 0..self.blocks.len() {
            let us: Vec<_> = (0..self.settings.directions).map(|_| self.direction(block, false)).collect();
            let dense: Vec<Vec<f64>> = us.iter().map(|u| self.dense(u)).collect();
            let jus = self.problem.jvps(&self.x, &dense);
            let Some(jus) = self.applicable(Oracle::Adjoint, self.blocks[block].part, jus)? else { continue };
            let mut failed: Option<(usize, Difference)> = None;
            for (i, (u, ju)) in us.iter().zip(jus).enumerate() {
                let (numeric, sums) = (self.cotangents.read(&ju), self.cotangents.read_abs(&ju));
                for (p, (numeric, sum)) in numeric.into_iter().zip(sums).enumerate() {
                    let found = self.adjoint((block, p), u, numeric, sum)?;
                    if failed.is_none() {
                        failed = found.map(|found| (i, found));
                    }
                }
            }
            let Some((i, failed)) = failed else { continue };
            let members = self.blocks[block].members.clone();
            let mut found = false;
            if members.len() <= SEARCHED {
                let us: Vec<_> = members.iter().map(|&place| self.dense(&[(place, 1.0)])).collect();
                let columns = self.problem.jvps(&self.x, &us)?;
                let columns: Vec<_> = columns.iter().map(|ju| self.cotangents.read(ju)).collect();
                found = self.exact(Oracle::Adjoint, block, &columns)?;
            }
            if !found {
                let failed = self.where_adjoint(&us[i], failed)?;
                self.file(failed)?;
            }
        }
        Ok(())
    }

    /// Compares `⟨Jᵀ v, u⟩` with `⟨v, J u⟩`, whose terms sum up to `sum` in size.
    pub(crate) fn adjoint(
        &mut self,
        (block, p): (usize, usize),
        u: &[(usize, f64)],
        numeric: f64,
        sum: f64,
    ) -> Result<Option<Difference>, Error> {
        let terms = u.iter().map(|&(place, u)| u * self.gradients[p][place]);
        let analytic: f64 = terms.clone().sum();
        let magnitude = terms.map(f64::abs).sum::<f64>().max(sum);
        let distance = (analytic - numeric).abs();
        let tolerance = self.exact_tolerance() * magnitude;
        let noise = if within(distance, tolerance) { 0.0 } else { self.noise(p)?.along(u) };
        self.measure(block, Oracle::Adjoint, (distance - noise).max(0.0), magnitude);
        let wrong = !within(distance, tolerance) && !self.excuse(block, distance, noise, magnitude);
        Ok(wrong.then(|| Difference::new((Oracle::Adjoint, block, None, p), analytic, numeric, magnitude)))
    }

    /// The tape's own gradient of the forward pass, for an explicit backward pass.
    pub(crate) fn by_tape(&mut self) -> Result<(), Error> {
        let reference = self.problem.tape_gradients(&self.x, &self.cotangents.vectors(self.y.len()))?;
        for block in 0..self.blocks.len() {
            let members = &self.blocks[block].members;
            let columns: Vec<Vec<f64>> =
                members.iter().map(|&place| reference.iter().map(|g| g[place]).collect()).collect();
            self.exact(Oracle::Tape, block, &columns)?;
        }
        Ok(())
    }

    /// Compares the elements of a block with exact values, a column of cotangents for each. True if any differs.
    fn exact(&mut self, oracle: Oracle, block: usize, columns: &[Vec<f64>]) -> Result<bool, Error> {
        let mut any = false;
        for p in 0..self.cotangents.len() {
            let largest = columns.iter().map(|column| column[p].abs()).fold(0.0, f64::max);
            let magnitude = self.magnitude(block, p).max(largest);
            let tolerance = self.exact_tolerance() * magnitude;
            for (i, column) in columns.iter().enumerate() {
                let place = self.blocks[block].members[i];
                let (analytic, numeric) = (self.gradients[p][place], column[p]);
                let distance = (analytic - numeric).abs();
                let noise = if within(distance, tolerance) { 0.0 } else { self.noise(p)?.of(place) };
                self.measure(block, oracle, (distance - noise).max(0.0), magnitude);
                if !within(distance, tolerance) && !self.excuse(block, distance, noise, magnitude) {
                    let found =
                        Difference::new((oracle, block, Some(place), p), analytic, numeric, magnitude);
                    self.settle(found, tolerance, true)?;
                    any = true;
                }
            }
        }
        Ok(any)
    }
}

/// The tolerance of an element by its own size.
fn own(relative: f64, analytic: f64, numeric: f64) -> f64 {
    let size = analytic.abs().max(numeric.abs());
    if size.is_finite() { relative * size } else { 0.0 }
}
