//! Optimizers: rules that move parameters along their gradients.

mod ada_grad;
mod adam;
mod adam_w;
mod rms_prop;
mod setting;
mod sgd;
mod slots;
mod state;

use retrograde_autograd::{Gradients, Param};
use retrograde_tensor::Float;

use crate::module::Module;
use crate::{Error, Result};
pub use ada_grad::AdaGrad;
pub use adam::Adam;
pub use adam_w::AdamW;
pub use rms_prop::RmsProp;
pub use setting::Setting;
pub use sgd::Sgd;
pub use slots::{Group, Slots};
pub use state::{GroupSettings, OptimizerState, Slot};

/// A rule that moves parameters along their gradients.
///
/// A step moves every parameter that the backward pass reached. An optimizer [`of`](Self::of) a model refuses a gradient of
/// a parameter that the model does not list: it would be trained, and missing from every file.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::{Adam, AdamW, Optimizer, RmsProp, Sgd};
/// use retrograde_tensor::Tensor;
///
/// fn minimize(optimizer: &mut dyn Optimizer<f64>) -> retrograde_nn::Result<f64> {
///     let w = Param::new("w", Tensor::from([1.0, -2.0]));
///     for _ in 0..200 {
///         let tape = Tape::new();
///         optimizer.step(&tape.param(&w).square().sum().backward()?)?;
///     }
///     Ok(w.value().abs().max().item()?)
/// }
/// assert!(minimize(&mut Sgd::new(0.1).momentum(0.5))? < 1e-9);
/// assert!(minimize(&mut RmsProp::new(0.02))? < 0.05);
/// assert!(minimize(&mut Adam::new(0.1))? < 0.01);
/// assert!(minimize(&mut AdamW::new(0.1))? < 0.01);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
pub trait Optimizer<E: Float> {
    /// Returns the name that errors and checkpoints use, such as `adam`.
    fn name(&self) -> &'static str;

    /// Returns the learning rate.
    fn lr(&self) -> f64;

    /// Changes the learning rate, as a schedule does.
    fn set_lr(&mut self, lr: f64);

    /// Returns all settings, the learning rate among them.
    fn settings(&self) -> Vec<Setting>;

    /// Changes the setting of this name. The next step checks its range.
    ///
    /// # Errors
    /// If no setting has this name.
    fn set(&mut self, name: &str, value: f64) -> Result<()>;

    /// Moves each parameter that the backward pass reached. The others stay: neither decay nor momentum moves them, and
    /// their optimizer state stays too.
    ///
    /// # Errors
    /// As [`check`](Self::check). No parameter has moved then.
    fn step(&mut self, grads: &Gradients<E>) -> Result<()>;

    /// Returns the groups and the optimizer state of each parameter.
    fn slots(&self) -> &Slots<E>;

    /// Returns the groups and the optimizer state of each parameter, to change.
    fn slots_mut(&mut self) -> &mut Slots<E>;

    /// Lets the optimizer refuse gradients of parameters that a model does not list, as one whose field `module!` leaves
    /// out.
    ///
    /// # Errors
    /// If two parameters of the model have one path.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Param, Tape};
    /// use retrograde_nn::{Adam, Optimizer, module};
    /// use retrograde_tensor::Tensor;
    ///
    /// struct Scale<E> {
    ///     gain: Param<E>,
    ///     offset: Param<E>,
    /// }
    /// module!(Scale { gain }); // the offset is forgotten
    ///
    /// let param = |name| Param::new(name, Tensor::from([1.0_f32, 2.0]));
    /// let scale = Scale { gain: param("gain"), offset: param("offset") };
    /// let mut adam = Adam::new(0.01).of(&scale)?;
    /// let tape = Tape::new();
    /// let y = tape.constant(Tensor::from([3.0, 4.0])) * &scale.gain + &scale.offset;
    /// let error = adam.step(&y.sum().backward()?).unwrap_err();
    /// assert!(error.to_string().starts_with("adam: expected parameters that the model lists, found offset"));
    /// # Ok::<(), retrograde_nn::Error>(())
    /// ```
    fn of(mut self, model: &impl Module<E>) -> Result<Self>
    where
        Self: Sized,
    {
        self.slots_mut().set_model(model)?;
        Ok(self)
    }

