//! The layer under test as a function from a flat vector of everything perturbed to a flat vector of all outputs.

use std::ops::Range;

use retrograde_tensor::{Shape, Tensor};

use crate::array::{arrays, shape};
use crate::subject::{Backward, Subject, announced};
use crate::{Error, Named};
use retrograde_autograd::{Param, Tape, Var};

/// A named tensor within a flat vector.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) time: Option<usize>,
    pub(crate) range: Range<usize>,
}

impl Part {
    /// The index within the tensor of a place in the flat vector.
    pub(crate) fn index(&self, place: usize) -> Vec<usize> {
        let mut rest = place - self.range.start;
        let mut index = vec![0; self.shape.rank()];
        for (i, &size) in index.iter_mut().zip(self.shape.iter()).rev() {
            (*i, rest) = (rest % size, rest / size);
        }
        index
    }

    /// The time step of a place in the flat vector.
    pub(crate) fn step(&self, place: usize) -> Option<usize> {
        self.time.map(|axis| self.index(place)[axis])
    }

    /// The number of time steps.
    pub(crate) fn steps(&self) -> Option<usize> {
        self.time.map(|axis| self.shape[axis])
    }

    fn tensor(&self, flat: &[f64]) -> Result<Tensor<f64>, Error> {
        Ok(Tensor::from_vec(flat[self.range.clone()].to_vec(), self.shape)
            .map_err(retrograde_autograd::Error::from)?)
    }

    fn shown(&self) -> String {
        format!("{} {}", self.name, self.shape)
    }
}

/// The names, shapes and places of tensors that lie end to end in a flat vector.
pub(crate) fn parts(shapes: impl Iterator<Item = (String, Shape)>) -> Vec<Part> {
    let mut end = 0;
    let part = |(name, shape): (String, Shape)| {
        let range = end..end + shape.numel();
        end = range.end;
        Part { name, shape, time: None, range }
    };
    shapes.map(part).collect()
}

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
}

/// The variables of one recorded run.
pub(crate) struct Recorded<'t> {
    pub(crate) tape: &'t Tape<f64>,
    /// The variables of all parts of the inputs, parameters included.
    pub(crate) x: Vec<Var<'t, f64>>,
    pub(crate) y: Vec<Var<'t, f64>>,
}

impl Problem<'_> {
    /// The number of things perturbed, and the number of output elements.
    pub(crate) fn size(&self) -> (usize, usize) {
        let end = |parts: &[Part]| parts.last().map_or(0, |part| part.range.end);
        (end(&self.inputs), end(&self.outputs))
    }

    /// Whether the forward pass is recorded, so that a tape derives its gradient.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self.forward, Subject::Recorded(_))
    }

    /// Runs the forward pass at `x` on a fresh tape, and reads something off it.
    pub(crate) fn record<R>(
        &mut self,
        x: &[f64],
        read: impl FnOnce(Recorded<'_>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let Subject::Recorded(forward) = &mut self.forward else {
            let (op, function) = ("check", "the black box");
            return Err(retrograde_autograd::Error::NoRule { op, function }.into());
        };
        let split = self.inputs.len() - self.params.len();
        for (part, param) in self.inputs[split..].iter().zip(&self.params) {
            param.set(part.tensor(x)?)?;
        }
        let tape = Tape::new();
        let mut inputs = Vec::new();
        for part in &self.inputs[..split] {
            inputs.push((part.name.clone(), tape.var(part.tensor(x)?).named(part.name.clone())));
        }
        let fixed = self.fixed.inputs.iter();
        inputs.extend(fixed.map(|(name, value)| (name.clone(), tape.constant(value.clone()))));
        let inputs = Named::from(inputs);
        self.runs += 1;
        let call = self.runs;
        let outputs = announced("forward", call, || forward(&tape, &inputs));
        let outputs = outputs.map_err(|source| Error::Forward { call, source })?;
        self.require_listed(&tape)?;
        let shapes = outputs.iter().map(|(name, var)| (name.to_owned(), var.shape()));
        self.require_outputs(parts(shapes))?;
        let mut vars: Vec<_> = inputs.into_iter().take(split).map(|(_, var)| var).collect();
        // The parameter itself is checked, whatever stood for it.
        self.params.iter().for_each(|param| tape.unbind(param));
        vars.extend(self.params.iter().map(|param| tape.param(param)));
        read(Recorded { tape: &tape, x: vars, y: outputs.into_iter().map(|(_, var)| var).collect() })
    }

    /// All outputs at `x`, end to end.
    pub(crate) fn outputs_at(&mut self, x: &[f64]) -> Result<Vec<f64>, Error> {
        let Subject::BlackBox(forward) = &mut self.forward else {
            return self.record(x, |run| Ok(run.y.iter().flat_map(|y| y.value().to_vec()).collect()));
        };
        let point = arrays(&point(&self.inputs, &self.fixed, x)?);
        self.runs += 1;
        let call = self.runs;
        let outputs = announced("forward", call, || forward(&point));
        let outputs = outputs.map_err(|source| Error::Forward { call, source })?;
        let shapes = outputs.iter().map(|(name, array)| Ok((name.to_owned(), shape(array)?)));
        self.require_outputs(parts(shapes.collect::<Result<Vec<_>, Error>>()?.into_iter()))?;
        Ok(outputs.into_iter().flat_map(|(_, array)| array.into_vec()).collect())
    }

    /// The gradients of `⟨v, outputs⟩` at `x` for each `v`, by the tape.
    pub(crate) fn tape_gradients(&mut self, x: &[f64], vs: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let outputs = self.outputs.clone();
        self.record(x, |run| vs.iter().map(|v| run.gradient(&tensors(&outputs, v)?)).collect())
    }

    /// The gradients of `⟨v, outputs⟩` at `x` for each `v`, by the backward pass under test.
    pub(crate) fn gradients(&mut self, x: &[f64], vs: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let Some(backward) = self.backward.as_mut() else { return self.tape_gradients(x, vs) };
        let point = point(&self.inputs, &self.fixed, x)?;
        let mut explicit = |v: &Vec<f64>| {
            let dy = named(&self.outputs, v)?;
            self.backward_runs += 1;
            let call = self.backward_runs;
            let gradients = announced("explicit backward", call, || backward(&point, &dy));
            flatten(&self.inputs, &self.fixed, &gradients.map_err(|source| Error::Backward { call, source })?)
        };
        if let Some(v) = vs.first() {
            require_same(&self.inputs, "the gradient of ", &explicit(v)?, &explicit(v)?)?;
        }
        vs.iter().map(explicit).collect()
    }

    /// The Jacobian-vector products `J u` at `x` for each `u`, by dual numbers.
    pub(crate) fn jvps(&mut self, x: &[f64], us: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let inputs = self.inputs.clone();
        self.record(x, |run| {
            let y: Vec<_> = run.y.iter().collect();
            us.iter()
                .map(|u| {
                    let u = tensors(&inputs, u)?;
                    let tangents: Vec<_> = run.x.iter().zip(&u).collect();
                    Ok(run.tape.jvp(&y, &tangents)?.iter().flat_map(Tensor::to_vec).collect())
                })
                .collect()
        })
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

impl Recorded<'_> {
    /// The gradient of `⟨v, outputs⟩`, end to end; zero where nothing flowed.
    pub(crate) fn gradient(&self, v: &[Tensor<f64>]) -> Result<Vec<f64>, Error> {
        let outputs: Vec<_> = self.y.iter().zip(v).collect();
        let gradients = match self.tape.backward(&outputs) {
            Err(retrograde_autograd::Error::Untracked { .. }) => {
                return Ok(self.x.iter().flat_map(|x| vec![0.0; x.value().numel()]).collect());
            }
            gradients => gradients?,
        };
        let dense = |x: &Var<'_, f64>| match gradients.get(x) {
            Some(g) => g.to_vec(),
            None => vec![0.0; x.value().numel()],
        };
        Ok(self.x.iter().flat_map(dense).collect())
    }
}

