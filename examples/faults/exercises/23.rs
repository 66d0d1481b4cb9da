//! 23. A state that forgets where it came from
//!
//! An RNN over time: `h[:, t + 1] = tanh(h[:, t]·Wh + x_t·Wx + b)`, where `h[:, 0]` is `h_prev`; its outputs
//! `hs` are `h[:, 1..]`. The pass is derived from the lines below, so it can have no slip. But it knows only
//! what is on the tape. Repair the forward pass.

use retrograde::autograd::{Tape, Var};
use retrograde::check::Named;

pub(crate) fn forward<'t>(tape: &'t Tape<f64>, x: &Named<Var<'t, f64>>) -> Named<Var<'t, f64>> {
    let [xs, wx, wh, b] = ["xs", "Wx", "Wh", "b"].map(|name| &x[name]);
    let mut h = x["h_prev"].clone();
    let mut hs = Vec::new();
    for t in 0..xs.shape()[1] {
        tape.set_step(Some(t));
        if t % 3 == 2 {
            h = tape.constant(h.detach()); // a shorter tape needs less memory
        }
        h = (h.matmul(wh) + xs.select(1, t).matmul(wx) + b).tanh();
        hs.push(h.clone());
    }
    tape.set_step(None);
    [("hs", Var::stack(&hs, 1))].into()
}
