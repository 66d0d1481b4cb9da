//! One gradient is wrong as soon as there are two examples. Is its shape wrong, too?
//!
//! Its shape is right. But which of the rows of `dt` have come into it?
//!
//! `db` is the sum of all rows, not the last one.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [xs, h, wx, wh, b] = ["xs", "h", "Wx", "Wh", "b"].map(|name| &x[name]);
    let (mut dwx, mut dwh) = (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()));
    let (mut db, mut dxs) = (Tensor::zeros(b.shape()), Vec::new());
    let mut dh = Tensor::zeros(h.select(1, 0).shape());
    for t in (0..xs.dims()[1]).rev() {
        let (x, h_prev, h_next) = (xs.select(1, t), h.select(1, t), h.select(1, t + 1));
        let dt = (dy["hs"].select(1, t) + &dh) * (1.0 - h_next.square()); // [N, H]
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
