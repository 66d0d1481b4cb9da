//! Gradients of the layer under test: by the pass under test, by the tape, by forward mode, in random rounding.

use std::panic::{AssertUnwindSafe, catch_unwind};

use retrograde_tensor::Tensor;

use crate::layout::Layout;
use crate::parts::{Part, named, point, tensors};
use crate::problem::{Failure, Fixed, Problem};
use crate::subject::announced;
use crate::{Error, Named};
use retrograde_autograd::Tape;

/// Outputs, and the gradient of one cotangent.
type Evaluated = (Vec<f64>, Vec<f64>);

impl Problem<'_> {
    /// The gradients of `⟨v, outputs⟩` at `x` for each `v`, by the backward pass under test.
    pub(crate) fn gradients(&mut self, x: &[f64], vs: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let Some(backward) = self.backward.as_mut() else { return self.tape_gradients(x, vs) };
        let point = point(&self.inputs, &self.fixed, x, self.layout)?;
        let explicit = |v: &Vec<f64>| {
            let dy = named(&self.outputs, v, self.layout)?;
            self.backward_runs += 1;
            let call = self.backward_runs;
            let gradients = announced("explicit backward", call, || backward(&point, &dy));
            flatten(&self.inputs, &self.fixed, &gradients.map_err(|source| Error::Backward { call, source })?)
        };
        vs.iter().map(explicit).collect()
    }

    /// The gradient of `⟨v, outputs⟩` where the check has moved something; nothing where the pass is not defined.
    pub(crate) fn gradient_moved(&mut self, x: &[f64], v: Vec<f64>) -> Result<Option<Vec<f64>>, Error> {
        match catch_unwind(AssertUnwindSafe(|| self.gradients(x, &[v]))) {
            Ok(Ok(mut found)) => Ok(Some(found.remove(0))),
            Ok(Err(Error::Forward { .. } | Error::Backward { .. })) | Err(_) => Ok(None),
            Ok(Err(error)) => Err(error),
        }
    }

    /// The gradients of `⟨v, outputs⟩` at `x` for each `v`, by the tape.
    pub(crate) fn tape_gradients(&mut self, x: &[f64], vs: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let (outputs, layout) = (self.outputs.clone(), self.layout);
        let laid_out = |v: &Vec<f64>| -> Result<Vec<_>, Error> {
            Ok(tensors(&outputs, v)?.into_iter().map(|v| layout.of(v)).collect())
        };
        self.record(x, |run| vs.iter().map(|v| run.derivatives.gradient(&run, &laid_out(v)?)).collect())
    }

    /// The gradients of `⟨v, outputs⟩` by the tape in random rounding, one for each salt.
    pub(crate) fn rounded_gradients(
        &mut self,
        x: &[f64],
        v: &[f64],
        salts: &[u64],
    ) -> Result<Vec<Vec<f64>>, Error> {
        let v = tensors(&self.outputs, v)?;
        self.record(x, |run| {
            salts.iter().map(|&salt| run.derivatives.rounded_gradient(&run, &v, salt)).collect()
        })
    }

    /// The gradient of `⟨v, outputs⟩` at `x`, where the layer is called with other inputs between its forward and its
    /// backward pass.
    pub(crate) fn gradient_after(&mut self, x: &[f64], v: &[f64], other: &[f64]) -> Result<Vec<f64>, Error> {
        if self.backward.is_some() {
            self.outputs_at(x)?;
            self.outputs_moved(other)?;
            return Ok(self.gradients(x, &[v.to_vec()])?.remove(0));
        }
        let (tape, v) = (Tape::new(), tensors(&self.outputs, v)?);
        let run = self.pass(&tape, x)?;
        self.outputs_moved(other)?;
        self.set_params(x)?;
        run.derivatives.gradient(&run, &v)
    }

    /// The outputs, and the gradient of `⟨v, outputs⟩`, of tensors in a layout, or why there are none.
    pub(crate) fn in_layout(
        &mut self,
        layout: Layout,
        x: &[f64],
        v: &[f64],
    ) -> Result<Result<Evaluated, Failure>, Error> {
        self.layout = layout;
        let run = || Ok((self.outputs_at(x)?, self.gradients(x, &[v.to_vec()])?.remove(0)));
        let found = catch_unwind(AssertUnwindSafe(run));
        self.layout = Layout::Contiguous;
        match found {
            Ok(Ok(found)) => Ok(Ok(found)),
            Ok(Err(Error::Forward { source, .. } | Error::Backward { source, .. })) => {
                Ok(Err(Failure::Error(source)))
            }
            Ok(Err(error)) => Err(error),
            Err(panic) => Ok(Err(Failure::Panic(panic))),
        }
    }

    /// The Jacobian-vector products `J u` at `x` for each `u`, by dual numbers.
    pub(crate) fn jvps(&mut self, x: &[f64], us: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let inputs = self.inputs.clone();
        self.record(x, |run| us.iter().map(|u| run.derivatives.jvp(&run, &tensors(&inputs, u)?)).collect())
    }
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