/// The tensors of a flat vector.
pub(crate) fn tensors(parts: &[Part], flat: &[f64]) -> Result<Vec<Tensor<f64>>, Error> {
    parts.iter().map(|part| part.tensor(flat)).collect()
}

/// The tensors of a flat vector, by name.
fn named(parts: &[Part], flat: &[f64]) -> Result<Named<Tensor<f64>>, Error> {
    Ok(parts.iter().map(|part| part.name.clone()).zip(tensors(parts, flat)?).collect())
}

/// All inputs and parameters, those that are fixed last.
fn point(parts: &[Part], fixed: &Fixed, flat: &[f64]) -> Result<Named<Tensor<f64>>, Error> {
    let params = fixed.params.iter().map(|(name, param)| (name.clone(), param.value()));
    Ok(named(parts, flat)?.into_iter().chain(fixed.inputs.iter().cloned()).chain(params).collect())
}

/// The gradients of an explicit backward pass, end to end.
fn flatten(parts: &[Part], fixed: &Fixed, gradients: &Named<Tensor<f64>>) -> Result<Vec<f64>, Error> {
    gradients.require_distinct("gradients")?;
    let names = parts.iter().map(|part| &part.name).chain(fixed.inputs.iter().map(|(name, _)| name));
    let names: Vec<&String> = names.chain(fixed.params.iter().map(|(name, _)| name)).collect();
    if let Some((name, _)) = gradients.iter().find(|(name, _)| !names.iter().any(|known| *known == name)) {
        let known = parts.iter().map(|part| part.name.clone()).collect();
        return Err(Error::UnknownName { known, found: name.to_owned() });
    }
    let mut flat = Vec::new();
    for part in parts {
        let missing = |_| Error::MissingGradient { name: part.name.clone() };
        let gradient = gradients.get(&part.name).map_err(missing)?;
        if gradient.shape() != part.shape {
            let (name, expected) = (part.name.clone(), Box::new(part.shape));
            let found = Box::new(gradient.shape());
            return Err(Error::GradientShape { name, expected, found });
        }
        flat.extend(gradient.iter());
    }
    Ok(flat)
}

/// Refuses two vectors that are not the same bit for bit.
pub(crate) fn require_same(parts: &[Part], prefix: &str, a: &[f64], b: &[f64]) -> Result<(), Error> {
    let Some(place) = a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits()) else { return Ok(()) };
    let (name, index) = name_place(parts, prefix, place);
    Err(Error::NotRepeatable { name, index, first: a[place], second: b[place] })
}

/// Refuses values that are not finite.
pub(crate) fn require_finite(parts: &[Part], flat: &[f64]) -> Result<(), Error> {
    let Some(place) = flat.iter().position(|x| !x.is_finite()) else { return Ok(()) };
    let (name, index) = name_place(parts, "", place);
    Err(Error::NotFinite { name, index, value: flat[place] })
}

fn name_place(parts: &[Part], prefix: &str, place: usize) -> (String, Vec<usize>) {
    let found = parts.iter().find(|part| part.range.contains(&place));
    found.map_or_else(Default::default, |part| (format!("{prefix}{}", part.name), part.index(place)))
}
