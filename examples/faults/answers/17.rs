//! In how many places does the old state occur in the formula of a step?
//!
//! A value that is used twice has a derivative of two terms. One of them is here.
//!
//! `dh = dt·Whᵀ + dh_next ⊙ kept`.

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
        dh = dt.matmul(&wh.t()) + dh_next * kept;
    }
    dxs.reverse();
    let dxs = Tensor::stack(&dxs.iter().collect::<Vec<_>>(), 1); // [N, T, D]
    [("xs", dxs), ("h_prev", dh), ("Wx", dwx), ("Wh", dwh), ("b", db)].into()
}
