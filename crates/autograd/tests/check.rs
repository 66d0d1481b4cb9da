//! The gradient checker on layers that are right: nothing is reported, and what cannot be seen is said.

use retrograde_autograd::check::{Check, Named, Report};
use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::Tensor;

use rand::SeedableRng;
use rand::rngs::StdRng;

fn normal(shape: &[usize], std: f64, rng: &mut StdRng) -> Tensor<f64> {
    Tensor::normal(retrograde_tensor::Shape::new(shape).unwrap(), 0.0, std, rng).unwrap()
}

struct Rnn {
    wx: Param<f64>,
    wh: Param<f64>,
    b: Param<f64>,
}

impl Rnn {
    fn new(d: usize, h: usize, gain: f64, rng: &mut StdRng) -> Self {
        Rnn {
            wx: Param::new("Wx", normal(&[d, h], 1.0 / (d as f64).sqrt(), rng)),
            wh: Param::new("Wh", normal(&[h, h], gain / (h as f64).sqrt(), rng)),
            b: Param::new("b", normal(&[h], 0.3, rng)),
        }
    }

    fn unroll<'t>(
        &self,
        tape: &'t Tape<f64>,
        xs: &Var<'t, f64>,
        h0: &Var<'t, f64>,
        f: impl Fn(&Var<'t, f64>) -> Var<'t, f64>,
    ) -> [Var<'t, f64>; 2] {
        let mut h = h0.clone();
        let mut hs = Vec::new();
        for step in 0..xs.shape()[1] {
            tape.set_step(Some(step));
            let t = h.matmul(&self.wh) + xs.select(1, step).matmul(&self.wx) + &self.b;
            h = f(&t);
            hs.push(h.clone());
        }
        tape.set_step(None);
        [Var::stack(&hs, 1), h]
    }
}

fn rnn([n, t, d, h]: [usize; 4], gain: f64, f: impl for<'t> Fn(&Var<'t, f64>) -> Var<'t, f64>) -> Report {
    let mut rng = StdRng::seed_from_u64(1);
    let rnn = Rnn::new(d, h, gain, &mut rng);
    Check::new()
        .input("xs", normal(&[n, t, d], 1.0, &mut rng))
        .input("h0", normal(&[n, h], 0.5, &mut rng))
        .params([&rnn.wx, &rnn.wh, &rnn.b])
        .time_axis("xs", 1)
        .time_axis("hs", 1)
        .seed(7)
        .run(|tape, x| {
            let [hs, h] = rnn.unroll(tape, &x["xs"], &x["h0"], |t| f(t));
            Ok(Named::from([("hs", hs), ("h", h)]))
        })
        .unwrap()
}

#[test]
fn a_correct_rnn_is_verified() {
    for sizes in [[2, 3, 4, 3], [1, 1, 2, 3], [3, 1, 1, 1], [2, 20, 3, 5]] {
        let clock = std::time::Instant::now();
        let report = rnn(sizes, 0.9, |t| t.tanh());
        println!("{sizes:?} {:?}\n{report}", clock.elapsed());
        report.assert_ok();
    }
}
