//! 13. The mean of a loss
//!
//! Softmax with cross-entropy, the mean over N examples of V classes: `loss = -(1/N) Σ onehot ⊙ ln
//! softmax(z)`.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [z, onehot] = ["z", "onehot"].map(|name| &x[name]); // [N, V]
    let dz = (z.softmax(1) - onehot) * &dy["loss"];
    [("z", dz)].into()
}
