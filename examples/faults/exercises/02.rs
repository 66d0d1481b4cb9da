//! 2. One bias for all examples
//!
//! One step of an RNN: `h_next = tanh(h_prev·Wh + x·Wx + b)`, with `x` `[N, D]` and `h_prev` `[N, H]`. All N
//! examples share the one `b`.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [h_prev, wx, wh, b, h_next] = ["h_prev", "Wx", "Wh", "b", "h_next"].map(|name| &x[name]);
    let x = &x["x"];
    let dt = &dy["h_next"] * (1.0 - h_next.square()); // [N, H]
    let db = dt.clone();
    let dwh = h_prev.t().matmul(&dt);
    let dh_prev = dt.matmul(&wh.t());
    let dwx = x.t().matmul(&dt);
    let dx = dt.matmul(&wx.t());
    [("x", dx), ("h_prev", dh_prev), ("Wx", dwx), ("Wh", dwh), ("b", db)].into()
}
