//! The state of an optimizer, to be kept in a file.

use std::collections::BTreeMap;

use retrograde_tensor::{Float, Tensor};

/// The state of an optimizer: all that it needs to go on, by the paths of the parameters.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::{Adam, Module, Optimizer};
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([1.0_f64, -2.0]));
/// let params = vec![w.clone()].named_params(); // its path is "0"
/// let mut adam = Adam::new(0.1);
/// adam.betas.1 = 0.99;
/// let tape = Tape::new();
/// adam.step(&tape.param(&w).square().sum().backward()?)?;
/// let state = adam.state(&params)?;
/// assert_eq!(state.slots["0"].steps, 1);
///
/// let mut resumed = Adam::new(0.5);
/// resumed.set_state(&params, &state)?;
/// assert_eq!((resumed.lr, resumed.betas.1), (0.1, 0.99));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct OptimizerState<E: Float> {
    /// The name of the optimizer, such as `adam`.
    pub name: String,
    /// Its settings, the learning rate `lr` among them.
    pub settings: BTreeMap<String, f64>,
    /// The settings of the parameters that are in a group.
    pub groups: BTreeMap<String, GroupSettings>,
    /// The state of each parameter that has moved.
    pub slots: BTreeMap<String, Slot<E>>,
}

/// The settings of a group of parameters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupSettings {
    /// The factor of the optimizer's learning rate.
    pub lr_scale: f64,
    /// The weight decay, if it is not the optimizer's.
    pub weight_decay: Option<f64>,
}

/// The optimizer state of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot<E: Float> {
    /// The number of steps that have moved it.
    pub steps: usize,
    /// Tensors of its shape, by the names that the optimizer's formula gives them, such as `m` and `v`.
    pub tensors: BTreeMap<String, Tensor<E>>,
}
