//! What of an optimizer outlives the process.

use std::collections::BTreeMap;

use retrograde_tensor::{Float, Tensor};

/// What an optimizer needs to go on where it was, by the paths of the parameters.
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
/// let tape = Tape::new();
/// adam.step(&tape.param(&w).square().sum().backward()?)?;
/// let state = adam.state(&params)?;
/// assert_eq!(state.slots["0"].steps, 1);
///
/// let mut resumed = Adam::new(0.5);
/// resumed.set_state(&params, &state)?;
/// assert_eq!(resumed.lr, 0.1);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerState<E: Float> {
    /// The learning rate.
    pub lr: f64,
    /// What is remembered of the parameters that have moved.
    pub slots: BTreeMap<String, Slot<E>>,
}

/// What an optimizer remembers of one parameter.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot<E: Float> {
    /// How often it has moved.
    pub steps: usize,
    /// Tensors of its shape, by the names that the optimizer's formula gives them, such as `m` and `v`.
    pub tensors: BTreeMap<String, Tensor<E>>,
}
