//! 3. Labels and rows
//!
//! Softmax with cross-entropy, the mean over N examples of V classes: `loss = -(1/N) Σ onehot ⊙ ln
//! softmax(z)`. `labels` `[N]` are the classes as numbers, `onehot` `[N, V]` the same as rows of 0 and 1.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [z, labels] = ["z", "labels"].map(|name| &x[name]); // [N, V], [N]
    let n = z.dims()[0] as f64;
    let dz = (z.softmax(1) - labels) / n * &dy["loss"];
    [("z", dz)].into()
}
