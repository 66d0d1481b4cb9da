//! Look at the inputs of the first steps, for a cotangent of the last output.
//!
//! A constant has no derivative, and nothing behind it has one.
//!
//! Let the state stay a variable. Truncated backpropagation is a choice, and belongs to the training loop.

use retrograde::autograd::{Tape, Var};
use retrograde::check::Named;

pub(crate) fn forward<'t>(tape: &'t Tape<f64>, x: &Named<Var<'t, f64>>) -> Named<Var<'t, f64>> {
    let [xs, wx, wh, b] = ["xs", "Wx", "Wh", "b"].map(|name| &x[name]);
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
