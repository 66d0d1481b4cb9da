//! Every value is right. Which of them does the tape believe to be fixed?
//!
//! When a unit moves, the mean moves with it, and with the mean all other units.
//!
//! Take the mean of the variable, not of its value.

use retrograde::autograd::{Tape, Var};
use retrograde::check::Named;

pub(crate) fn forward<'t>(tape: &'t Tape<f64>, x: &Named<Var<'t, f64>>) -> Named<Var<'t, f64>> {
    let [h_prev, wx, wh, b] = ["h_prev", "Wx", "Wh", "b"].map(|name| &x[name]);
    let t = h_prev.matmul(wh) + x["x"].matmul(wx) + b; // [N, H]
    let mean = t.mean_axes(&[1], true); // [N, 1]
    [("h_next", (&t - &mean).tanh())].into()
}
