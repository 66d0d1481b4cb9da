//! The layer under test as a function from a flat vector of everything perturbed to a flat vector of all outputs.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use retrograde_tensor::Tensor;

use crate::array::{arrays, shape};
use crate::derivatives::Derivatives;
use crate::layout::Layout;
use crate::parts::{Part, parts, point, require_close, require_same};
use crate::subject::{Backward, Subject, announced};
use crate::{BoxError, Error, Named};
use retrograde_autograd::{Param, Tape, Var};

/// Inputs and parameters that are not perturbed.
pub(crate) struct Fixed {
    pub(crate) inputs: Vec<(String, Tensor<f64>)>,
    pub(crate) params: Vec<(String, Param<f64>)>,
}

/// The layer under test.
pub(crate) struct Problem<'a> {
    pub(crate) forward: Subject<'a>,
    pub(crate) backward: Option<&'a mut Backward<'a>>,
    /// The tensors that are perturbed: inputs, then parameters.
    pub(crate) inputs: Vec<Part>,
    pub(crate) params: Vec<Param<f64>>,
    pub(crate) fixed: Fixed,
    /// Known after the first run.
    pub(crate) outputs: Vec<Part>,
    /// The number of forward passes so far.
    pub(crate) runs: usize,
    /// The number of explicit backward passes so far.
    pub(crate) backward_runs: usize,
    /// The layout of inputs, parameters and cotangents in memory.
    pub(crate) layout: Layout,
    /// Why the forward pass failed where the check had moved something, the last time that it did.
    pub(crate) failure: Option<Failure>,
    /// By how much two runs on the same input differ, relative to the largest element of an output.
    pub(crate) random: f64,
}

/// Why a forward pass failed.
pub(crate) enum Failure {
    Error(BoxError),
    Panic(Box<dyn Any + Send>),
}

impl Failure {
    /// The error, or the panic as it was.
    pub(crate) fn error(self) -> BoxError {
        match self {
            Failure::Error(error) => error,
            Failure::Panic(panic) => resume_unwind(panic),
        }
    }

    /// The words of the error, or of the panic.
    pub(crate) fn text(&self) -> String {
        match self {
            Failure::Error(error) => error.to_string(),
            Failure::Panic(panic) => {
                let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
                text.or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "a panic".to_owned())
            }
        }
    }
}

/// The variables of one recorded run.
pub(crate) struct Recorded<'t> {
    pub(crate) tape: &'t Tape<f64>,
    /// The variables of all parts of the inputs, parameters included.
    pub(crate) x: Vec<Var<'t, f64>>,
    pub(crate) y: Vec<Var<'t, f64>>,
    pub(crate) derivatives: &'static dyn Derivatives,
}

