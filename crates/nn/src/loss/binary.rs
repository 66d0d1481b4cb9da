//! The cross-entropy of two classes.

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Tensor};

use super::counted::masked;
use super::mean;
use crate::Result;
use crate::range::Range;

const OP: &str = "binary_cross_entropy";

/// The cross-entropy of a sigmoid: `-(z ln σ(x) + (1 - z) ln σ(-x))` for logits x and targets z between 0 and 1, the
/// mean over all elements of the positions that a mask counts, in nats.
///
/// Without a mask all are counted. A mask covers leading axes: `[N, T]` for logits of `[N, T, D]`. What is at the other
/// positions has no influence, even if it is not a number.
///
/// It is computed as `z softplus(-x) + (1 - z) softplus(x)`, where a term of weight 0 is left out: it keeps its digits
/// for confident logits, and an infinite logit costs 0 or an infinite loss. Its gradient is `(σ(x) - z) / count`.
///
/// # Shapes
/// `logits [..], targets [..], mask [..] -> []`
///
/// # Errors
/// If the shapes do not agree, if no position is counted, or if a counted target is not between 0 and 1.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::binary_cross_entropy;
/// use retrograde_tensor::{Tensor, assert_close};
///
/// let tape = Tape::new();
/// let logits = tape.var(Tensor::from([0.0, 1e4]));
/// let loss = binary_cross_entropy(&logits, &Tensor::from([0.25, 0.0]), None)?;
/// assert_eq!(loss.value().item()?, (2.0_f64.ln() + 1e4) / 2.0);
/// assert_close!(loss.backward()?.get(&logits).unwrap(), Tensor::from([0.125, 0.5]), 1e-15, 0.0);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// As PyTorch's `torch.nn.BCEWithLogitsLoss`.
pub fn binary_cross_entropy<'t, E: Float>(
    logits: &Var<'t, E>,
    targets: &Tensor<E>,
    mask: Option<&Tensor<bool>>,
) -> Result<Var<'t, E>> {
    let (x, z) = masked(OP, logits, targets, mask)?; // [count, K]
    let one = E::from_f64(1.0);
    z.iter().try_for_each(|z| Range::Unit.check(OP, "targets", z.to_f64()).map(drop))?;
    let term = |x: &Var<'t, E>, weight: Tensor<E>| -> Result<Var<'t, E>> {
        Ok(x.softplus().try_where_mask(&weight, 0.0)?.try_mul(weight)?)
    };
    let losses = term(&-&x, z.clone())?.try_add(&term(&x, z.map(|z| one - z))?)?; // [count, K]
    mean(&losses)
}
