//! Named tensors that lie end to end in a flat vector, and comparisons of two such vectors.

use std::ops::Range;

use retrograde_tensor::{Shape, Tensor};

use crate::domain::Domain;
use crate::layout::Layout;
use crate::problem::Fixed;
use crate::{Error, Named};

/// A named tensor within a flat vector.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) shape: Shape,
    pub(crate) time: Option<usize>,
    pub(crate) range: Range<usize>,
    /// Where it may be moved to.
    pub(crate) domain: Domain,
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

    pub(crate) fn tensor(&self, flat: &[f64]) -> Result<Tensor<f64>, Error> {
        Ok(Tensor::from_vec(flat[self.range.clone()].to_vec(), self.shape)
            .map_err(retrograde_autograd::Error::from)?)
    }

    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.name, self.shape)
    }
}

/// The names, shapes and places of tensors that lie end to end in a flat vector.
pub(crate) fn parts(shapes: impl Iterator<Item = (String, Shape)>) -> Vec<Part> {
    let mut end = 0;
    let part = |(name, shape): (String, Shape)| {
        let range = end..end + shape.numel();
        end = range.end;
        Part { name, shape, time: None, range, domain: Domain::default() }
    };
    shapes.map(part).collect()
}

/// The tensors of a flat vector.
pub(crate) fn tensors(parts: &[Part], flat: &[f64]) -> Result<Vec<Tensor<f64>>, Error> {
    parts.iter().map(|part| part.tensor(flat)).collect()
}

/// The tensors of a flat vector, by name, in a layout.
pub(crate) fn named(parts: &[Part], flat: &[f64], layout: Layout) -> Result<Named<Tensor<f64>>, Error> {
    let tensors = tensors(parts, flat)?.into_iter().map(|x| layout.of(x));
    Ok(parts.iter().map(|part| part.name.clone()).zip(tensors).collect())
}

/// All inputs and parameters, those that are fixed last.
pub(crate) fn point(
    parts: &[Part],
    fixed: &Fixed,
    flat: &[f64],
    layout: Layout,
) -> Result<Named<Tensor<f64>>, Error> {
    let params = fixed.params.iter().map(|(name, param)| (name.clone(), param.value()));
    Ok(named(parts, flat, layout)?.into_iter().chain(fixed.inputs.iter().cloned()).chain(params).collect())
}

/// Refuses two vectors that are not the same bit for bit.
pub(crate) fn require_same(parts: &[Part], prefix: &str, a: &[f64], b: &[f64]) -> Result<(), Error> {
    let Some(place) = a.iter().zip(b).position(|(a, b)| a.to_bits() != b.to_bits()) else { return Ok(()) };
    let (name, index) = name_place(parts, prefix, place);
    Err(Error::NotRepeatable { name, index, first: a[place], second: b[place] })
}

/// Says where two vectors differ by more than a tolerance, relative to the largest element of each part, and their noise.
pub(crate) fn require_close(
    parts: &[Part],
    prefix: &str,
    a: &[f64],
    b: &[f64],
    tolerance: f64,
    noise: impl Fn(usize) -> f64,
) -> Result<(), String> {
    for part in parts {
        let largest = a[part.range.clone()].iter().fold(0.0_f64, |largest, a| largest.max(a.abs()));
        let near = |i: usize| (a[i] - b[i]).abs() <= (tolerance * largest).max(noise(i));
        let far = |&i: &usize| !near(i) && a[i].to_bits() != b[i].to_bits();
        if let Some(i) = part.range.clone().find(far) {
            let (name, index) = (&part.name, part.index(i));
            return Err(format!("{prefix}{name}{index:?} = {:e}, then {:e}", a[i], b[i]));
        }
    }
    Ok(())
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
