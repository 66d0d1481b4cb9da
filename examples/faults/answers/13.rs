//! With one example it is right. By which factor is it off with two, and with four?
//!
//! The loss is a mean. Each example moves it by its share alone.
//!
//! Divide by N. A learning rate that was tuned to one size of a batch hides this slip.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [z, onehot] = ["z", "onehot"].map(|name| &x[name]); // [N, V]
    let n = z.dims()[0] as f64;
    let dz = (z.softmax(1) - onehot) / n * &dy["loss"];
    [("z", dz)].into()
}
