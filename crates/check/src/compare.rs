//! The gradient under test, and where it differs from what oracles say, block by block.
//!
//! A block is a tensor, or one time step of a tensor with a time axis. It is judged by its own magnitude, so that a
//! vanishing gradient is as well tested as a large one.

use std::collections::HashMap;
use std::rc::Rc;

use rand::rngs::StdRng;

use crate::calls::CALLS;
use crate::cotangent::{Cotangents, weight};
use crate::domain::open;
use crate::findings::{Measure, NotApplicable, Oracle};
use crate::noise::{ForwardNoise, GradientNoise, Precision};
use crate::parts::Part;
use crate::problem::Problem;
use crate::settings::Settings;
use crate::{Error, Taylor};

/// Elements that are judged together.
pub(crate) struct Block {
    pub(crate) part: usize,
    pub(crate) step: Option<usize>,
    pub(crate) members: Vec<usize>,
    /// The noise of the gradient under test, relative to its largest element.
    pub(crate) noise: f64,
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
                blocks.push(Block { part: i, step, members, noise: 0.0, measures: HashMap::new() });
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
    /// The way of the comparison, where it is not that of the cotangent at the point itself.
    pub(crate) how: Option<&'static str>,
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
    /// The noise of the gradient, by cotangent, where it was asked for.
    pub(crate) noise: HashMap<usize, Rc<GradientNoise>>,
    /// The rounding error of `⟨v, outputs⟩` in one evaluation, by cotangent.
    pub(crate) rounding: Vec<f64>,
    /// The precision of the forward pass, where it is not that of a double.
    pub(crate) precision: Option<Precision>,
    /// The noise of exact comparisons, relative to their magnitude, by input, where it counted.
    pub(crate) inexact: HashMap<usize, f64>,
    sides: HashMap<usize, Vec<Option<[f64; 2]>>>,
}

impl<'c, 'a> Comparison<'c, 'a> {
    pub(crate) fn new(
        problem: &'c mut Problem<'a>,
        settings: &'c Settings,
        rng: StdRng,
        (x, y): (Vec<f64>, Vec<f64>),
        cotangents: Cotangents,
        noise: &ForwardNoise,
    ) -> Result<Self, Error> {
        let vectors = cotangents.vectors(y.len());
        let again = problem.gradients(&x, &vec![vectors[0].clone(); CALLS])?;
        for other in &again[1..] {
            problem.require_again(&problem.inputs, "the gradient of ", &again[0], other)?;
        }
        let gradients = problem.gradients(&x, &vectors)?;
        let blocks = blocks(&problem.inputs);
        let precision = cotangents.precision(&y, noise);
        let rounding = cotangents.rounding(&y, noise);
        let (numeric, noise, inexact, sides) = Default::default();
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
            noise,
            rounding,
            precision,
            inexact,
            sides,
        })
    }

    /// Files an element as a kink, if its one-sided slopes differ and the gradient lies between them, or else, if it
    /// is wrong, as a difference. False if it is neither.
    pub(crate) fn settle(&mut self, mut found: Difference, slack: f64, wrong: bool) -> Result<bool, Error> {
        let Some(place) = found.place else { return Ok(false) };
        if !self.sides.contains_key(&place) {
            let sides = self.kinks(&[(place, 1.0)])?;
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

    /// Files a difference that a search has ended with: an element may be at a kink.
    pub(crate) fn file(&mut self, found: Difference) -> Result<(), Error> {
        let slack = self.relative_tolerance() * found.magnitude;
        match found.place {
            Some(_) => self.settle(found, slack, true).map(drop),
            None => {
                self.differences.push(found);
                Ok(())
            }
        }
    }

    /// The tolerance of exact comparisons. In a pass of less precision, so is its gradient.
    pub(crate) fn exact_tolerance(&self) -> f64 {
        let single = self.precision.filter(|precision| precision.bits <= 30);
        let single = single.map_or(0.0, |precision| precision.tolerance);
        single.max(100.0 * self.problem.random).max(self.settings.exact)
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

    /// A random direction within a block, of length about 1. Elements move alike or, if asked, in proportion to their size.
    pub(crate) fn direction(&mut self, block: usize, by_size: bool) -> Vec<(usize, f64)> {
        let members = &self.blocks[block].members;
        let size = |place: usize| if by_size { self.x[place].abs() } else { 1.0 };
        let norm = members.iter().map(|&place| size(place).powi(2)).sum::<f64>().sqrt();
        let members = members.iter().filter(|&&place| size(place) > 0.0);
        let mut u: Vec<_> =
            members.map(|&place| (place, weight(&mut self.rng) * size(place) / norm)).collect();
        open(&self.problem.inputs, &self.x, &mut u);
        u
    }

    /// Whether the sizes of the elements of a block differ by orders of magnitude.
    pub(crate) fn is_uneven(&self, block: usize) -> bool {
        let sizes = self.blocks[block].members.iter().map(|&place| self.x[place].abs());
        let sizes = sizes.filter(|&size| size > 0.0);
        let (least, most) = sizes.fold((f64::INFINITY, 0.0_f64), |(l, m), size| (l.min(size), m.max(size)));
        most > 1000.0 * least
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
        self.relative_tolerance() * self.magnitude(block, p)
    }

    /// The tolerance of finite differences, which follows the precision of the forward pass.
    pub(crate) fn relative_tolerance(&self) -> f64 {
        self.precision.map_or(0.0, |precision| precision.tolerance).max(self.settings.tolerance)
    }

    /// The noise that a distance beyond the exact tolerance is judged by, noted for the report where it excuses.
    pub(crate) fn excuse(&mut self, block: usize, distance: f64, noise: f64, magnitude: f64) -> bool {
        let excused = within(distance, noise);
        if excused && magnitude > 0.0 {
            let worst = self.inexact.entry(self.blocks[block].part).or_default();
            *worst = worst.max(noise / magnitude);
        }
        excused
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
    pub(crate) fn new(
        (oracle, block, place, cotangent): (Oracle, usize, Option<usize>, usize),
        analytic: f64,
        numeric: f64,
        magnitude: f64,
    ) -> Self {
        Difference { oracle, block, place, cotangent, analytic, numeric, magnitude, kink: None, how: None }
    }

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
