//! One check from beginning to end.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_tensor::Tensor;

use crate::compare::Comparison;
use crate::cotangent::Cotangents;
use crate::problem::{Problem, parts, require_finite, require_same};
use crate::subject::{Backward, Subject};
use crate::{Check, Error, Named, Report};
use retrograde_autograd::Param;

/// The settings of a check.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) directions: usize,
    pub(crate) jacobian: Option<bool>,
    pub(crate) second_order: bool,
    /// Of finite differences, relative to the magnitude of a block.
    pub(crate) tolerance: f64,
    /// Of the adjoint identity and of the comparison with the tape.
    pub(crate) exact: f64,
    /// Tensors of at most this many elements are perturbed element by element; of larger ones, about this many elements.
    pub(crate) elements: usize,
}

/// The full Jacobian is compared where it has at most this many entries and rows.
const SMALL: (usize, usize) = (1 << 16, 512);

/// More random directions than these tell nothing new, and take for ever.
const DIRECTIONS: usize = 1000;

/// A full Jacobian of more entries takes more memory than a machine has, or more time than a person.
const ENTRIES: usize = 1 << 24;

impl Check {
    pub(crate) fn check<'a>(
        &self,
        forward: Subject<'a>,
        backward: Option<&'a mut Backward<'a>>,
    ) -> Result<Report, Error> {
        self.require_settings()?;
        let names: Named<()> = self.names().map(|name| (name, ())).collect();
        names.require_distinct("inputs and parameters")?;
        for (i, (second, param)) in self.params.iter().enumerate() {
            if let Some((first, _)) = self.params[..i].iter().find(|(_, known)| known.same(param)) {
                return Err(Error::ParamTwice { first: first.clone(), second: second.clone() });
            }
        }
        let values: Vec<Tensor<f64>> = self.inputs.iter().map(|(_, value)| value.clone()).collect();
        let values: Vec<_> = values.into_iter().chain(self.params.iter().map(|(_, p)| p.value())).collect();
        let x: Vec<f64> = values.iter().flat_map(Tensor::to_vec).collect();
        if x.is_empty() {
            return Err(Error::NothingToPerturb);
        }
        let inputs = parts(self.names().map(str::to_owned).zip(values.iter().map(Tensor::shape)));
        require_finite(&inputs, &x)?;
        let params: Vec<_> = self.params.iter().map(|(_, param)| param.clone()).collect();
        let _restored = Restore(params.iter().map(|param| (param.clone(), param.value())).collect());
        let mut problem =
            Problem { forward, backward, inputs, params, outputs: Vec::new(), runs: 0, backward_runs: 0 };
        self.examine(&mut problem, x)
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
        let jacobian = self.settings.jacobian.unwrap_or(small);
        if jacobian && entries > ENTRIES {
            return Err(Error::JacobianSize { outputs: y.len(), inputs: x.len(), limit: ENTRIES });
        }
        let cotangents = Cotangents::new(&problem.outputs, self.settings.directions, jacobian, &mut rng);
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
        for (name, axis) in &self.time {
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

    fn require_settings(&self) -> Result<(), Error> {
        let directions = self.settings.directions;
        if directions == 0 {
            return Err(Error::Setting { expected: "at least one random direction", found: 0.0 });
        }
        if directions > DIRECTIONS {
            return Err(Error::Setting {
                expected: "at most 1000 random directions",
                found: directions as f64,
            });
        }
        for found in [self.settings.tolerance, self.settings.exact] {
            if !(found > 0.0 && found < 1.0) {
                return Err(Error::Setting { expected: "a tolerance between 0 and 1", found });
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
