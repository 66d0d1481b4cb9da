//! Look at the gradients of the weights: they have a size that no gradient of a loss should have.
//!
//! `clone` makes a tensor of its own. Which of the two tensors is returned?
//!
//! Add to what is returned. A layer of random, frozen weights still feeds a layer above that learns.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [xs, h, wx, wh, b] = ["xs", "h", "Wx", "Wh", "b"].map(|name| &x[name]);
    let mut grads = [wx, wh, b].map(|weight| Tensor::zeros(weight.shape()));
    let mut dxs = Vec::new();
    let mut dh = Tensor::zeros(h.select(1, 0).shape());
    for t in (0..xs.dims()[1]).rev() {
        let (x, h_prev, h_next) = (xs.select(1, t), h.select(1, t), h.select(1, t + 1));
        let dt = (dy["hs"].select(1, t) + &dh) * (1.0 - h_next.square()); // [N, H]
        let step = [x.t().matmul(&dt), h_prev.t().matmul(&dt), dt.sum_to(b.shape())];
        for (sum, grad) in grads.iter_mut().zip(&step) {
            *sum += grad;
        }
        dxs.push(dt.matmul(&wx.t()));
        dh = dt.matmul(&wh.t());
    }
    dxs.reverse();
    let dxs = Tensor::stack(&dxs.iter().collect::<Vec<_>>(), 1); // [N, T, D]
    let [dwx, dwh, db] = grads;
    [("xs", dxs), ("h_prev", dh), ("Wx", dwx), ("Wh", dwh), ("b", db)].into()
}
