//! Losses, over time and otherwise. All are means, in nats where they are logarithms.

mod binary;
mod counted;
mod cross_entropy;
mod mse;

use retrograde_autograd::Var;
use retrograde_tensor::Float;

pub use binary::binary_cross_entropy;
pub use cross_entropy::{CrossEntropy, cross_entropy};
pub use mse::mse;

/// A mean over the positions that count.
#[derive(Clone, Debug)]
pub struct MeanLoss<'t, E: Float> {
    /// The mean, a scalar.
    pub loss: Var<'t, E>,
    /// The number of positions that were counted.
    pub count: usize,
}
