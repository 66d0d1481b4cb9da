//! Slopes along directions: from which steps, within which domain.

use crate::Error;
use crate::compare::Comparison;
use crate::cotangent::rms;
use crate::domain::room;
use crate::problem::Failure;
use crate::slope::{Line, Sides, Slope};

/// The first step, relative to the size of what moves. It is no power of two, nor are those that follow.
const STEP: f64 = 0.028_57;

/// Shares of the first step, from which a slope that contradicts a gradient is looked at again.
const CONFIRM: [f64; 2] = [0.629, 0.391];

impl Comparison<'_, '_> {
    /// Slopes along a direction: from steps that suit numbers of order 1, or, where those fail or do not agree with the
    /// gradient, of the elements' own order, and much shorter ones.
    pub(crate) fn slope(
        &mut self,
        u: &[(usize, f64)],
        wanted: &[f64],
        agrees: impl Fn(usize, f64, f64) -> bool,
    ) -> Result<Slope, Error> {
        let (sides, room) = room(&self.problem.inputs, &self.x, u);
        let steps = self.steps(u);
        self.problem.failure = None;
        let mut slope: Option<Slope> = None;
        let mut last = f64::INFINITY;
        for step in steps.into_iter().map(|step| step.min(0.9 * room)) {
            let Some(known) = &mut slope else {
                slope = Some(self.line(u, wanted, sides, |line| line.slope(step))?);
                last = step;
                continue;
            };
            let poor = |p: usize| {
                let (error, floor) = (known.error[p], known.floor[p]);
                // What rounding hides, other steps do not show, unless they are not far from it.
                let hidden = error == floor && error > 400.0 * wanted[p];
                let rough = error.is_infinite() || error > 100.0 * wanted[p] && !hidden;
                rough || !agrees(p, known.value[p], error)
            };
            if step < last / 20.0 && (0..wanted.len()).any(poor) {
                known.refine(&self.line(u, wanted, sides, |line| line.slope(step))?);
                last = step;
            }
        }
        let mut slope = slope.expect("at least one step");
        for factor in CONFIRM {
            let disagree =
                |&p: &usize| slope.error[p].is_finite() && !agrees(p, slope.value[p], slope.error[p]);
            let mut steps: Vec<f64> = (0..wanted.len()).filter(disagree).map(|p| slope.step[p]).collect();
            steps.sort_by(f64::total_cmp);
            steps.dedup();
            for step in steps {
                slope.confirm(step, &self.line(u, wanted, sides, |line| line.slope(factor * step))?);
            }
        }
        match self.problem.failure.take() {
            Some(failure) if slope.error.iter().all(|error| error.is_infinite()) => {
                Err(self.moved_out(u, last, failure))
            }
            _ => Ok(slope),
        }
    }

    /// First steps along a direction, from long to short.
    fn steps(&self, u: &[(usize, f64)]) -> Vec<f64> {
        let part =
            self.problem.inputs.iter().find(|part| u.iter().any(|(place, _)| part.range.contains(place)));
        let typical = part.map_or(1.0, |part| rms(&self.x[part.range.clone()]));
        let size = u.iter().map(|&(place, _)| self.x[place].abs()).fold(0.0, f64::max);
        // Where the element that this direction moves most, for its size, moves by as much as that.
        let own = u.iter().map(|&(place, u)| self.x[place].abs() / u.abs()).filter(|&own| own > 0.0);
        let own = own.fold(f64::INFINITY, f64::min);
        // Noise asks for longer steps.
        let wide = size.max(1.0) * if self.precision.is_some() { 8.0 } else { 1.0 };
        // The function may vary on that scale and the values of outputs be much larger: steps as long as it bears.
        let mut steps = vec![wide, size.max(typical), 32.0 * own, 1e-3 * size.max(1.0)];
        steps.retain(|&step| step > 0.0 && step <= wide);
        steps.sort_by(|a, b| b.total_cmp(a));
        steps.iter().map(|step| STEP * step).collect()
    }

    pub(crate) fn line<R>(
        &mut self,
        u: &[(usize, f64)],
        wanted: &[f64],
        sides: Sides,
        run: impl FnOnce(&mut Line<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let (problem, x, cotangents) = (&mut *self.problem, &self.x, &self.cotangents);
        let mut at = |s: f64| {
            let mut moved = x.clone();
            u.iter().for_each(|&(place, u)| moved[place] += s * u);
            problem.outputs_moved(&moved)
        };
        // That of the outputs, and that of a place, which moves them by its slope.
        let of_place = |g: &Vec<f64>| -> f64 {
            let terms = u.iter().map(|&(place, _)| (g[place] * x[place]).powi(2));
            0.5 * f64::EPSILON * terms.filter(|term| term.is_finite()).sum::<f64>().sqrt()
        };
        let places = self.gradients.iter().map(of_place);
        let rounding: Vec<f64> = self.rounding.iter().zip(places).map(|(a, b)| a.hypot(b)).collect();
        let rounding = &rounding;
        let read = |y: &[f64]| cotangents.read(y);
        run(&mut Line { at: &mut at, origin: &self.y, read: &read, rounding, wanted, sides })
    }

    /// One-sided slopes along a direction, where they differ; none at the edge of a domain.
    pub(crate) fn kinks(&mut self, u: &[(usize, f64)]) -> Result<Vec<Option<[f64; 2]>>, Error> {
        let (sides, room) = room(&self.problem.inputs, &self.x, u);
        let scale = u.iter().map(|&(place, _)| self.x[place].abs()).fold(1.0, f64::max);
        if sides != Sides::Both || room < 1e-5 * scale {
            return Ok(vec![None; self.cotangents.len()]);
        }
        self.line(u, &[], sides, |line| line.kinks(scale))
    }

    fn moved_out(&self, u: &[(usize, f64)], step: f64, failure: Failure) -> Error {
        let place = u[0].0;
        let part = self.problem.inputs.iter().find(|part| part.range.contains(&place));
        let (name, index) = part.map_or_else(Default::default, |part| (part.name.clone(), part.index(place)));
        Error::Moved { name, index, value: self.x[place], step, source: failure.error() }
    }
}
