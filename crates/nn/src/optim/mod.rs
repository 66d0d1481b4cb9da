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
pub use setting::{Number, Setting, setting};
pub use sgd::Sgd;
pub use slots::{Group, Rates, Slots};
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

/// Implements the methods of [`Optimizer`] that only read or change fields. It stands in the `impl` of an optimizer over `E`
/// with fields `lr` and `slots`: `settings!("lion": "lr": lr in Rate, "betas.0": betas.0 in BelowOne)`. A setting has a name,
/// a field, of type `f64` or `bool`, and the range of its values: `Rate` (finite and at least 0), `Limit` (at least 0),
/// `BelowOne` (at least 0 and below 1), `Unit` (between 0 and 1) or `Switch` (a `bool`).
///
/// # Example
/// Lion, with groups, checkpoints and schedules as the library's optimizers have them:
/// ```
/// use retrograde_autograd::{Gradients, Param, Tape};
/// use retrograde_nn::{Optimizer, Result, Slots, settings};
/// use retrograde_tensor::{Float, Tensor, assert_close};
///
/// /// X. Chen et al., *Symbolic discovery of optimization algorithms* (2023), algorithm 2.
/// struct Lion<E: Float> {
///     lr: f64,
///     betas: (f64, f64),
///     weight_decay: f64,
///     slots: Slots<E>, // m
/// }
///
/// impl<E: Float> Optimizer<E> for Lion<E> {
///     settings!("lion": "lr": lr in Rate, "betas.0": betas.0 in BelowOne, "betas.1": betas.1 in BelowOne,
///         "weight_decay": weight_decay in Rate);
///
///     fn step(&mut self, grads: &Gradients<E>) -> Result<()> {
///         self.check(grads)?;
///         let [b1, b2, rest1, rest2] =
///             [self.betas.0, self.betas.1, 1.0 - self.betas.0, 1.0 - self.betas.1].map(E::from_f64);
///         self.slots.update(grads, self.lr, self.weight_decay, |rates, w, dw, slots| {
///             let (lr, decay) = (E::from_f64(rates.lr), E::from_f64(rates.weight_decay));
///             for ((w, &dw), m) in w.iter_mut().zip(dw).zip(slots[0].as_mut_slice()) {
///                 let c = b1 * *m + rest1 * dw;
///                 let sign = E::from_f64(f64::from(i8::from(c > E::default()) - i8::from(c < E::default())));
///                 *w = *w - lr * (sign + decay * *w);
///                 *m = b2 * *m + rest2 * dw;
///             }
///         });
///         Ok(())
///     }
/// }
///
/// let mut lion = Lion { lr: 0.1, betas: (0.9, 0.99), weight_decay: 0.5, slots: Slots::new(&["m"]) };
/// let w = Param::new("w", Tensor::from([2.0_f64, -3.0]));
/// let tape = Tape::new();
/// lion.step(&tape.param(&w).square().sum().backward()?)?;
/// assert_close!(w.value(), Tensor::from([1.8, -2.75]), 1e-15, 0.0); // w - 0.1 (sign(w) + 0.5 w)
/// assert_eq!(lion.state(&[("w".to_owned(), w)])?.settings["betas.1"], 0.99);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[macro_export]
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
        fn settings(&self) -> Vec<$crate::Setting> {
            use $crate::macro_support::{Range, setting};
            vec![$(setting($name, self.$($field).+, Range::$range)),+]
        }
        fn set(&mut self, name: &str, value: f64) -> $crate::Result<()> {
            use $crate::macro_support::{Number, other_settings};
            match name {
                $($name => self.$($field).+ = Number::of(value),)+
                _ => return Err(other_settings($optimizer, &$crate::Optimizer::<E>::settings(self), [name.to_owned()])),
            }
            Ok(())
        }
        fn slots(&self) -> &$crate::Slots<E> {
            &self.slots
        }
        fn slots_mut(&mut self) -> &mut $crate::Slots<E> {
            &mut self.slots
        }
    };
}
use crate::settings;

/// An error that names the settings of an optimizer and those that were given.
pub fn other_settings(
    op: &'static str,
    settings: &[Setting],
    found: impl IntoIterator<Item = String>,
) -> Error {
    let expected = settings.iter().map(|setting| setting.name).collect();
    Error::OtherSettings { op, expected, found: found.into_iter().collect() }
}

/// Refuses a setting that is out of its range.
fn check_settings(op: &'static str, settings: &[Setting]) -> Result<()> {
    settings.iter().try_for_each(|setting| setting.check(op))
}
