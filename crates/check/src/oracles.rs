//! The oracles: what each says about the gradient under test.

use crate::Error;
use crate::compare::{Comparison, Difference, Unseen, contradicts, within};
use crate::report::Oracle;

/// Beyond this many elements, a block that fails is not searched for where.
const SEARCHED: usize = 4096;

impl Comparison<'_, '_> {
    /// Central finite differences of elements, and along a random direction of each block.
    pub(crate) fn by_differences(&mut self) -> Result<(), Error> {
        for block in 0..self.blocks.len() {
            let members = self.blocks[block].members.clone();
            let numel = self.problem.inputs[self.blocks[block].part].range.len();
            let all = numel <= self.settings.elements;
            let every = if all { 1 } else { numel.div_ceil(self.settings.elements) };
            let chosen: Vec<usize> = members.iter().copied().step_by(every).collect();
            self.elements(block, &chosen)?;
            let draws = if self.blocks[block].step.is_some() { 1 } else { self.settings.directions };
            for _ in 0..draws {
                let u = self.direction(block);
                let agrees = self.along(block, &u)?;
                let known = |found: &Difference| found.block == block && found.oracle == Oracle::Differences;
                if agrees.is_none() || self.differences.iter().chain(&self.kinks).any(known) {
                    continue;
                }
                if chosen.len() < members.len() && members.len() <= SEARCHED {
                    self.elements(block, &members)?;
                }
                if !self.differences.iter().chain(&self.kinks).any(known) {
                    self.differences.extend(agrees);
                }
            }
        }
        Ok(())
    }

    /// Finite differences of single elements.
    pub(crate) fn elements(&mut self, block: usize, places: &[usize]) -> Result<(), Error> {
        let count = self.cotangents.len();
        let wanted: Vec<f64> = (0..count).map(|p| 0.01 * self.tolerance(block, p)).collect();
        let mut slopes = Vec::with_capacity(places.len());
        for &place in places {
            let slope = self.slope(&[(place, 1.0)], &wanted)?;
            self.numeric.insert(place, slope.value.clone());
            slopes.push(slope);
        }
        for p in 0..count {
            let largest = slopes.iter().map(|slope| slope.value[p].abs()).fold(0.0, f64::max);
            let magnitude = self.magnitude(block, p).max(largest);
            let tolerance = self.settings.tolerance * magnitude;
            let mut unseen = Unseen { block, cotangent: p, magnitude, floor: 0.0, elements: 0, flat: true };
            for (&place, slope) in places.iter().zip(&slopes) {
                let (analytic, numeric) = (self.gradients[p][place], slope.value[p]);
                let (error, distance) = (slope.error[p], (analytic - numeric).abs());
                let flat = analytic == 0.0 && !slope.moved[p];
                unseen.flat &= flat;
                let resolved = error <= tolerance && analytic.is_finite();
                let rounding = error <= slope.floor[p];
                if slope.kink[p].is_none() && resolved && distance <= tolerance {
                    self.measure(block, Oracle::Differences, distance, magnitude);
                } else if slope.kink[p].is_some() || !rounding || !within(distance, 10.0 * error) {
                    let found = Difference {
                        oracle: Oracle::Differences,
                        block,
                        place: Some(place),
                        cotangent: p,
                        analytic,
                        numeric,
                        magnitude,
                        kink: None,
                    };
                    let wrong = contradicts(analytic, numeric, error, tolerance);
                    if !self.settle(found, tolerance, wrong)? && !wrong && !flat {
                        unseen.elements += usize::from(!resolved);
                        unseen.floor = unseen.floor.max(error);
                    }
                } else if !flat {
                    unseen.elements += 1;
                    unseen.floor = unseen.floor.max(error);
                }
            }
            if unseen.elements > 0 || unseen.flat {
                self.unseen.push(unseen);
            }
        }
        Ok(())
    }

