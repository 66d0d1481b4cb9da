//! Gradient clipping.

use retrograde_autograd::Gradients;
use retrograde_tensor::Float;

use crate::Error;

/// Scales the gradients of all parameters down, by one factor, if together they are longer than `max_norm`. Returns
/// their L2 norm before that.
///
/// The factor is `max_norm / (norm + 1e-6)`, where that is below 1.
///
/// # Panics
/// If `max_norm` is negative or not a number.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::clip_grad_norm;
/// use retrograde_tensor::{Tensor, assert_close};
///
/// let w = Param::new("w", Tensor::from([1.5, 2.0]));
/// let tape = Tape::new();
/// let mut grads = tape.param(&w).square().sum().backward()?; // dw = 2 w
/// assert_eq!(clip_grad_norm(&mut grads, 1.0), 5.0);
/// assert_close!(grads.get(&w).unwrap(), Tensor::from([0.6, 0.8]), 1e-6, 0.0);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// R. Pascanu, T. Mikolov and Y. Bengio, *On the difficulty of training recurrent neural networks* (2013), algorithm 1.
#[track_caller]
pub fn clip_grad_norm<E: Float>(grads: &mut Gradients<E>, max_norm: f64) -> f64 {
    if max_norm.is_nan() || max_norm < 0.0 {
        let (name, expected) = ("max_norm", "at least 0");
        panic!("{}", Error::Setting { op: "clip_grad_norm", name, expected, found: max_norm });
    }
    let norm = grad_norm(grads);
    let factor = max_norm / (norm + 1e-6);
    if factor < 1.0 {
        let factor = E::from_f64(factor);
        grads.update_params(|_, dw| dw.as_mut_slice().iter_mut().for_each(|dw| *dw = *dw * factor));
    }
    norm
}

/// Limits each element of the gradients of all parameters to `-max_value..=max_value`. Returns the L2 norm of the
/// gradients before that.
///
/// What is not a number stays so.
///
/// # Panics
/// If `max_value` is negative or not a number.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::clip_grad_value;
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([1.5, -2.0, 0.25]));
/// let tape = Tape::new();
/// let mut grads = tape.param(&w).square().sum().backward()?; // dw = 2 w
/// clip_grad_value(&mut grads, 1.0);
/// assert_eq!(grads.get(&w), Some(&Tensor::from([1.0, -1.0, 0.5])));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// T. Mikolov, *Statistical language models based on neural networks* (2012), section 3.2.2.
#[track_caller]
pub fn clip_grad_value<E: Float>(grads: &mut Gradients<E>, max_value: f64) -> f64 {
    if max_value.is_nan() || max_value < 0.0 {
        let (name, expected) = ("max_value", "at least 0");
        panic!("{}", Error::Setting { op: "clip_grad_value", name, expected, found: max_value });
    }
    let norm = grad_norm(grads);
    let limit = E::from_f64(max_value);
    let clip = |dw: &mut E| *dw = dw.maximum(-limit).minimum(limit);
    grads.update_params(|_, dw| dw.as_mut_slice().iter_mut().for_each(clip));
    norm
}

/// The L2 norm of the gradients of all parameters together, summed in double precision.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::grad_norm;
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([1.5, 2.0]));
/// let tape = Tape::new();
/// assert_eq!(grad_norm(&tape.param(&w).square().sum().backward()?), 5.0); // dw = 2 w
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
pub fn grad_norm<E: Float>(grads: &Gradients<E>) -> f64 {
    let squares = grads.params().flat_map(|(_, dw)| dw).map(|dw| dw.to_f64() * dw.to_f64());
    squares.sum::<f64>().sqrt()
}
