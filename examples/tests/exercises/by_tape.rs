//! 7. A square matrix

use retrograde::autograd::{Tape, Var};
use retrograde::check::Named;
use retrograde::tensor::Tensor;

pub(crate) fn backward(x: &Named<Tensor<f64>>, dy: &Named<Tensor<f64>>) -> Named<Tensor<f64>> {
    let tape = Tape::new();
    let names = ["xs", "h_prev", "Wx", "Wh", "b"];
    let [xs, h_prev, wx, wh, b] = names.map(|name| tape.var(x[name].clone()));
    let (mut h, mut hs) = (h_prev.clone(), Vec::new());
    for t in 0..xs.shape()[1] {
        h = (h.matmul(&wh) + xs.select(1, t).matmul(&wx) + &b).tanh();
        hs.push(h.clone());
    }
    let grads = Var::stack(&hs, 1).backward_with(&dy["hs"]).unwrap();
    let found = [&xs, &h_prev, &wx, &wh, &b].map(|var| grads.get(var).unwrap().clone());
    names.into_iter().zip(found).collect()
}
