//! Forward and backward through an RNN from primitives with burn: `--backend flex` or `--backend ndarray`.

#[path = "../../shared/mod.rs"]
mod shared;

use burn::tensor::{Device, Tensor, TensorData};
use shared::Problem;

fn main() {
    let device = match shared::option("--backend").as_deref() {
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)] // it is what most programs on burn have been written for
        Some("ndarray") => Device::ndarray(),
        #[cfg(feature = "flex")]
        None | Some("flex") => Device::flex(),
        backend => panic!("--backend: expected flex or ndarray, found {backend:?}"),
    }
    .autodiff();
    let problem = Problem::new();
    let &Problem { n, d, h, .. } = &problem;
    let array =
        |x: &[f32], shape: [usize; 2]| Tensor::<2>::from_data(TensorData::new(x.to_vec(), shape), &device);
    let wx = array(&problem.wx, [d, h]).require_grad();
    let wh = array(&problem.wh, [h, h]).require_grad();
    let b = array(&problem.b, [1, h]).require_grad();
    let xs: Vec<_> = problem.xs.iter().map(|x| array(x, [n, d]).require_grad()).collect();
    let dhs: Vec<_> = problem.dhs.iter().map(|dh| array(dh, [n, h])).collect();
    let zeros = array(&vec![0.0; n * h], [n, h]);
    shared::report(&problem, |clock| {
        let mut h = zeros.clone();
        let mut loss: Option<Tensor<1>> = None;
        for (x, dh) in xs.iter().zip(&dhs) {
            h = (x.clone().matmul(wx.clone()) + h.matmul(wh.clone()) + b.clone()).tanh();
            let term = (h.clone() * dh.clone()).sum();
            loss = Some(match loss {
                Some(loss) => loss + term,
                None => term,
            });
        }
        let loss = loss.expect("a step");
        clock.forward_done();
        let grads = loss.backward();
        for x in xs.iter().chain([&wx, &b]) {
            std::hint::black_box(x.grad(&grads).expect("it was used"));
        }
        wh.grad(&grads).expect("it was used").into_data().to_vec().expect("f32")
    });
}
