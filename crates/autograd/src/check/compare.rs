//! The oracles: what each says about the gradient under test, block by block.
//!
//! A block is a tensor, or one time step of a tensor with a time axis. It is judged by its own magnitude, so that a
//! vanishing gradient is as well tested as a large one.

use std::collections::HashMap;

use rand::rngs::StdRng;

use super::cotangent::{Cotangents, rms, weight};
use super::problem::{Part, Problem};
use super::report::{Measure, Oracle};
use super::slope::{Line, Slope};
use super::{Error, Settings};

/// Beyond this many elements, a block that fails is not searched for where.
const SEARCHED: usize = 4096;

/// What is judged together.
pub(super) struct Block {
    pub(super) part: usize,
    pub(super) step: Option<usize>,
    pub(super) members: Vec<usize>,
    /// The largest relative differences found, by oracle.
    pub(super) measures: HashMap<Oracle, Measure>,
}

/// The blocks of all parts.
pub(super) fn blocks(parts: &[Part]) -> Vec<Block> {
    let mut blocks = Vec::new();
    for (i, part) in parts.iter().enumerate() {
        let mut cut = |step: Option<usize>| {
            let members: Vec<usize> =
                part.range.clone().filter(|&place| step.is_none() || part.step(place) == step).collect();
            if !members.is_empty() {
                blocks.push(Block { part: i, step, members, measures: HashMap::new() });
            }
        };
        match part.steps() {
            Some(steps) => (0..steps).for_each(|step| cut(Some(step))),
            None => cut(None),
        }
    }
    blocks
}

/// An element, or a whole block (`place` is `None`), whose gradient differs from what an oracle says.
#[derive(Clone, Debug)]
pub(super) struct Difference {
    pub(super) oracle: Oracle,
    pub(super) block: usize,
    pub(super) place: Option<usize>,
    pub(super) cotangent: usize,
    pub(super) analytic: f64,
    pub(super) numeric: f64,
    /// Of the block.
    pub(super) magnitude: f64,
    pub(super) kink: Option<[f64; 2]>,
}

/// A block in which finite differences cannot see.
#[derive(Clone, Debug)]
pub(super) struct Unseen {
    pub(super) block: usize,
    pub(super) cotangent: usize,
    pub(super) magnitude: f64,
    pub(super) floor: f64,
    pub(super) elements: usize,
    /// No output moves at all.
    pub(super) flat: bool,
}

/// A gradient under test and what was found.
pub(super) struct Comparison<'c, 'a> {
    pub(super) problem: &'c mut Problem<'a>,
    pub(super) settings: &'c Settings,
    pub(super) rng: StdRng,
    pub(super) x: Vec<f64>,
    pub(super) y: Vec<f64>,
    pub(super) cotangents: Cotangents,
    /// The gradient under test for each cotangent.
    pub(super) gradients: Vec<Vec<f64>>,
    pub(super) blocks: Vec<Block>,
    pub(super) differences: Vec<Difference>,
    pub(super) kinks: Vec<Difference>,
    pub(super) unseen: Vec<Unseen>,
    /// Finite differences of single elements, for all cotangents.
    pub(super) numeric: HashMap<usize, Vec<f64>>,
    sides: HashMap<usize, Vec<Option<[f64; 2]>>>,
}

impl<'c, 'a> Comparison<'c, 'a> {
    pub(super) fn new(
        problem: &'c mut Problem<'a>,
        settings: &'c Settings,
        rng: StdRng,
        (x, y): (Vec<f64>, Vec<f64>),
        cotangents: Cotangents,
    ) -> Result<Self, Error> {
        let gradients = problem.gradients(&x, &cotangents.vectors(y.len()))?;
        let blocks = blocks(&problem.inputs);
        let (numeric, sides) = Default::default();
        let (differences, kinks, unseen) = Default::default();
        Ok(Comparison {
            problem,
            settings,
            rng,
            x,
            y,
            cotangents,
            gradients,
            blocks,
            differences,
            kinks,
            unseen,
            numeric,
            sides,
        })
    }

