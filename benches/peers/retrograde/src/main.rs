//! Forward and backward through an RNN from primitives with retrograde: the same program as the peers'.

#[path = "../../shared/mod.rs"]
mod shared;

use retrograde::prelude::*;
use shared::Problem;

fn main() {
    let problem = Problem::new();
    let &Problem { n, d, h, .. } = &problem;
    let array = |x: &[f32], shape: [usize; 2]| Tensor::from_vec(x.to_vec(), shape).expect("the sizes fit");
    let wx = Param::new("Wx", array(&problem.wx, [d, h]));
    let wh = Param::new("Wh", array(&problem.wh, [h, h]));
    let b = Param::new("b", Tensor::from_vec(problem.b.clone(), [h]).expect("the sizes fit"));
    let xs: Vec<_> = problem.xs.iter().map(|x| array(x, [n, d])).collect();
    let dhs: Vec<_> = problem.dhs.iter().map(|dh| array(dh, [n, h])).collect();
    shared::report(&problem, |clock| {
        let tape = Tape::new();
        let xs: Vec<_> = xs.iter().map(|x| tape.var(x.clone())).collect();
        let mut h = tape.constant(Tensor::zeros([n, h]));
        let mut hs = Vec::new();
        for x in &xs {
            h = (x.matmul(&wx) + h.matmul(&wh) + &b).tanh();
            hs.push(h.clone());
        }
        clock.forward_done();
        let outputs: Vec<_> = hs.iter().zip(&dhs).collect();
        let grads = tape.backward(&outputs).expect("the tape records");
        for x in &xs {
            std::hint::black_box(grads.get(x));
        }
        std::hint::black_box((grads.get(&wx), grads.get(&b)));
        grads.get(&wh).expect("it was used").iter().collect()
    });
}
