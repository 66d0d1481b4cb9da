//! Optimizers: how gradients move parameters.

mod ada_grad;
mod adam;
mod adam_w;
mod rms_prop;
mod sgd;
mod slots;
mod state;

use retrograde_autograd::{Gradients, Param};
use retrograde_tensor::Float;

use crate::{Error, Result};
pub use ada_grad::AdaGrad;
pub use adam::Adam;
pub use adam_w::AdamW;
pub use rms_prop::RmsProp;
pub use sgd::Sgd;
pub use slots::{Group, Slots};
pub use state::{OptimizerState, Slot};

/// A rule that moves parameters along their gradients.
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
    /// The learning rate.
    fn lr(&self) -> f64;

    /// Changes the learning rate, as a schedule does.
    fn set_lr(&mut self, lr: f64);

    /// Moves each parameter that something flowed to. The others stay: neither decay nor momentum moves them, and
    /// what is remembered of them stays too.
    ///
    /// # Errors
    /// If a setting is out of its range. No parameter has moved then.
    fn step(&mut self, grads: &Gradients<E>) -> Result<()>;

    /// The groups, and what is remembered of each parameter.
    fn slots(&self) -> &Slots<E>;

    /// The groups, and what is remembered of each parameter, to change.
    fn slots_mut(&mut self) -> &mut Slots<E>;

    /// Gives some parameters a learning rate and a weight decay of their own.
    ///
    /// # Errors
    /// If one of them is in a group already.
    fn add_group(&mut self, group: Group<E>) -> Result<()> {
        self.slots_mut().add_group(group)
    }

    /// What has to be kept so that training can go on where it was: the learning rate, and what is remembered of
    /// each parameter, by the paths of [`Module::named_params`](crate::Module::named_params). Other settings are not
    /// part of it.
    ///
    /// # Errors
    /// If something is remembered of a parameter that is not among these.
    fn state(&self, params: &[(String, Param<E>)]) -> Result<OptimizerState<E>> {
        Ok(OptimizerState { lr: self.lr(), slots: self.slots().export(params)? })
    }

    /// Goes on from what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// If a path is not among these parameters, or if what is remembered has another shape than the parameter or
    /// is that of another optimizer. Nothing has changed then.
    fn set_state(&mut self, params: &[(String, Param<E>)], state: &OptimizerState<E>) -> Result<()> {
        self.slots_mut().import(params, &state.slots)?;
        self.set_lr(state.lr);
        Ok(())
    }
}

/// The methods of [`Optimizer`] that only look at fields.
macro_rules! fields {
    () => {
        fn lr(&self) -> f64 {
            self.lr
        }
        fn set_lr(&mut self, lr: f64) {
            self.lr = lr;
        }
        fn slots(&self) -> &Slots<E> {
            &self.slots
        }
        fn slots_mut(&mut self) -> &mut Slots<E> {
            &mut self.slots
        }
    };
}
use fields;

/// Refuses settings that are not finite numbers of at least 0.
fn require_rates(op: &'static str, rates: &[(&'static str, f64)]) -> Result<()> {
    let valid = |x: f64| x.is_finite() && x >= 0.0;
    refuse(op, "finite and at least 0", rates.iter().copied().find(|&(_, x)| !valid(x)))
}

/// Refuses settings by which a running mean would not forget: they have to be at least 0 and below 1.
fn require_decays(op: &'static str, decays: &[(&'static str, f64)]) -> Result<()> {
    refuse(op, "at least 0 and below 1", decays.iter().copied().find(|(_, x)| !(0.0..1.0).contains(x)))
}

fn refuse(op: &'static str, expected: &'static str, found: Option<(&'static str, f64)>) -> Result<()> {
    found.map_or(Ok(()), |(name, found)| Err(Error::Setting { op, name, expected, found }))
}
