//! Losses.

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect};
use crate::{Error, Result};

const OP: &str = "cross_entropy";

/// The cross-entropy of a softmax: `-ln softmax(logits)[target]`, the mean over all positions, in nats.
///
/// It is computed from the logarithm of the softmax and looks only at the targets, so it is safe for any finite
/// logits. Its gradient is `(softmax(logits) - onehot(target)) / count`.
///
/// # Shapes
/// `logits [.., V], targets [..] -> []`
///
/// # Errors
/// If the shapes do not agree, if there is no target, or if a target is not below V.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::cross_entropy;
/// use retrograde_tensor::Tensor;
///
/// let tape = Tape::new();
/// let logits = tape.var(Tensor::<f64>::zeros([2, 3, 4])); // [N, T, V], every class as likely
/// let loss = cross_entropy(&logits, &Tensor::from([[0, 1, 2], [3, 2, 1]]))?;
/// assert!((loss.value().item()? - 4.0_f64.ln()).abs() < 1e-15); // a perplexity of 4
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
pub fn cross_entropy<'t, E: Float>(logits: &Var<'t, E>, targets: &Tensor<usize>) -> Result<Var<'t, E>> {
    let shape = logits.shape();
    expect(OP, "logits", &[Axis::Rest, Axis::Any("V")], shape)?;
    let (axis, classes, count) = (shape.rank() - 1, shape[shape.rank() - 1], targets.numel());
    let positions: Vec<Axis> = shape[..axis].iter().map(|&size| Axis::Size(size)).collect();
    expect(OP, "targets", &positions, targets.shape())?;
    if count == 0 {
        return Err(Error::NoTargets { op: OP, found: Box::new(targets.shape()) });
    }
    if let Some((flat, found)) = targets.iter().enumerate().find(|&(_, target)| target >= classes) {
        return Err(Error::Target { op: OP, classes, found, at: index(flat, targets.dims()) });
    }
    let log_p = logits.try_log_softmax(axis)?; // [.., V]
    let places = targets.iter().enumerate().map(|(i, target)| i * classes + target).collect();
    let places = Tensor::from_vec(places, [count])?;
    let log_p = log_p.try_reshape([count * classes])?.try_gather_rows(&places)?; // [count]
    Ok(-log_p.mean())
}

/// The index of an element by its place in row-major order.
fn index(mut flat: usize, dims: &[usize]) -> Box<[usize]> {
    let mut index: Box<[usize]> = dims.into();
    for i in index.iter_mut().rev() {
        (*i, flat) = (flat % *i, flat / *i);
    }
    index
}
