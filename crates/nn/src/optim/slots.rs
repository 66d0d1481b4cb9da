//! What optimizers remember of parameters.

use std::collections::BTreeMap;

use retrograde_autograd::{Gradients, Param};
use retrograde_tensor::{Float, Tensor};

use super::{Slot, require_rates};
use crate::{Error, Result};

/// Parameters with a learning rate and a weight decay of their own.
///
/// # Example
/// Biases without decay, an embedding that moves more slowly:
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::{Group, Optimizer, Sgd};
/// use retrograde_tensor::Tensor;
///
/// let [w, b] = ["w", "b"].map(|name| Param::new(name, Tensor::from([1.0_f64])));
/// let mut sgd = Sgd::new(0.5).weight_decay(1.0);
/// sgd.add_group(Group::new([b.clone()]).lr_scale(0.5).weight_decay(0.0))?;
/// let tape = Tape::new();
/// sgd.step(&(tape.param(&w) + tape.param(&b)).sum().backward()?)?;
/// assert_eq!(w.value(), Tensor::from([0.0])); // 1 - 0.5 (1 + 1)
/// assert_eq!(b.value(), Tensor::from([0.75])); // 1 - 0.25
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Group<E: Float> {
    params: Vec<Param<E>>,
    lr_scale: f64,
    weight_decay: Option<f64>,
}

impl<E: Float> Group<E> {
    /// A group of these parameters, which differs in nothing yet.
    pub fn new(params: impl IntoIterator<Item = Param<E>>) -> Self {
        Group { params: params.into_iter().collect(), lr_scale: 1.0, weight_decay: None }
    }

    /// Multiplies the learning rate of the optimizer, whatever a schedule makes of that.
    #[must_use]
    pub fn lr_scale(mut self, lr_scale: f64) -> Self {
        self.lr_scale = lr_scale;
        self
    }

    /// Replaces the weight decay of the optimizer.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.weight_decay = Some(weight_decay);
        self
    }
}

/// What an optimizer remembers: for each parameter that it has moved, how often, and tensors of the same shape.
#[derive(Clone, Debug)]
pub struct Slots<E: Float> {
    /// The names of the tensors.
    names: &'static [&'static str],
    groups: Vec<Group<E>>,
    /// Parameters by identity: their own names need not be unique.
    slots: Vec<(Param<E>, usize, Vec<Tensor<E>>)>,
}

/// What an update of one parameter is computed with.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rates {
    pub(super) lr: f64,
    pub(super) weight_decay: f64,
    /// How often the parameter has moved, this time included.
    pub(super) steps: i32,
}

