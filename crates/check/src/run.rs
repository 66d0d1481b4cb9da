//! One check from beginning to end.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_tensor::Tensor;

use crate::compare::Comparison;
use crate::cotangent::Cotangents;
use crate::points::moved;
use crate::problem::{Fixed, Problem, parts, require_finite, require_same};
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
        let (outputs, runs, backward_runs) = (Vec::new(), 0, 0);
        let mut problem = Problem { forward, backward, inputs, params, fixed, outputs, runs, backward_runs };
        let mut reports = vec![self.examine(&mut problem, x.clone())?];
        for point in 1..self.settings.points {
            let moved = moved(&problem.inputs, &x, self.settings.seed.wrapping_add(point as u64));
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
        let again = problem.outputs_at(&x)?;
        require_same(&problem.outputs, "", &y, &again)?;
        let mut rng = StdRng::seed_from_u64(self.settings.seed);
        let entries = y.len().saturating_mul(x.len().max(y.len()));
        let small = x.len().saturating_mul(y.len()) <= SMALL.0 && y.len() <= SMALL.1;
        let jacobian = self.settings.jacobian.unwrap_or(small) || self.settings.keep_entries;
        if jacobian && entries > ENTRIES {
            return Err(Error::JacobianSize { outputs: y.len(), inputs: x.len(), limit: ENTRIES });
        }
        let cotangents = Cotangents::new(&problem.outputs, &self.settings, jacobian, &mut rng);
        let point = (x.clone(), y.clone());
        let mut comparison = Comparison::new(problem, &self.settings, rng, point, cotangents)?;
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
        // State that leaks slowly shows after many runs, if not after two.
        let again = comparison.problem.outputs_at(&x)?;
        require_same(&comparison.problem.outputs, "", &y, &again)?;
        comparison.report()
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
