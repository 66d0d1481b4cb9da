//! Gradient clipping.

use retrograde_autograd::Gradients;
use retrograde_tensor::{Float, Tensor};

use crate::range::Range;
use crate::{Error, Result};

/// Scales the gradients of all parameters down, by one factor, if together they are longer than `max_norm`. Returns
/// their L2 norm before that.
///
/// The factor is `max_norm / (norm + 1e-6)`, where that is below 1.
///
/// A norm that is not a number makes all gradients so, and an infinite norm makes finite gradients 0 and infinite ones
/// not a number, as in PyTorch: check the returned norm, or call [`try_clip_grad_norm`]. An infinite `max_norm` changes
/// nothing.
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
    Range::Limit.check("clip_grad_norm", "max_norm", max_norm).unwrap_or_else(|error| panic!("{error}"));
    let norm = grad_norm(grads);
    scale(grads, norm, max_norm);
    norm
}

/// As [`clip_grad_norm`], refusing gradients whose norm is infinite or not a number.
///
/// # Errors
/// If the norm is not finite: the error names the first parameter whose gradient is not. If `max_norm` is negative or not
/// a number. The gradients stay as they were.
///
/// # Example
/// ```
/// use retrograde_autograd::{Param, Tape};
/// use retrograde_nn::try_clip_grad_norm;
/// use retrograde_tensor::Tensor;
///
/// let w = Param::new("w", Tensor::from([1.5, 0.0]));
/// let tape = Tape::new();
/// let mut grads = tape.param(&w).sqrt().sum().backward()?; // dw = 1 / (2 √w)
/// assert_eq!(
///     try_clip_grad_norm(&mut grads, 1.0).unwrap_err().to_string(),
///     "clip_grad_norm: expected gradients of a finite norm, found inf, with inf in that of w"
/// );
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
pub fn try_clip_grad_norm<E: Float>(grads: &mut Gradients<E>, max_norm: f64) -> Result<f64> {
    let op = "clip_grad_norm";
    Range::Limit.check(op, "max_norm", max_norm)?;
    let norm = grad_norm(grads);
    if norm.is_finite() {
        scale(grads, norm, max_norm);
        return Ok(norm);
    }
    let not_finite = |dw: &Tensor<E>| dw.iter().map(E::to_f64).find(|dw| !dw.is_finite());
    let found = grads.params().find_map(|(param, dw)| Some((param, not_finite(dw)?)));
    let largest = || grads.params().next().map(|(param, _)| (param, norm));
    let (param, found) = found.or_else(largest).expect("gradients with a norm");
    Err(Error::NonFiniteNorm { op, norm, found, name: param.name().to_owned() })
}

/// Multiplies the gradients by `max_norm / norm`, unless they are as short as that.
fn scale<E: Float>(grads: &mut Gradients<E>, norm: f64, max_norm: f64) {
    let factor = max_norm / (norm + 1e-6);
    if max_norm.is_finite() && (factor < 1.0 || factor.is_nan()) {
        let factor = E::from_f64(factor);
        grads.update_params(|_, dw| dw.as_mut_slice().iter_mut().for_each(|dw| *dw = *dw * factor));
    }
}

/// Limits each element of the gradients of all parameters to `-max_value..=max_value`. Returns the L2 norm of the
/// gradients before that.
///
/// An element that is not a number stays so.
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
    Range::Limit.check("clip_grad_value", "max_value", max_value).unwrap_or_else(|error| panic!("{error}"));
    let norm = grad_norm(grads);
    let limit = E::from_f64(max_value);
    let clip = |dw: &mut E| *dw = dw.maximum(-limit).minimum(limit);
    grads.update_params(|_, dw| dw.as_mut_slice().iter_mut().for_each(clip));
    norm
}

/// Returns the L2 norm of the gradients of all parameters together, summed in double precision. It is finite if all
/// gradients are and the norm itself fits.
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
#[must_use]
pub fn grad_norm<E: Float>(grads: &Gradients<E>) -> f64 {
    let elements = || grads.params().flat_map(|(_, dw)| dw).map(|dw| dw.to_f64());
    let squares: f64 = elements().map(|dw| dw * dw).sum();
    if squares.is_normal() {
        return squares.sqrt();
    }
    // Squares that overflow or vanish: those of the elements over the greatest do not.
    let greatest = elements().fold(0.0, |greatest: f64, dw| greatest.max(dw.abs()));
    if greatest == 0.0 || squares.is_nan() || greatest.is_infinite() {
        return squares.sqrt();
    }
    greatest * elements().map(|dw| (dw / greatest).powi(2)).sum::<f64>().sqrt()
}