    /// Checks that a step could be taken with these gradients.
    ///
    /// # Errors
    /// If a setting is out of its range, or if there is a gradient of a parameter that the optimizer's model does not
    /// list.
    fn check(&self, grads: &Gradients<E>) -> Result<()> {
        check_settings(self.name(), &self.settings())?;
        self.slots().check(self.name(), grads)
    }

    /// Gives some parameters a learning rate and a weight decay of their own.
    ///
    /// # Errors
    /// If one of them is in a group already.
    fn add_group(&mut self, group: Group<E>) -> Result<()> {
        self.slots_mut().add_group(group)
    }

    /// Returns the optimizer state: all that training needs to go on. It has the name of the optimizer, its settings, its
    /// groups, and what it remembers of each parameter, by the paths of
    /// [`Module::named_params`](crate::Module::named_params).
    ///
    /// # Errors
    /// If a parameter that has moved or is in a group is not among these.
    fn state(&self, params: &[(String, Param<E>)]) -> Result<OptimizerState<E>> {
        let settings = self.settings().into_iter().map(|setting| (setting.name.to_owned(), setting.value));
        let (groups, slots) = self.slots().export(params)?;
        Ok(OptimizerState { name: self.name().to_owned(), settings: settings.collect(), groups, slots })
    }

    /// Goes on from an optimizer state: sets all settings and groups, whatever they were.
    ///
    /// # Errors
    /// If the state is that of another optimizer, if a path is not among these parameters, if a tensor has another shape
    /// than its parameter, or if a setting is out of its range. Nothing has changed then.
    fn set_state(&mut self, params: &[(String, Param<E>)], state: &OptimizerState<E>) -> Result<()> {
        if state.name != self.name() {
            return Err(Error::OtherOptimizer { expected: self.name(), found: state.name.clone() });
        }
        let mut settings = self.settings();
        let known = |name: &String| settings.iter().any(|setting| setting.name == name);
        if settings.len() != state.settings.len() || !state.settings.keys().all(known) {
            return Err(other_settings(self.name(), &settings, state.settings.keys().cloned()));
        }
        settings.iter_mut().for_each(|setting| setting.value = state.settings[setting.name]);
        check_settings(self.name(), &settings)?;
        let slots = self.slots().import(params, state)?;
        settings.iter().try_for_each(|setting| self.set(setting.name, setting.value))?;
        *self.slots_mut() = slots;
        Ok(())
    }
}

/// The methods of [`Optimizer`] that only read or change fields: `settings!("name": "lr": lr in Rate, ..)`.
macro_rules! settings {
    ($optimizer:literal: $($name:literal: $($field:tt).+ in $range:ident),+) => {
        fn name(&self) -> &'static str {
            $optimizer
        }
        fn lr(&self) -> f64 {
            self.lr
        }
        fn set_lr(&mut self, lr: f64) {
            self.lr = lr;
        }
        fn settings(&self) -> Vec<Setting> {
            vec![$(Setting::new($name, self.$($field).+, $crate::range::Range::$range)),+]
        }
        fn set(&mut self, name: &str, value: f64) -> Result<()> {
            match name {
                $($name => self.$($field).+ = $crate::optim::setting::Number::of(value),)+
                _ => return Err($crate::optim::other_settings($optimizer, &self.settings(), [name.to_owned()])),
            }
            Ok(())
        }
        fn slots(&self) -> &Slots<E> {
            &self.slots
        }
        fn slots_mut(&mut self) -> &mut Slots<E> {
            &mut self.slots
        }
    };
}
use settings;

/// An error that names the settings of an optimizer and those that were given.
fn other_settings(op: &'static str, settings: &[Setting], found: impl IntoIterator<Item = String>) -> Error {
    let expected = settings.iter().map(|setting| setting.name).collect();
    Error::OtherSettings { op, expected, found: found.into_iter().collect() }
}

/// Refuses a setting that is out of its range.
fn check_settings(op: &'static str, settings: &[Setting]) -> Result<()> {
    settings.iter().try_for_each(|setting| setting.check(op))
}