impl<E: Float> Slots<E> {
    /// For an optimizer that remembers one tensor of each name.
    pub(super) fn new(names: &'static [&'static str]) -> Self {
        Slots { names, groups: Vec::new(), slots: Vec::new() }
    }

    pub(super) fn add_group(&mut self, group: Group<E>) -> Result<()> {
        let rates = [("lr_scale", group.lr_scale), ("weight_decay", group.weight_decay.unwrap_or(0.0))];
        require_rates("group", &rates)?;
        let grouped = |param: &&Param<E>| self.group(param).is_some();
        if let Some(param) = group.params.iter().find(grouped) {
            return Err(Error::Grouped { name: param.name().to_owned() });
        }
        self.groups.push(group);
        Ok(())
    }

    /// Calls `update` for each parameter that something flowed to, with its value, its gradient and its slots.
    pub(super) fn update(
        &mut self,
        grads: &Gradients<E>,
        lr: f64,
        weight_decay: f64,
        mut update: impl FnMut(Rates, &mut [E], &[E], &mut [Tensor<E>]),
    ) {
        for (param, dw) in grads.params() {
            let rates = self.rates(param, lr, weight_decay);
            let (_, steps, tensors) = self.slot(param);
            *steps += 1;
            let rates = Rates { steps: i32::try_from(*steps).unwrap_or(i32::MAX), ..rates };
            change(param, dw, |w, dw| update(rates, w, dw, tensors));
        }
    }

    /// As [`update`](Self::update), remembering nothing.
    pub(super) fn update_by_rates(
        &self,
        grads: &Gradients<E>,
        lr: f64,
        weight_decay: f64,
        update: impl Fn(Rates, &mut [E], &[E]),
    ) {
        for (param, dw) in grads.params() {
            let rates = self.rates(param, lr, weight_decay);
            change(param, dw, |w, dw| update(rates, w, dw));
        }
    }

    pub(super) fn export(&self, params: &[(String, Param<E>)]) -> Result<BTreeMap<String, Slot<E>>> {
        let slot = |(param, steps, tensors): &(Param<E>, usize, Vec<Tensor<E>>)| {
            let known = params.iter().find(|(_, known)| known.same(param));
            let (path, _) = known.ok_or_else(|| Error::ForeignParam { name: param.name().to_owned() })?;
            let names = self.names.iter().map(|&name| name.to_owned());
            let tensors = names.zip(tensors.iter().cloned()).collect();
            Ok((path.clone(), Slot { steps: *steps, tensors }))
        };
        self.slots.iter().map(slot).collect()
    }

    pub(super) fn import(
        &mut self,
        params: &[(String, Param<E>)],
        slots: &BTreeMap<String, Slot<E>>,
    ) -> Result<()> {
        let slot = |(path, slot): (&String, &Slot<E>)| {
            let known = params.iter().find(|(known, _)| known == path);
            let (_, param) = known.ok_or_else(|| Error::NoParam { path: path.clone() })?;
            let tensor = |&name: &&str| {
                let tensor = slot.tensors.get(name).filter(|tensor| tensor.shape() == param.shape());
                tensor.cloned().ok_or_else(|| self.mismatch(path, param, slot))
            };
            let tensors: Vec<_> = self.names.iter().map(tensor).collect::<Result<_>>()?;
            if tensors.len() < slot.tensors.len() {
                return Err(self.mismatch(path, param, slot));
            }
            Ok((param.clone(), slot.steps, tensors))
        };
        self.slots = slots.iter().map(slot).collect::<Result<_>>()?;
        Ok(())
    }

    fn mismatch(&self, path: &str, param: &Param<E>, slot: &Slot<E>) -> Error {
        let describe = |name: &str, shape| format!("{name} {shape}");
        Error::Slot {
            path: path.to_owned(),
            expected: self.names.iter().map(|name| describe(name, param.shape())).collect(),
            found: slot.tensors.iter().map(|(name, tensor)| describe(name, tensor.shape())).collect(),
        }
    }

    fn rates(&self, param: &Param<E>, lr: f64, weight_decay: f64) -> Rates {
        let group = self.group(param);
        Rates {
            lr: lr * group.map_or(1.0, |group| group.lr_scale),
            weight_decay: group.and_then(|group| group.weight_decay).unwrap_or(weight_decay),
            steps: 0,
        }
    }

    fn group(&self, param: &Param<E>) -> Option<&Group<E>> {
        self.groups.iter().find(|group| group.params.iter().any(|member| member.same(param)))
    }

    /// What is remembered of a parameter, zeros at first.
    fn slot(&mut self, param: &Param<E>) -> &mut (Param<E>, usize, Vec<Tensor<E>>) {
        let place = self.slots.iter().position(|(known, ..)| known.same(param)).unwrap_or_else(|| {
            let zeros = self.names.iter().map(|_| Tensor::zeros(param.shape())).collect();
            self.slots.push((param.clone(), 0, zeros));
            self.slots.len() - 1
        });
        &mut self.slots[place]
    }
}

/// Changes a parameter where it is, given its elements and those of its gradient in the same order.
fn change<E: Float>(param: &Param<E>, dw: &Tensor<E>, update: impl FnOnce(&mut [E], &[E])) {
    let dw = dw.contiguous();
    let dw = dw.as_slice().expect("it was just made contiguous");
    param.update(|w| update(w.as_mut_slice(), dw));
}
