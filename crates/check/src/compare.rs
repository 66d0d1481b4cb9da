//! The gradient under test, and where it differs from what oracles say, block by block.
//!
//! A block is a tensor, or one time step of a tensor with a time axis. It is judged by its own magnitude, so that a
//! vanishing gradient is as well tested as a large one.

use std::collections::HashMap;

use rand::rngs::StdRng;

use crate::cotangent::{Cotangents, rms, weight};
use crate::problem::{Part, Problem};
use crate::report::{Measure, NotApplicable, Oracle};
use crate::settings::Settings;
use crate::slope::{Line, Slope};
use crate::{Error, Taylor};

/// Elements that are judged together.
pub(crate) struct Block {
    pub(crate) part: usize,
    pub(crate) step: Option<usize>,
    pub(crate) members: Vec<usize>,
    /// The largest relative differences found, by oracle.
    pub(crate) measures: HashMap<Oracle, Measure>,
}

/// The blocks of all parts.
pub(crate) fn blocks(parts: &[Part]) -> Vec<Block> {
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
pub(crate) struct Difference {
    pub(crate) oracle: Oracle,
    pub(crate) block: usize,
    pub(crate) place: Option<usize>,
    pub(crate) cotangent: usize,
    pub(crate) analytic: f64,
    pub(crate) numeric: f64,
    /// Of the block.
    pub(crate) magnitude: f64,
    pub(crate) kink: Option<[f64; 2]>,
}

/// A block in which finite differences cannot see.
#[derive(Clone, Debug)]
pub(crate) struct Unseen {
    pub(crate) block: usize,
    pub(crate) cotangent: usize,
    pub(crate) magnitude: f64,
    pub(crate) floor: f64,
    pub(crate) elements: usize,
    /// No output moves at all.
    pub(crate) flat: bool,
}

/// A gradient under test and what was found.
pub(crate) struct Comparison<'c, 'a> {
    pub(crate) problem: &'c mut Problem<'a>,
    pub(crate) settings: &'c Settings,
    pub(crate) rng: StdRng,
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
    pub(crate) cotangents: Cotangents,
    /// The gradient under test for each cotangent.
    pub(crate) gradients: Vec<Vec<f64>>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) differences: Vec<Difference>,
    pub(crate) kinks: Vec<Difference>,
    pub(crate) unseen: Vec<Unseen>,
    pub(crate) not_applicable: Vec<NotApplicable>,
    pub(crate) taylor: Vec<Taylor>,
    /// Finite differences of single elements, for all cotangents.
    pub(crate) numeric: HashMap<usize, Vec<f64>>,
    sides: HashMap<usize, Vec<Option<[f64; 2]>>>,
}

impl<'c, 'a> Comparison<'c, 'a> {
    pub(crate) fn new(
        problem: &'c mut Problem<'a>,
        settings: &'c Settings,
        rng: StdRng,
        (x, y): (Vec<f64>, Vec<f64>),
        cotangents: Cotangents,
    ) -> Result<Self, Error> {
        let gradients = problem.gradients(&x, &cotangents.vectors(y.len()))?;
        let blocks = blocks(&problem.inputs);
        let (numeric, sides) = Default::default();
        let (differences, kinks, unseen, not_applicable) = Default::default();
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
            not_applicable,
            taylor: Vec::new(),
            numeric,
            sides,
        })
    }

    /// Files an element as a kink, if its one-sided slopes differ and the gradient lies between them, or else, if it
    /// is wrong, as a difference. False if it is neither.
    pub(crate) fn settle(&mut self, mut found: Difference, slack: f64, wrong: bool) -> Result<bool, Error> {
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
    pub(crate) fn slope(&mut self, u: &[(usize, f64)], wanted: &[f64]) -> Result<Slope, Error> {
        let part =
            self.problem.inputs.iter().find(|part| u.iter().any(|(place, _)| part.range.contains(place)));
        let typical = part.map_or(1.0, |part| rms(&self.x[part.range.clone()]));
        let size = u.iter().map(|&(place, _)| self.x[place].abs()).fold(0.0, f64::max);
        let (wide, narrow) = (size.max(1.0) / 32.0, size.max(typical) / 32.0);
        let mut slope = self.line(u, wanted, |line| line.slope(wide))?;
        // Infinite where the function is not defined that far away.
        let poor = |slope: &Slope, p: usize| {
            let error = slope.error[p];
            error.is_infinite() || error > 100.0 * wanted[p] && error > slope.floor[p]
        };
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

    /// The result of an oracle, or `None`, noted for the report, where it has nothing to say about a tensor because of a
    /// function with a backward pass of its own.
    pub(crate) fn applicable<T>(
        &mut self,
        oracle: Oracle,
        part: usize,
        said: Result<T, Error>,
    ) -> Result<Option<T>, Error> {
        let error = match said {
            Ok(said) => return Ok(Some(said)),
            Err(error) => error,
        };
        let Some(function) = error.no_rule() else { return Err(error) };
        let name = self.problem.inputs[part].name.clone();
        let found = NotApplicable { oracle, name, function };
        if !self.not_applicable.contains(&found) {
            self.not_applicable.push(found);
        }
        Ok(None)
    }

    /// A random direction within a block, of length about 1.
    pub(crate) fn direction(&mut self, block: usize) -> Vec<(usize, f64)> {
        let members = &self.blocks[block].members;
        let norm = (members.len() as f64).sqrt();
        members.iter().map(|&place| (place, weight(&mut self.rng) / norm)).collect()
    }

    pub(crate) fn dense(&self, u: &[(usize, f64)]) -> Vec<f64> {
        let mut dense = vec![0.0; self.x.len()];
        u.iter().for_each(|&(place, u)| dense[place] = u);
        dense
    }

    /// The largest element of the gradient under test within a block.
    pub(crate) fn magnitude(&self, block: usize, p: usize) -> f64 {
        let finite = self.blocks[block].members.iter().map(|&place| self.gradients[p][place].abs());
        finite.filter(|g| g.is_finite()).fold(0.0, f64::max)
    }

    pub(crate) fn tolerance(&self, block: usize, p: usize) -> f64 {
        self.settings.tolerance * self.magnitude(block, p)
    }

    pub(crate) fn measure(&mut self, block: usize, oracle: Oracle, distance: f64, magnitude: f64) {
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
    pub(crate) fn relative(&self) -> f64 {
        let relative = (self.analytic - self.numeric).abs() / self.magnitude;
        if relative.is_nan() { f64::INFINITY } else { relative }
    }
}

/// Whether finite differences contradict a gradient: by more than the tolerance and their own error. Where they have no
/// value they contradict nothing finite.
pub(crate) fn contradicts(analytic: f64, numeric: f64, error: f64, tolerance: f64) -> bool {
    let known = error.is_finite() || !analytic.is_finite();
    known && !within((analytic - numeric).abs(), tolerance.max(10.0 * error))
}

/// Whether a distance is within a tolerance; NaN is not.
pub(crate) fn within(distance: f64, tolerance: f64) -> bool {
    distance <= tolerance
}
