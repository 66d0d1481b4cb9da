//! 24. A number in the place of a weight
//!
//! An RNN over time: `h[:, t + 1] = tanh(h[:, t]·Wh + x_t·Wx + b)`, where `h[:, 0]` is `h_prev`; its outputs
//! `hs` are `h[:, 1..]`. The pass is derived from the lines below. The tape does not know everything that
//! they use. Repair the forward pass.

use retrograde::autograd::{Tape, Var};
use retrograde::check::Named;

pub(crate) fn forward<'t>(tape: &'t Tape<f64>, x: &Named<Var<'t, f64>>) -> Named<Var<'t, f64>> {
    let [xs, wx, wh, b] = ["xs", "Wx", "Wh", "b"].map(|name| &x[name]);
    let wh = &tape.constant(wh.value().clone()); // the weight, without its name
    let mut h = x["h_prev"].clone();
    let mut hs = Vec::new();
    for t in 0..xs.shape()[1] {
        tape.set_step(Some(t));
        h = (h.matmul(wh) + xs.select(1, t).matmul(wx) + b).tanh();
        hs.push(h.clone());
    }
    tape.set_step(None);
    [("hs", Var::stack(&hs, 1))].into()
}
