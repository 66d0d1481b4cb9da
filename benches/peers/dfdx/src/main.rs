//! Forward and backward through an RNN from primitives with dfdx.

#[path = "../../shared/mod.rs"]
mod shared;

use dfdx::prelude::*;
use shared::Problem;

type Matrix = dfdx::prelude::Tensor<(usize, usize), f32, Cpu>;
type Recording = OwnedTape<f32, Cpu>;

fn main() {
    let problem = Problem::new();
    let &Problem { n, d, h, .. } = &problem;
    let device = Cpu::default();
    let array = |x: &[f32], shape: (usize, usize)| -> Matrix { device.tensor_from_vec(x.to_vec(), shape) };
    let (wx, wh) = (array(&problem.wx, (d, h)), array(&problem.wh, (h, h)));
    let b = device.tensor_from_vec(problem.b.clone(), (h,));
    let xs: Vec<Matrix> = problem.xs.iter().map(|x| array(x, (n, d))).collect();
    let dhs: Vec<Matrix> = problem.dhs.iter().map(|dh| array(dh, (n, h))).collect();
    let zeros = array(&vec![0.0; n * h], (n, h));
    shared::report(&problem, |clock| {
        let mut h_prev = zeros.clone();
        let mut loss = device.zeros().retaped::<Recording>();
        for (x, dh) in xs.iter().zip(&dhs) {
            let bias = b.retaped::<Recording>().broadcast_like::<_, Axis<0>>(&(n, h));
            let t = x.retaped::<Recording>().matmul(wx.clone())
                + h_prev.retaped::<Recording>().matmul(wh.clone());
            let (h_next, tape) = (t + bias).tanh().split_tape();
            loss = loss + (h_next.clone().put_tape(tape) * dh.clone()).sum();
            h_prev = h_next;
        }
        clock.forward_done();
        let grads = loss.backward();
        for x in &xs {
            std::hint::black_box(grads.get(x));
        }
        std::hint::black_box((grads.get(&wx), grads.get(&b)));
        grads.get(&wh).as_vec()
    });
}
