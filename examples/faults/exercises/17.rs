//! 17. The way around a step
//!
//! Zoneout: an RNN whose units keep their old state now and then, `h[:, t + 1] = kept_t ⊙ h[:, t] + (1 -
//! kept_t) ⊙ s_t` with `s_t = tanh(h[:, t]·Wh + x_t·Wx + b)` and `kept` of zeros and ones. Without noise
//! `kept` is 0 everywhere.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [xs, h, wx, wh, b] = ["xs", "h", "Wx", "Wh", "b"].map(|name| &x[name]);
    let (mut dwx, mut dwh) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()));
    let (mut db, mut dxs) = (Tensor::zeros(b.shape()), Vec::new());
    let (kept, s) = (&x["kept"], &x["s"]);
    let mut dh = Tensor::zeros(h.select(1, 0).shape());
    for t in (0..xs.dims()[1]).rev() {
        let (x, h_prev) = (xs.select(1, t), h.select(1, t));
        let (kept, s) = (kept.select(1, t), s.select(1, t)); // [N, H]
        let dh_next = dy["hs"].select(1, t) + &dh;
        let dt = &dh_next * (1.0 - &kept) * (1.0 - s.square()); // [N, H]
        db += &dt.sum_to(b.shape());
        dwh += &h_prev.t().matmul(&dt);
        dwx += &x.t().matmul(&dt);
        dxs.push(dt.matmul(&wx.t()));
        dh = dt.matmul(&wh.t());
    }
    dxs.reverse();
    let dxs = Tensor::stack(&dxs.iter().collect::<Vec<_>>(), 1); // [N, T, D]
    [("xs", dxs), ("h_prev", dh), ("Wx", dwx), ("Wh", dwh), ("b", db)].into()
}
