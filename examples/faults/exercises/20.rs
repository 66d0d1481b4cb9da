//! 20. A loss that falls
//!
//! An RNN over time: `h[:, t + 1] = tanh(h[:, t]·Wh + x_t·Wx + b)`, where `h[:, 0]` is `h_prev`; its outputs
//! `hs` are `h[:, 1..]`. The loss of a forecaster trained by this pass falls, and falls. Look at how far
//! `Wh` has moved.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [xs, h, wx, wh, b] = ["xs", "h", "Wx", "Wh", "b"].map(|name| &x[name]);
    let grads = [wx, wh, b].map(|weight| Tensor::zeros(weight.shape()));
    let (mut sums, mut dxs) = (grads.clone(), Vec::new());
    let mut dh = Tensor::zeros(h.select(1, 0).shape());
    for t in (0..xs.dims()[1]).rev() {
        let (x, h_prev, h_next) = (xs.select(1, t), h.select(1, t), h.select(1, t + 1));
        let dt = (dy["hs"].select(1, t) + &dh) * (1.0 - h_next.square()); // [N, H]
        let step = [x.t().matmul(&dt), h_prev.t().matmul(&dt), dt.sum_to(b.shape())];
        for (sum, grad) in sums.iter_mut().zip(&step) {
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
