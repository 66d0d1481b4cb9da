//! The squared error.

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Tensor};

use super::counted::masked;
use super::mean;
use crate::Result;

/// The mean squared error: `(y - target)²`, the mean over all elements of the positions that a mask counts.
///
/// Without a mask all are counted. A mask covers leading axes: `[N, T]` for predictions of `[N, T, D]`. What is at the
/// other positions has no influence, even if it is not a number.
///
/// # Shapes
/// `y [.., D], targets [.., D], mask [..] -> []`
///
/// # Errors
/// If the shapes do not agree, or if no position is counted.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::mse;
/// use retrograde_tensor::Tensor;
///
/// let tape = Tape::new();
/// let y = tape.var(Tensor::from([[1.0, 2.0, f64::NAN]])); // [N, T]
/// let mask = Tensor::from([[true, true, false]]);
/// let loss = mse(&y, &Tensor::from([[1.0, 5.0, 0.0]]), Some(&mask))?;
/// assert_eq!(loss.value().item()?, 4.5); // (0² + 3²) / 2
/// assert_eq!(loss.backward()?.get(&y), Some(&Tensor::from([[0.0, -3.0, 0.0]])));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// As PyTorch's `torch.nn.MSELoss`.
pub fn mse<'t, E: Float>(
    y: &Var<'t, E>,
    targets: &Tensor<E>,
    mask: Option<&Tensor<bool>>,
) -> Result<Var<'t, E>> {
    let (y, targets) = masked("mse", y, targets, mask)?;
    mean(&y.try_sub(targets)?.square())
}
