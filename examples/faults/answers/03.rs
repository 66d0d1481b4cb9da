//! `dz` must be `[N, V]`. What is subtracted from the probabilities here?
//!
//! The derivative of the loss at the right class is the probability less 1, elsewhere it is the probability.
//!
//! `dz = (softmax(z) - onehot) / N`. Where N = V the wrong line fits.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [z, onehot] = ["z", "onehot"].map(|name| &x[name]); // [N, V]
    let n = z.dims()[0] as f64;
    let dz = (z.softmax(1) - onehot) / n * &dy["loss"];
    [("z", dz)].into()
}
