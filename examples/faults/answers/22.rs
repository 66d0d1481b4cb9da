//! One of the gates is wrong. The gradients of `Wx`, `Wh` and `b` have a quarter for each gate: which
//! quarter differs?
//!
//! By what is the output gate multiplied in the forward pass?
//!
//! By `tanh(c_next)`, so `do = dh_next ⊙ tanh(c_next) ⊙ o ⊙ (1 - o)`.

use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let [h_prev, c_prev, wx, wh, b] = ["h_prev", "c_prev", "Wx", "Wh", "b"].map(|name| &x[name]);
    let [f, g, i, o, c_next] = ["f", "g", "i", "o", "c_next"].map(|name| &x[name]);
    let (x, dh_next) = (&x["x"], &dy["h_next"]);
    let dc = &dy["c_next"] + dh_next * o * (1.0 - c_next.tanh().square());
    let df = &dc * c_prev * f * (1.0 - f);
    let dg = &dc * i * (1.0 - g.square());
    let di = &dc * g * i * (1.0 - i);
    let d_o = dh_next * c_next.tanh() * o * (1.0 - o);
    let dt = Tensor::concat(&[&df, &dg, &di, &d_o], 1); // [N, 4H]
    let db = dt.sum_to(b.shape());
    let (dwx, dwh) = (x.t().matmul(&dt), h_prev.t().matmul(&dt));
    let (dx, dh_prev, dc_prev) = (dt.matmul(&wx.t()), dt.matmul(&wh.t()), &dc * f);
    [("x", dx), ("h_prev", dh_prev), ("c_prev", dc_prev), ("Wx", dwx), ("Wh", dwh), ("b", db)].into()
}
