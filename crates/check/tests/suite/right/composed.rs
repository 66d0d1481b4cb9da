//! Layers, composites and passes by hand, at weights larger than those that training begins with.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Var};
use retrograde_check::{Check, Error, Report};
use retrograde_nn::{
    AdditiveAttention, Attention, Bidirectional, DotAttention, GruCell, Layer, LayerNormLstmCell, Linear,
    LstmCell, MguCell, PeepholeLstmCell, Residual, RnnCell, SequenceOptions, Stacked, Time, TimeRnn,
    cross_entropy,
};
use retrograde_tensor::Tensor;

use super::{Case, expression};
use crate::layers::normal;

/// The number of kinds of layers of [`one_line`].
pub(crate) const KINDS: usize = 12;

/// The check in one line of a layer of the library, at its weights times `k`.
pub(crate) fn one_line(kind: usize, seed: u64, k: f64) -> Result<Report, Error> {
    let rng = &mut StdRng::seed_from_u64(seed);
    match kind {
        0 => scaled(Time::new(RnnCell::new(4, 6, rng)), k),
        1 => scaled(Time::new(LstmCell::new(2, 3, rng)), k),
        2 => scaled(Time::new(GruCell::new(2, 3, rng)), k),
        3 => scaled(Time::new(GruCell::reset_before(2, 3, rng)), k),
        4 => scaled(Time::new(MguCell::new(2, 3, rng)), k),
        5 => scaled(Time::new(PeepholeLstmCell::new(2, 3, rng)), k),
        6 => scaled(Time::new(LayerNormLstmCell::new(2, 3, rng)), k),
        7 => scaled(Bidirectional::new(GruCell::new(2, 3, rng), GruCell::new(2, 3, rng)), k),
        8 => scaled(Residual(Time::new(GruCell::new(3, 3, rng))), k),
        9 => scaled((Time::new(LstmCell::new(2, 3, rng)), Linear::new(3, 2, rng)), k),
        10 => scaled(
            Stacked::new(vec![TimeRnn::new(RnnCell::new(2, 3, rng)), TimeRnn::new(RnnCell::new(3, 3, rng))]),
            k,
        ),
        _ => scaled(Time::new(GruCell::new(2, 3, rng)).learn_initial(), k),
    }
}

fn scaled(mut layer: impl Layer<f64>, k: f64) -> Result<Report, Error> {
    for (_, param) in layer.named_params() {
        param.set(param.value() * k).unwrap();
    }
    Check::new().layer(&mut layer)
}

fn attention(of: impl Attention<f64>, k: f64) -> Result<Report, Error> {
    let rng = &mut StdRng::seed_from_u64(4);
    let params: Vec<Param<f64>> = of.named_params().into_iter().map(|(_, param)| param).collect();
    Check::new()
        .input("states", normal([2, 4, 3], k, rng))
        .input("queries", normal([2, 3, 3], k, rng))
        .params(&params)
        .run(|_, x| {
            let options = SequenceOptions::new();
            let attended = of.attend(&x["states"], &x["queries"], &options)?;
            Ok([("context", attended.context), ("weights", attended.weights)].into())
        })
}

/// A recurrent network and its backward pass by hand, at weights times `k`.
fn by_hand(k: f64) -> Result<Report, Error> {
    let rng = &mut StdRng::seed_from_u64(4);
    let [wx, wh] =
        [("Wx", 3), ("Wh", 4)].map(|(name, d)| Param::new(name, normal([d, 4], k / (d as f64).sqrt(), rng)));
    Check::new()
        .input("xs", normal([2, 5, 3], 1.0, rng))
        .input("h_prev", normal([2, 4], 0.5, rng))
        .params([&wx, &wh])
        .time_axis("xs", 1)
        .compare(
            |_, x| {
                let step = |h, step| (x["xs"].select(1, step).matmul(&wx) + h).tanh();
                let h = (0..5).fold(x["h_prev"].clone(), |h, i| step(h.matmul(&wh), i));
                Ok([("h", h)].into())
            },
            |x, dy| {
                let mut h = vec![x["h_prev"].clone()];
                for i in 0..5 {
                    h.push((h[i].matmul(&x["Wh"]) + x["xs"].select(1, i).matmul(&x["Wx"])).tanh());
                }
                let [mut dwx, mut dwh] = ["Wx", "Wh"].map(|name| Tensor::zeros(x[name].shape()));
                let (mut dh, mut dxs) = (dy["h"].clone(), Vec::new());
                for i in (0..5).rev() {
                    let dt = dh * (1.0 - &h[i + 1]) * (1.0 + &h[i + 1]);
                    dwx += &x["xs"].select(1, i).t().matmul(&dt);
                    dwh += &h[i].t().matmul(&dt);
                    dxs.insert(0, dt.matmul(&x["Wx"].t()));
                    dh = dt.matmul(&x["Wh"].t());
                }
                let dxs = Tensor::stack(&dxs.iter().collect::<Vec<_>>(), 1);
                Ok([("xs", dxs), ("h_prev", dh), ("Wx", dwx), ("Wh", dwh)].into())
            },
        )
}

