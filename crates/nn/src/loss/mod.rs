//! Losses, over time and otherwise. All are means, in nats where they are logarithms.

mod binary;
mod counted;
mod cross_entropy;
mod mse;

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Tensor};

use crate::Result;

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

/// The mean of all elements, of which there are `n`: so the derived formulas call it.
fn mean<'t, E: Float>(x: &Var<'t, E>) -> Result<Var<'t, E>> {
    let n = x.tape().constant(Tensor::scalar(E::from_f64(x.shape().numel() as f64))).named("n");
    Ok(x.sum().try_div(n)?)
}