    /// Central finite differences of elements, and along a random direction of each block.
    pub(super) fn by_differences(&mut self) -> Result<(), Error> {
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
    pub(super) fn elements(&mut self, block: usize, places: &[usize]) -> Result<(), Error> {
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
                let flat = analytic == 0.0 && numeric == 0.0;
                unseen.flat &= flat;
                let resolved = error <= tolerance && analytic.is_finite();
                let rounding = error <= slope.floor[p];
                if slope.kink[p].is_none() && resolved && distance <= tolerance {
                    self.measure(block, Oracle::Differences, distance, magnitude);
                } else if slope.kink[p].is_some() || !rounding || !(distance <= 10.0 * error) {
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
                    let wrong = !(distance <= tolerance.max(10.0 * error));
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
            if !(distance <= tolerance.max(10.0 * error)) {
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
    pub(super) fn by_adjoint(&mut self) -> Result<(), Error> {
        for block in 0..self.blocks.len() {
            let us: Vec<_> = (0..self.settings.directions).map(|_| self.direction(block)).collect();
            let dense: Vec<Vec<f64>> = us.iter().map(|u| self.dense(u)).collect();
            let mut failed: Option<Difference> = None;
            for (u, ju) in us.iter().zip(self.problem.jvps(&self.x, &dense)?) {
                let (numeric, sums) = (self.cotangents.read(&ju), self.cotangents.read_abs(&ju));
                for p in 0..numeric.len() {
                    let terms = u.iter().map(|&(place, u)| u * self.gradients[p][place]);
                    let analytic: f64 = terms.clone().sum();
                    let magnitude = terms.map(f64::abs).sum::<f64>().max(sums[p]);
                    let distance = (analytic - numeric[p]).abs();
                    self.measure(block, Oracle::Adjoint, distance, magnitude);
                    if !(distance <= self.settings.exact * magnitude) && failed.is_none() {
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
    pub(super) fn by_tape(&mut self) -> Result<(), Error> {
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
                if !(distance <= tolerance) {
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

    /// Files an element as a kink, if its one-sided slopes differ and the gradient lies between them, or else, if it
    /// is wrong, as a difference. False if it is neither.
    fn settle(&mut self, mut found: Difference, slack: f64, wrong: bool) -> Result<bool, Error> {
        let Some(place) = found.place else { return Ok(false) };
        if !self.sides.contains_key(&place) {
            let scale = self.x[place].abs().max(1.0);
            let sides = self.line(&[(place, 1.0)], &[], |line| line.kinks(scale))?;
            self.sides.insert(place, sides);
        }
        found.kink = self.sides[&place][found.cotangent];
        let slack = slack + 1e-6 * found.magnitude;
        let within = |[l, r]: [f64; 2]| (l.min(r) - slack..=l.max(r) + slack).contains(&found.analytic);
        if found.kink.is_some_and(within) {
            self.kinks.push(found);
            return Ok(true);
        }
        if wrong {
            self.measure(found.block, found.oracle, (found.analytic - found.numeric).abs(), found.magnitude);
            self.differences.push(found);
        }
        Ok(wrong)
    }

    /// Slopes along a direction: from steps that suit numbers of order 1, or, where those fail, of the element's order.
    pub(super) fn slope(&mut self, u: &[(usize, f64)], wanted: &[f64]) -> Result<Slope, Error> {
        let part =
            self.problem.inputs.iter().find(|part| u.iter().any(|(place, _)| part.range.contains(place)));
        let typical = part.map_or(1.0, |part| rms(&self.x[part.range.clone()]));
        let size = u.iter().map(|&(place, _)| self.x[place].abs()).fold(0.0, f64::max);
        let (wide, narrow) = (size.max(1.0) / 32.0, size.max(typical) / 32.0);
        let mut slope = self.line(u, wanted, |line| line.slope(wide))?;
        let poor =
            |slope: &Slope, p: usize| slope.error[p] > 100.0 * wanted[p] && slope.error[p] > slope.floor[p];
        if narrow > 0.0 && narrow < wide / 100.0 && (0..wanted.len()).any(|p| poor(&slope, p)) {
            let finer = self.line(u, wanted, |line| line.slope(narrow))?;
            for p in 0..wanted.len() {
                if finer.error[p] >= slope.error[p] {
                    continue;
                }
                (slope.value[p], slope.error[p]) = (finer.value[p], finer.error[p]);
                (slope.floor[p], slope.kink[p]) = (finer.floor[p], finer.kink[p]);
            }
        }
        Ok(slope)
    }

    fn line<R>(
        &mut self,
        u: &[(usize, f64)],
        wanted: &[f64],
        run: impl FnOnce(&mut Line<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let (problem, x, cotangents) = (&mut *self.problem, &self.x, &self.cotangents);
        let mut at = |s: f64| {
            let mut moved = x.clone();
            u.iter().for_each(|&(place, u)| moved[place] += s * u);
            problem.outputs_at(&moved)
        };
        let rounding = cotangents.rounding(&self.y);
        let read = |y: &[f64]| cotangents.read(y);
        run(&mut Line { at: &mut at, origin: &self.y, read: &read, rounding: &rounding, wanted })
    }

    /// A random direction within a block, of length about 1.
    pub(super) fn direction(&mut self, block: usize) -> Vec<(usize, f64)> {
        let members = &self.blocks[block].members;
        let norm = (members.len() as f64).sqrt();
        members.iter().map(|&place| (place, weight(&mut self.rng) / norm)).collect()
    }

    fn dense(&self, u: &[(usize, f64)]) -> Vec<f64> {
        let mut dense = vec![0.0; self.x.len()];
        u.iter().for_each(|&(place, u)| dense[place] = u);
        dense
    }

    /// The largest element of the gradient under test within a block.
    pub(super) fn magnitude(&self, block: usize, p: usize) -> f64 {
        let finite = self.blocks[block].members.iter().map(|&place| self.gradients[p][place].abs());
        finite.filter(|g| g.is_finite()).fold(0.0, f64::max)
    }

    fn tolerance(&self, block: usize, p: usize) -> f64 {
        self.settings.tolerance * self.magnitude(block, p)
    }

    pub(super) fn measure(&mut self, block: usize, oracle: Oracle, distance: f64, magnitude: f64) {
        let relative = if distance == 0.0 { 0.0 } else { distance / magnitude };
        let relative = if relative.is_nan() { f64::INFINITY } else { relative };
        let measure = self.blocks[block].measures.entry(oracle).or_default();
        measure.absolute = measure.absolute.max(distance);
        measure.relative = measure.relative.max(relative);
        measure.compared += 1;
    }
}

impl Difference {
    /// Relative to the magnitude of the block; infinite if the gradient is not finite.
    pub(super) fn relative(&self) -> f64 {
        let relative = (self.analytic - self.numeric).abs() / self.magnitude;
        if relative.is_nan() { f64::INFINITY } else { relative }
    }
}