impl Problem<'_> {
    /// The number of things perturbed, and the number of output elements.
    pub(crate) fn size(&self) -> (usize, usize) {
        let end = |parts: &[Part]| parts.last().map_or(0, |part| part.range.end);
        (end(&self.inputs), end(&self.outputs))
    }

    /// Whether the forward pass is recorded, so that a tape derives its gradient.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self.forward, Subject::Recorded(..))
    }

    /// Refuses another result of the same input, but for the noise of a random layer.
    pub(crate) fn require_again(
        &self,
        parts: &[Part],
        prefix: &str,
        first: &[f64],
        again: &[f64],
    ) -> Result<(), Error> {
        let noise = 100.0 * self.random;
        match require_close(parts, prefix, first, again, noise, |_| 0.0) {
            Ok(()) if noise > 0.0 => Ok(()),
            _ => require_same(parts, prefix, first, again),
        }
    }

    /// A point within the domains.
    pub(crate) fn clamped(&self, mut x: Vec<f64>) -> Vec<f64> {
        for part in &self.inputs {
            x[part.range.clone()].iter_mut().for_each(|x| *x = part.domain.clamp(*x));
        }
        x
    }

    /// Runs the forward pass at `x` on a fresh tape, and reads something off it.
    pub(crate) fn record<R>(
        &mut self,
        x: &[f64],
        read: impl FnOnce(Recorded<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let tape = Tape::new();
        read(self.pass(&tape, x)?)
    }

    /// Runs the forward pass at `x` on a tape.
    pub(crate) fn pass<'t>(&mut self, tape: &'t Tape<f64>, x: &[f64]) -> Result<Recorded<'t>, Error> {
        self.set_params(x)?;
        let Subject::Recorded(forward, derivatives) = &mut self.forward else {
            let (op, function) = ("check", "the black box");
            return Err(retrograde_autograd::Error::NoRule { op, function }.into());
        };
        let derivatives = *derivatives;
        let split = self.inputs.len() - self.params.len();
        let mut inputs = Vec::new();
        for part in &self.inputs[..split] {
            let value = self.layout.of(part.tensor(x)?);
            inputs.push((part.name.clone(), tape.var(value).named(part.name.clone())));
        }
        let fixed = self.fixed.inputs.iter();
        inputs.extend(fixed.map(|(name, value)| (name.clone(), tape.constant(value.clone()))));
        let inputs = Named::from(inputs);
        self.runs += 1;
        let call = self.runs;
        let outputs = announced("forward", call, || forward(tape, &inputs));
        let outputs = outputs.map_err(|source| Error::Forward { call, source })?;
        self.require_listed(tape)?;
        let shapes = outputs.iter().map(|(name, var)| (name.to_owned(), var.shape()));
        self.require_outputs(parts(shapes))?;
        let mut vars: Vec<_> = inputs.into_iter().take(split).map(|(_, var)| var).collect();
        // The parameter itself is checked, whatever stood for it.
        self.params.iter().for_each(|param| tape.unbind(param));
        vars.extend(self.params.iter().map(|param| tape.param(param)));
        let y = outputs.into_iter().map(|(_, var)| var).collect();
        Ok(Recorded { tape, x: vars, y, derivatives })
    }

    /// Sets the parameters to their values at `x`.
    pub(crate) fn set_params(&self, x: &[f64]) -> Result<(), Error> {
        let split = self.inputs.len() - self.params.len();
        for (part, param) in self.inputs[split..].iter().zip(&self.params) {
            param.set(self.layout.of(part.tensor(x)?))?;
        }
        Ok(())
    }

    /// All outputs at `x`, end to end.
    pub(crate) fn outputs_at(&mut self, x: &[f64]) -> Result<Vec<f64>, Error> {
        let Subject::BlackBox(forward) = &mut self.forward else {
            return self.record(x, |run| Ok(run.y.iter().flat_map(|y| y.value().to_vec()).collect()));
        };
        let point = arrays(&point(&self.inputs, &self.fixed, x, Layout::Contiguous)?);
        self.runs += 1;
        let call = self.runs;
        let outputs = announced("forward", call, || forward(&point));
        let outputs = outputs.map_err(|source| Error::Forward { call, source })?;
        let shapes = outputs.iter().map(|(name, array)| Ok((name.to_owned(), shape(array)?)));
        self.require_outputs(parts(shapes.collect::<Result<Vec<_>, Error>>()?.into_iter()))?;
        Ok(outputs.into_iter().flat_map(|(_, array)| array.into_vec()).collect())
    }

    /// All outputs where the check has moved something; NaN where the forward pass is not defined, which is where it fails
    /// twice.
    pub(crate) fn outputs_moved(&mut self, x: &[f64]) -> Result<Vec<f64>, Error> {
        let mut run = || catch_unwind(AssertUnwindSafe(|| self.outputs_at(x)));
        let first = match run() {
            Ok(Err(Error::Forward { call, source })) => Ok(Error::Forward { call, source }),
            Ok(outputs) => return outputs,
            Err(panic) => Err(panic),
        };
        match (run(), first) {
            (Ok(Err(Error::Forward { source, .. })), _) => self.failure = Some(Failure::Error(source)),
            (Err(panic), _) => self.failure = Some(Failure::Panic(panic)),
            (_, Ok(first)) => return Err(first),
            (_, Err(panic)) => resume_unwind(panic),
        }
        Ok(vec![f64::NAN; self.size().1])
    }

    /// Refuses a run that met a parameter that nobody listed.
    fn require_listed(&self, tape: &Tape<f64>) -> Result<(), Error> {
        let met = tape.params();
        let fixed = self.fixed.params.iter().map(|(_, param)| param);
        let listed = |met: &Param<f64>| self.params.iter().chain(fixed.clone()).any(|param| param.same(met));
        let unlisted = met.iter().filter(|met| !listed(met));
        let names: Vec<String> = unlisted.map(|param| param.name().to_owned()).collect();
        if names.is_empty() { Ok(()) } else { Err(Error::NotPerturbed { names }) }
    }

    /// Refuses outputs of other names or shapes than those of the first run, which it remembers.
    fn require_outputs(&mut self, found: Vec<Part>) -> Result<(), Error> {
        if self.runs == 1 {
            let names: Named<()> = found.iter().map(|part| (part.name.clone(), ())).collect();
            names.require_distinct("outputs")?;
            self.outputs = found;
        } else if !self.outputs.iter().map(Part::shown).eq(found.iter().map(Part::shown)) {
            return Err(Error::OutputsChanged {
                first: self.outputs.iter().map(Part::shown).collect(),
                second: found.iter().map(Part::shown).collect(),
            });
        }
        Ok(())
    }
}