    /// A finite difference along a direction within a block; the worst disagreement, if there is one.
    fn along(&mut self, block: usize, u: &[(usize, f64)]) -> Result<Option<Difference>, Error> {
        let wanted: Vec<f64> = (0..self.cotangents.len()).map(|p| 0.01 * self.tolerance(block, p)).collect();
        let slope = self.slope(u, &wanted)?;
        let mut worst: Option<Difference> = None;
        for p in 0..slope.value.len() {
            let terms = u.iter().map(|&(place, u)| u * self.gradients[p][place]);
            let analytic: f64 = terms.clone().sum();
            let numeric = slope.value[p];
            let magnitude = terms.map(|term| term * term).sum::<f64>().sqrt().max(numeric.abs());
            let (error, distance) = (slope.error[p], (analytic - numeric).abs());
            let tolerance = self.settings.tolerance * magnitude;
            if contradicts(analytic, numeric, error, tolerance) {
                let oracle = Oracle::Differences;
                let (place, kink) = (None, None);
                let found =
                    Difference { oracle, block, place, cotangent: p, analytic, numeric, magnitude, kink };
                self.measure(block, oracle, distance, magnitude);
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
            let us: Vec<_> = (0..self.settings.directions).map(|_| self.direction(block)).collect();
            let dense: Vec<Vec<f64>> = us.iter().map(|u| self.dense(u)).collect();
            let mut failed: Option<Difference> = None;
            let jus = self.problem.jvps(&self.x, &dense);
            let Some(jus) = self.applicable(Oracle::Adjoint, self.blocks[block].part, jus)? else { continue };
            for (u, ju) in us.iter().zip(jus) {
                let (numeric, sums) = (self.cotangents.read(&ju), self.cotangents.read_abs(&ju));
                for p in 0..numeric.len() {
                    let terms = u.iter().map(|&(place, u)| u * self.gradients[p][place]);
                    let analytic: f64 = terms.clone().sum();
                    let magnitude = terms.map(f64::abs).sum::<f64>().max(sums[p]);
                    let distance = (analytic - numeric[p]).abs();
                    self.measure(block, Oracle::Adjoint, distance, magnitude);
                    if !within(distance, self.settings.exact * magnitude) && failed.is_none() {
                        let (oracle, place, kink) = (Oracle::Adjoint, None, None);
                        let numeric = numeric[p];
                        failed = Some(Difference {
                            oracle,
                            block,
                            place,
                            cotangent: p,
                            analytic,
                            numeric,
                            magnitude,
                            kink,
                        });
                    }
                }
            }
            let Some(failed) = failed else { continue };
            let members = self.blocks[block].members.clone();
            let mut found = false;
            if members.len() <= SEARCHED {
                let us: Vec<_> = members.iter().map(|&place| self.dense(&[(place, 1.0)])).collect();
                let columns = self.problem.jvps(&self.x, &us)?;
                let columns: Vec<_> = columns.iter().map(|ju| self.cotangents.read(ju)).collect();
                found = self.exact(Oracle::Adjoint, block, &columns)?;
            }
            if !found {
                self.differences.push(failed);
            }
        }
        Ok(())
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

    /// Compares the elements of a block with exact values, a column of cotangents an element. True if any differs.
    fn exact(&mut self, oracle: Oracle, block: usize, columns: &[Vec<f64>]) -> Result<bool, Error> {
        let mut any = false;
        for p in 0..self.cotangents.len() {
            let largest = columns.iter().map(|column| column[p].abs()).fold(0.0, f64::max);
            let magnitude = self.magnitude(block, p).max(largest);
            let tolerance = self.settings.exact * magnitude;
            for (i, column) in columns.iter().enumerate() {
                let place = self.blocks[block].members[i];
                let (analytic, numeric) = (self.gradients[p][place], column[p]);
                let distance = (analytic - numeric).abs();
                self.measure(block, oracle, distance, magnitude);
                if !within(distance, tolerance) {
                    let (place, kink) = (Some(place), None);
                    let found =
                        Difference { oracle, block, place, cotangent: p, analytic, numeric, magnitude, kink };
                    self.settle(found, tolerance, true)?;
                    any = true;
                }
            }
        }
        Ok(any)
    }
}
