//! A gradient has the shape of what it belongs to. Which one has not?
//!
//! Broadcasting copied `b` to every row. Copying forwards is adding backwards.
//!
//! `db = Σₙ dt`: `sum_to` sums over the axes that broadcasting had added.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [h_prev, wx, wh, b, h_next] = ["h_prev", "Wx", "Wh", "b", "h_next"].map(|name| &x[name]);
    let x = &x["x"];
    let dt = &dy["h_next"] * (1.0 - h_next.square()); // [N, H]
    let db = dt.sum_to(b.shape());
    let dwh = h_prev.t().matmul(&dt);
    let dh_prev = dt.matmul(&wh.t());
    let dwx = x.t().matmul(&dt);
    let dx = dt.matmul(&wx.t());
    [("x", dx), ("h_prev", dh_prev), ("Wx", dwx), ("Wh", dwh), ("b", db)].into()
}