pub(super) const CASES: &[Case] = &[
    ("rnn at weights x 8", || one_line(0, 0, 8.0)),
    ("lstm at weights x 8", || one_line(1, 0, 8.0)),
    ("gru at weights x 8", || one_line(2, 0, 8.0)),
    ("gru, reset before, at weights x 4", || one_line(3, 0, 4.0)),
    ("mgu at weights x 8", || one_line(4, 0, 8.0)),
    ("peephole lstm at weights x 8", || one_line(5, 0, 8.0)),
    ("layer norm lstm at weights x 8", || one_line(6, 0, 8.0)),
    ("bidirectional gru at weights x 4", || one_line(7, 0, 4.0)),
    ("residual gru", || one_line(8, 2, 1.0)),
    ("lstm and linear at weights x 8", || one_line(9, 0, 8.0)),
    ("stacked rnn at weights x 8", || one_line(10, 0, 8.0)),
    ("learned initial state at weights x 4", || one_line(11, 0, 4.0)),
    // Rounding that grows from step to step, and two numbers of a tableau that agree by chance.
    ("a chaotic rnn", || one_line(0, 15, 8.0)),
    ("a layer norm lstm of a small variance", || one_line(6, 17, 4.0)),
    ("a layer norm lstm, saturated", || one_line(6, 1, 8.0)),
    ("stacked rnn, saturated", || one_line(10, 3, 4.0)),
    ("a logistic map of 25 steps", || {
        expression!("x" = Tensor::from([0.3, 0.61]);
            |x| (0..25).fold(x["x"].clone(), |x, _| &x * (1.0 - &x) * 3.9))
    }),
    ("sixty steps of a Lorenz system", || {
        expression!("x" = Tensor::from([1.0, 2.0, 20.0]); |x| (0..60).fold(x["x"].clone(), |x, _| {
            let [a, b, c] = [0, 1, 2].map(|i| x.narrow(0, i, 1));
            let slope = [(&b - &a) * 10.0, &a * (28.0 - &c) - &b, &a * &b - &c * (8.0 / 3.0)];
            x + Var::concat(&slope, 0) * 0.02
        }))
    }),
    ("roots by Newton", || {
        expression!("x" = Tensor::from([2.0, 1e-4, 900.0]);
            |x| (0..20).fold(&x["x"] * 0.5 + 0.5, |y, _| (&y + &x["x"] / &y) * 0.5))
    }),
    ("an eigenvector by eight powers", || {
        expression!("a" = normal([3, 3], 1.0, &mut StdRng::seed_from_u64(12));
        |x| (0..8).fold(x["a"].sum_axes(&[1], true), |v, _| {
            let v = x["a"].matmul(&v);
            let norm = v.square().sum().sqrt();
            v / norm
        }))
    }),
    ("dot attention", || attention(DotAttention::new(), 1.0)),
    ("dot attention at states x 4", || attention(DotAttention::new(), 4.0)),
    ("additive attention at states x 4", || {
        attention(AdditiveAttention::new(3, 3, 5, &mut StdRng::seed_from_u64(2)), 4.0)
    }),
    ("cross entropy of logits of 20", || {
        let logits = Tensor::from([[20.0, 0.0, -3.0], [0.5, 19.0, 21.0], [-20.0, 20.0, 0.1]]);
        let targets = Tensor::from_vec(vec![0_usize, 1, 0], [3]).unwrap();
        Check::new()
            .input("logits", logits)
            .run(|_, x| Ok([("loss", cross_entropy(&x["logits"], &targets)?)].into()))
    }),
    ("a pass by hand", || by_hand(1.0)),
    ("a pass by hand at weights x 4", || by_hand(4.0)),
    ("a pass by hand at weights x 8", || by_hand(8.0)),
    ("twenty steps of an rnn", || {
        let mut rnn = Time::new(RnnCell::new(2, 3, &mut StdRng::seed_from_u64(3)));
        let xs = normal([1, 20, 2], 1.0, &mut StdRng::seed_from_u64(4));
        Check::new().input("xs", xs).input("h_prev", Tensor::zeros([1, 3])).layer(&mut rnn)
    }),
];

/// A few seeds of every kind and scale; all of them are in the test below.
#[test]
fn one_line_checks_are_green() {
    green(0..1);
}

/// `cargo test --release -p retrograde-check --test suite six_hundred -- --ignored`
#[test]
#[ignore = "takes minutes; the test above has a few of these"]
fn six_hundred_one_line_checks_are_green() {
    green(1..18);
}

/// `cargo test --release -p retrograde-check --test suite the_books_own_line -- --ignored`
#[test]
#[ignore = "takes minutes"]
fn the_books_own_line_is_green_for_two_hundred_seeds() {
    let (mut reported, mut count) = (Vec::new(), 0);
    for seed in 0..200 {
        for k in [1.0, 4.0, 8.0] {
            count += 1;
            let report = one_line(0, seed, k).unwrap();
            if !report.is_ok() {
                reported.push(format!("seed {seed}, weights x {k}: {report}"));
            }
        }
    }
    assert!(reported.is_empty(), "{} of {count}:\n{}", reported.len(), reported.join("\n"));
}

fn green(seeds: std::ops::Range<u64>) {
    let (mut reported, mut count) = (Vec::new(), 0);
    for (kind, seed) in (0..KINDS).flat_map(|kind| seeds.clone().map(move |seed| (kind, seed))) {
        for k in [1.0, 4.0, 8.0] {
            count += 1;
            let report = one_line(kind, seed, k).unwrap();
            if !report.is_ok() {
                reported.push(format!("kind {kind}, seed {seed}, weights x {k}: {report}"));
            }
        }
    }
    assert!(reported.is_empty(), "{} of {count}:\n{}", reported.len(), reported.join("\n"));
}
