//! One check from beginning to end.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_tensor::Tensor;

use crate::compare::{Comparison, Difference};
use crate::cotangent::Cotangents;
use crate::noise::{ForwardNoise, forward_noise, run_noise};
use crate::parts::{parts, require_finite};
use crate::points::moved;
use crate::problem::{Fixed, Problem};
use crate::settings::Settings;
use crate::subject::{Backward, Subject};
use crate::{Check, Error, Named, Report};
use retrograde_autograd::Param;

/// The full Jacobian is compared where it has at most this many entries and rows.
const SMALL: (usize, usize) = (1 << 16, 512);

/// A full Jacobian of more entries takes more memory than a machine has, or more time than a person.
const ENTRIES: usize = 1 << 24;

impl Check {
    pub(crate) fn check<'a>(
        &self,
        forward: Subject<'a>,
        backward: Option<&'a mut Backward<'a>>,
    ) -> Result<Report, Error> {
        self.settings.require()?;
        let names: Named<()> = self.names().map(|name| (name, ())).collect();
        names.require_distinct("inputs and parameters")?;
        for (i, (second, param)) in self.params.iter().enumerate() {
            if let Some((first, _)) = self.params[..i].iter().find(|(_, known)| known.same(param)) {
                return Err(Error::ParamTwice { first: first.clone(), second: second.clone() });
            }
        }
        for name in &self.frozen {
            names.get(name)?;
        }
        let frozen = |name: &String| self.frozen.contains(name);
        let (fixed_params, params): (Vec<_>, Vec<_>) =
            self.params.iter().cloned().partition(|(name, _)| frozen(name));
        let (fixed_inputs, values): (Vec<_>, Vec<_>) =
            self.inputs.iter().cloned().partition(|(name, _)| frozen(name));
        let values = values.into_iter().chain(params.iter().map(|(name, p)| (name.clone(), p.value())));
        let (names, values): (Vec<String>, Vec<Tensor<f64>>) = values.unzip();
        let x: Vec<f64> = values.iter().flat_map(Tensor::to_vec).collect();
        if x.is_empty() {
            return Err(Error::NothingToPerturb);
        }
        let inputs = parts(names.into_iter().zip(values.iter().map(Tensor::shape)));
        require_finite(&inputs, &x)?;
        let params: Vec<_> = params.into_iter().map(|(_, param)| param).collect();
        let _restored = Restore(params.iter().map(|param| (param.clone(), param.value())).collect());
        let fixed = Fixed { inputs: fixed_inputs, params: fixed_params };
        let (layout, failure, random) = Default::default();
        let (outputs, runs, backward_runs) = (Vec::new(), 0, 0);
        let mut problem = Problem {
            forward,
            backward,
            inputs,
            params,
            fixed,
            outputs,
            runs,
            backward_runs,
            layout,
            failure,
            random,
        };
        self.mark_domains(&mut problem, &x)?;
        let mut reports = vec![self.examine(&mut problem, x.clone())?];
        for point in 1..self.settings.points {
            let moved = moved(&problem.inputs, &x, self.settings.seed.wrapping_add(point as u64));
            let moved = problem.clamped(moved);
            reports.push(self.examine(&mut problem, moved)?);
        }
        Ok(Report::join(reports))
    }

    fn examine(&self, problem: &mut Problem<'_>, x: Vec<f64>) -> Result<Report, Error> {
        let y = problem.outputs_at(&x)?;
        if y.is_empty() {
            return Err(Error::NoOutputs);
        }
        self.mark_time(problem)?;
        require_finite(&problem.outputs, &y)?;
        problem.random = run_noise(problem, &x, &y)?;
        let mut rng = StdRng::seed_from_u64(self.settings.seed);
        let entries = y.len().saturating_mul(x.len().max(y.len()));
        let small = x.len().saturating_mul(y.len()) <= SMALL.0 && y.len() <= SMALL.1;
        let jacobian = self.settings.jacobian.unwrap_or(small) || self.settings.keep_entries;
        if jacobian && entries > ENTRIES {
            return Err(Error::JacobianSize { outputs: y.len(), inputs: x.len(), limit: ENTRIES });
        }
        let cotangents = Cotangents::new(&problem.outputs, &self.settings, jacobian, &mut rng);
        let noise = forward_noise(problem, &x, &y, &mut rng)?;
        let point = (x, y);
        let mut comparison = Comparison::new(problem, &self.settings, rng, point, cotangents, &noise)?;
        comparison.repeat_backward()?;
        comparison.measure_noise()?;
        comparison.by_differences()?;
        comparison.by_adjoint()?;
        if comparison.problem.backward.is_some() && comparison.problem.is_recorded() {
            comparison.by_tape()?;
        }
        if self.settings.second_order {
            comparison.by_second_order()?;
        }
        if self.settings.taylor {
            comparison.by_taylor()?;
        }
        comparison.by_linearity()?;
        if comparison.problem.is_recorded() {
            comparison.by_layout()?;
        }
        self.at_another_point(&mut comparison, &noise)?;
        // State that leaks slowly shows after many runs, if not after a few.
        comparison.repeat()?;
        comparison.repeat_backward()?;
        comparison.report()
    }

    /// Looks at a point nearby too, less thoroughly: what was read at the first one and kept is not right there.
    fn at_another_point(
        &self,
        comparison: &mut Comparison<'_, '_>,
        noise: &ForwardNoise,
    ) -> Result<(), Error> {
        let x = comparison.near(0.02);
        let y = comparison.problem.outputs_moved(&x)?;
        if !y.iter().all(|y| y.is_finite()) {
            return Ok(());
        }
        let settings = Settings { directions: 1, elements: 0, ..self.settings.clone() };
        let mut rng = StdRng::seed_from_u64(self.settings.seed.wrapping_add(1));
        let cotangents = Cotangents::new(&comparison.problem.outputs, &settings, false, &mut rng);
        let mut there = Comparison::new(comparison.problem, &settings, rng, (x, y), cotangents, noise)?;
        there.by_differences()?;
        if there.problem.backward.is_some() && there.problem.is_recorded() {
            there.by_tape()?;
        }
        let found = there.differences;
        let new = |found: &Difference| comparison.differences.iter().all(|known| known.block != found.block);
        let found: Vec<_> = found.into_iter().filter(new).collect();
        comparison.differences.extend(found.into_iter().map(|found| Difference {
            cotangent: 0,
            how: Some("at a second point"),
            ..found
        }));
        Ok(())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let inputs = self.inputs.iter().map(|(name, _)| name.as_str());
        inputs.chain(self.params.iter().map(|(name, _)| name.as_str()))
    }

    fn mark_time(&self, problem: &mut Problem<'_>) -> Result<(), Error> {
        for (name, axis) in self.time.iter().filter(|(name, _)| !self.frozen.contains(name)) {
            let mut parts = problem.inputs.iter_mut().chain(&mut problem.outputs);
            let Some(part) = parts.find(|part| part.name == *name) else {
                let known = problem.inputs.iter().chain(&problem.outputs).map(|part| part.name.clone());
                return Err(Error::UnknownName { known: known.collect(), found: name.clone() });
            };
            if *axis >= part.shape.rank() {
                let (name, axis, shape) = (name.clone(), *axis, Box::new(part.shape));
                return Err(Error::TimeAxis { name, axis, shape });
            }
            part.time = Some(*axis);
        }
        Ok(())
    }

    fn mark_domains(&self, problem: &mut Problem<'_>, x: &[f64]) -> Result<(), Error> {
        for (name, domain) in &self.domains {
            let Some(part) = problem.inputs.iter_mut().find(|part| part.name == *name) else {
                let known = self.names().map(str::to_owned).collect();
                return Err(Error::UnknownName { known, found: name.clone() });
            };
            part.domain = *domain;
            let outside = part.range.clone().find(|&place| !domain.contains(x[place]));
            if let (Some(place), _) | (None, Some(place)) =
                (outside, (!domain.is_valid()).then_some(part.range.start))
            {
                let name = format!("{name}{:?}", part.index(place));
                return Err(Error::Domain { name, domain: domain.text(), found: x[place] });
            }
        }
        Ok(())
    }
}

/// Sets parameters back when a check ends, however it ends.
struct Restore(Vec<(Param<f64>, Tensor<f64>)>);

impl Drop for Restore {
    fn drop(&mut self) {
        for (param, value) in &self.0 {
            // The shape is the one that the parameter had and has.
            let _ = param.set(value.clone());
        }
    }
}
