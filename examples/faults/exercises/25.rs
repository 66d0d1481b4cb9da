//! 25. A mean from nowhere
//!
//! A step whose units are centred: `h_next = tanh(t - mean(t))` with `t = h_prev·Wh + x·Wx + b` and the mean
//! of each example over its H units. The pass is derived from the lines below. Repair the forward pass.

use retrograde::autograd::{Tape, Var};
use retrograde::check::Named;

pub(crate) fn forward<'t>(tape: &'t Tape<f64>, x: &Named<Var<'t, f64>>) -> Named<Var<'t, f64>> {
    let [h_prev, wx, wh, b] = ["h_prev", "Wx", "Wh", "b"].map(|name| &x[name]);
    let t = h_prev.matmul(wh) + x["x"].matmul(wx) + b; // [N, H]
    let mean = tape.constant(t.value().mean_axes(&[1], true)); // [N, 1]
    [("h_next", (&t - &mean).tanh())].into()
}
