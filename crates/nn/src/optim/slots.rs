//! The state of an optimizer while it runs.

use std::collections::BTreeMap;

use retrograde_autograd::{Gradients, Param};
use retrograde_tensor::{Float, Tensor};

use super::setting::setting;
use super::{GroupSettings, OptimizerState, Slot, check_settings};
use crate::module::{Module, unlisted};
use crate::range::Range;
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
    settings: GroupSettings,
}

impl<E: Float> Group<E> {
    /// A group of these parameters, with the settings of the optimizer.
    #[must_use]
    pub fn new(params: impl IntoIterator<Item = Param<E>>) -> Self {
        let settings = GroupSettings { lr_scale: 1.0, weight_decay: None };
        Group { params: params.into_iter().collect(), settings }
    }

    /// Multiplies the optimizer's learning rate, which a schedule may change, by a factor.
    #[must_use]
    pub fn lr_scale(mut self, lr_scale: f64) -> Self {
        self.settings.lr_scale = lr_scale;
        self
    }

    /// Replaces the weight decay of the optimizer.
    #[must_use]
    pub fn weight_decay(mut self, weight_decay: f64) -> Self {
        self.settings.weight_decay = Some(weight_decay);
        self
    }
}

/// The state of an optimizer: for each parameter that it has moved, the number of steps, and tensors of the same shape.
#[derive(Clone, Debug)]
pub struct Slots<E: Float> {
    /// The names of the tensors.
    names: &'static [&'static str],
    /// The parameters of the optimizer's model, if it has one.
    model: Option<Vec<Param<E>>>,
    groups: Vec<Group<E>>,
    /// Parameters by identity: their own names need not be unique.
    slots: Vec<(Param<E>, usize, Vec<Tensor<E>>)>,
}

/// The numbers of an update of one parameter.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Rates {
    /// The learning rate of the parameter.
    pub lr: f64,
    /// Its weight decay.
    pub weight_decay: f64,
    /// The number of steps that have moved the parameter, this one included.
    pub steps: i32,
}

impl<E: Float> Slots<E> {
    /// The state of an optimizer that keeps one tensor of each name for a parameter.
    #[must_use]
    pub fn new(names: &'static [&'static str]) -> Self {
        Slots { names, model: None, groups: Vec::new(), slots: Vec::new() }
    }

    pub(super) fn set_model(&mut self, model: &impl Module<E>) -> Result<()> {
        self.model = Some(model.try_named_params()?.into_iter().map(|(_, param)| param).collect());
        Ok(())
    }

    /// Refuses gradients of parameters that the model does not list.
    pub(super) fn check(&self, op: &'static str, grads: &Gradients<E>) -> Result<()> {
        self.model.as_ref().map_or(Ok(()), |params| unlisted(op, params.iter(), grads))
    }

    pub(super) fn add_group(&mut self, group: Group<E>) -> Result<()> {
        group.settings.check()?;
        let grouped = |param: &&Param<E>| self.group(param).is_some();
        if let Some(param) = group.params.iter().find(grouped) {
            return Err(Error::Grouped { name: param.name().to_owned() });
        }
        self.groups.push(group);
        Ok(())
    }

    /// Calls `update` for each parameter that has a gradient, with its elements, those of its gradient in the same order, and
    /// its tensors.
    pub fn update(
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

    /// As [`update`](Self::update), keeping no state.
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

    /// Returns the settings of grouped parameters and the state of each parameter, by paths.
    #[expect(clippy::type_complexity, reason = "the two maps of an `OptimizerState`")]
    pub(super) fn export(
        &self,
        params: &[(String, Param<E>)],
    ) -> Result<(BTreeMap<String, GroupSettings>, BTreeMap<String, Slot<E>>)> {
        let path = |param: &Param<E>| {
            let known = params.iter().find(|(_, known)| known.same(param));
            let (path, _) = known.ok_or_else(|| Error::ForeignParam {
                op: "optimizer state",
                name: param.name().to_owned(),
            })?;
            Ok::<_, Error>(path.clone())
        };
        let grouped =
            self.groups.iter().flat_map(|group| group.params.iter().map(|param| (param, group.settings)));
        let groups = grouped.map(|(param, settings)| Ok((path(param)?, settings))).collect::<Result<_>>()?;
        let slot = |(param, steps, tensors): &(Param<E>, usize, Vec<Tensor<E>>)| {
            let names = self.names.iter().map(|&name| name.to_owned());
            let tensors = names.zip(tensors.iter().cloned()).collect();
            Ok((path(param)?, Slot { steps: *steps, tensors }))
        };
        Ok((groups, self.slots.iter().map(slot).collect::<Result<_>>()?))
    }

    /// Returns what a state says of these parameters.
    pub(super) fn import(&self, params: &[(String, Param<E>)], state: &OptimizerState<E>) -> Result<Self> {
        let param = |path: &String| {
            let known = params.iter().find(|(known, _)| known == path);
            Ok::<_, Error>(&known.ok_or_else(|| Error::NoParam { path: path.clone() })?.1)
        };
        let group = |(path, &settings): (&String, &GroupSettings)| {
            settings.check()?;
            Ok(Group { params: vec![param(path)?.clone()], settings })
        };
        let slot = |(path, slot): (&String, &Slot<E>)| {
            let param = param(path)?;
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
        Ok(Slots {
            names: self.names,
            model: self.model.clone(),
            groups: state.groups.iter().map(group).collect::<Result<_>>()?,
            slots: state.slots.iter().map(slot).collect::<Result<_>>()?,
        })
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
        let settings = self.group(param).map(|group| group.settings);
        Rates {
            lr: lr * settings.map_or(1.0, |settings| settings.lr_scale),
            weight_decay: settings.and_then(|settings| settings.weight_decay).unwrap_or(weight_decay),
            steps: 0,
        }
    }

    fn group(&self, param: &Param<E>) -> Option<&Group<E>> {
        self.groups.iter().find(|group| group.params.iter().any(|member| member.same(param)))
    }

    /// The state of a parameter, zeros at first.
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

impl GroupSettings {
    fn check(&self) -> Result<()> {
        let weight_decay = self.weight_decay.unwrap_or(0.0);
        let rates = [("lr_scale", self.lr_scale), ("weight_decay", weight_decay)];
        check_settings("group", &rates.map(|(name, value)| setting(name, value, Range::Rate)))
    }
}
