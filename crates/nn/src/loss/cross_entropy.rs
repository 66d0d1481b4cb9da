//! The cross-entropy of logits.

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Tensor};

use super::counted::{counted, rows};
use super::{MeanLoss, mean};
use crate::range::Range;
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
    let (axis, classes) = check(logits, targets)?;
    let count = targets.numel();
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
    Ok(-mean(&log_p)?)
}

/// The cross-entropy of a softmax over some of the positions, and with weights for the labels.
///
/// A position counts unless its target is the ignored index or the mask is false there; its logits then have no
/// influence, even if they are not numbers. With label weights the mean is weighted: the sum of
/// `-w[target] · ln softmax(logits)[target]` divided by that of `w[target]`. In nats.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::CrossEntropy;
/// use retrograde_tensor::Tensor;
///
/// const PADDING: usize = usize::MAX;
/// let tape = Tape::new();
/// let logits = tape.var(Tensor::from([[[0.0, 0.0], [0.0, 0.0], [f64::NAN, 0.0]]])); // [N, T, V]
/// let targets = Tensor::from([[0, 1, PADDING]]);
/// let mean = CrossEntropy::new().ignored(PADDING).forward(&logits, &targets, None)?;
/// assert!((mean.loss.value().item()? - 2.0_f64.ln()).abs() < 1e-15);
/// assert_eq!(mean.count, 2);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// As PyTorch's `torch.nn.CrossEntropyLoss`, of which `ignore_index` and `weight` are these.
#[derive(Clone, Debug)]
pub struct CrossEntropy<E: Float> {
    ignored: Option<usize>,
    weights: Option<Tensor<E>>,
}

impl<E: Float> CrossEntropy<E> {
    /// Creates a loss in which every position and every label counts the same.
    #[must_use]
    pub fn new() -> Self {
        CrossEntropy { ignored: None, weights: None }
    }

    /// Leaves out the positions with this target, which need not be a class.
    #[must_use]
    pub fn ignored(mut self, target: usize) -> Self {
        self.ignored = Some(target);
        self
    }

    /// Sets weights for the labels.
    ///
    /// # Shapes
    /// `[V]`
    ///
    /// # Errors
    /// If they are no vector, or if one is not a finite number of at least 0.
    pub fn weights(mut self, weights: Tensor<E>) -> Result<Self> {
        expect(OP, "weights", &[Axis::Any("V")], weights.shape())?;
        weights.iter().try_for_each(|w| Range::Rate.check(OP, "weights", w.to_f64()).map(drop))?;
        self.weights = Some(weights);
        Ok(self)
    }

    /// Returns the mean over the positions that count.
    ///
    /// # Shapes
    /// `logits [.., V], targets [..], mask [..] -> []`
    ///
    /// # Errors
    /// If the shapes do not agree, if no position counts or all that do have a weight of 0, or if a target that counts
    /// is not below V.
    pub fn forward<'t>(
        &self,
        logits: &Var<'t, E>,
        targets: &Tensor<usize>,
        mask: Option<&Tensor<bool>>,
    ) -> Result<MeanLoss<'t, E>> {
        let (_, classes) = check(logits, targets)?;
        let positions = targets.numel();
        let mask = match mask {
            Some(mask) => {
                let axes: Vec<Axis> = targets.dims().iter().map(|&size| Axis::Size(size)).collect();
                expect(OP, "mask", &axes, mask.shape())?;
                mask.to_vec()
            }
            None => vec![true; positions],
        };
        let all = targets.to_vec();
        let counts = |(&target, counts): (&usize, bool)| counts && Some(target) != self.ignored;
        let counted = counted(OP, all.iter().zip(mask).map(counts))?; // [count]
        if let Some(flat) = counted.iter().find(|&flat| all[flat] >= classes) {
            return Err(Error::Target { op: OP, classes, found: all[flat], at: index(flat, targets.dims()) });
        }
        let count = counted.numel();
        let log_p = rows(logits, positions, &counted)?.try_log_softmax(1)?; // [count, V]
        let places = counted.iter().enumerate().map(|(i, flat)| i * classes + all[flat]).collect();
        let places = Tensor::from_vec(places, [count])?;
        let log_p = log_p.try_reshape([count * classes])?.try_gather_rows(&places)?; // [count]
        let Some(weights) = &self.weights else {
            return Ok(MeanLoss { loss: -mean(&log_p)?, count });
        };
        expect(OP, "weights", &[Axis::Size(classes)], weights.shape())?;
        let weights = weights.gather_rows(&counted.map(|flat| all[flat])); // [count]
        let total: f64 = weights.iter().map(E::to_f64).sum();
        if total == 0.0 {
            return Err(Error::NothingCounted { op: OP, positions });
        }
        // Without weight, an infinite loss has no part in it either.
        let log_p = log_p.try_where_mask(&weights, 0.0)?;
        Ok(MeanLoss { loss: -log_p.try_mul(weights)?.sum().try_div(total)?, count })
    }
}

impl<E: Float> Default for CrossEntropy<E> {
    fn default() -> Self {
        Self::new()
    }
}

/// The axis of the classes and their number, if targets fit the logits.
fn check<E: Float>(logits: &Var<'_, E>, targets: &Tensor<usize>) -> Result<(usize, usize)> {
    let shape = logits.shape();
    expect(OP, "logits", &[Axis::Rest, Axis::Any("V")], shape)?;
    let axis = shape.rank() - 1;
    let positions: Vec<Axis> = shape[..axis].iter().map(|&size| Axis::Size(size)).collect();
    expect(OP, "targets", &positions, targets.shape())?;
    Ok((axis, shape[axis]))
}

/// The index of an element by its place in row-major order.
fn index(mut flat: usize, dims: &[usize]) -> Box<[usize]> {
    let mut index: Box<[usize]> = dims.into();
    for i in index.iter_mut().rev() {
        (*i, flat) = (flat % *i, flat / *i);
    }
    index
}
