//! Derivatives that cancel: rounding is more of them than usual, up to all.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Var};
use retrograde_check::Check;
use retrograde_nn::LayerNorm;
use retrograde_tensor::Tensor;

use super::{Case, expression};
use crate::layers::normal;

fn rng() -> StdRng {
    StdRng::seed_from_u64(5)
}

/// Rows of mean 0 and variance 1, without gain and bias.
fn normalised<'t>(x: &Var<'t, f64>, eps: f64) -> Var<'t, f64> {
    let centred = x - x.mean_axes(&[1], true);
    let variance = centred.square().mean_axes(&[1], true);
    centred / (variance + eps).sqrt()
}

pub(super) const CASES: &[Case] = &[
    ("saturated tanh", || expression!("x" = Tensor::from([6.0, 9.0, -12.0, 16.0]); |x| x["x"].tanh())),
    (
        "saturated sigmoid",
        || expression!("x" = Tensor::from([15.0, 30.0, -20.0, 36.5]); |x| x["x"].sigmoid()),
    ),
    ("tanh of tanh of tanh", || {
        expression!("x" = Tensor::from([0.1, 4.0, -7.0]);
            |x| (0..12).fold(x["x"].clone(), |x, _| (x * 1.8).tanh()))
    }),
    ("steep sigmoid", || expression!("x" = Tensor::from([0.1, -0.25, 0.3]); |x| (&x["x"] * 100.0).sigmoid())),
    ("softmax of logits of 20", || {
        expression!("x" = Tensor::from([[20.0, 0.0, -3.0], [0.5, 19.0, 21.0], [-20.0, 20.0, 0.1]]);
            |x| x["x"].softmax(1))
    }),
    (
        "log softmax of logits of 20",
        || expression!("x" = Tensor::from([[20.0, 0.0, -3.0], [0.5, 19.0, 21.0]]); |x| x["x"].log_softmax(1)),
    ),
    (
        "logsumexp of logits of 30",
        || expression!("x" = Tensor::from([[30.0, 0.0, -3.0], [0.5, 29.0, 30.0]]); |x| x["x"].logsumexp(1, false)),
    ),
    (
        "ln of softmax",
        || expression!("x" = Tensor::from([[12.0, 0.0, -3.0], [0.5, 9.0, 11.0]]); |x| x["x"].softmax(1).ln()),
    ),
    ("a shift before softmax", || {
        expression!("x" = normal([2, 3], 1.0, &mut rng()), "shift" = Tensor::from([[0.5], [-0.8]]);
            |x| (&x["x"] + &x["shift"]).softmax(1))
    }),
    ("key bias of attention", || {
        let rng = &mut rng();
        let [q, k, v] = [(); 3].map(|()| normal([3, 4], 1.0, rng));
        expression!("q" = q, "k" = k, "v" = v, "b" = normal([4], 1.0, rng); |x| {
            let scores = x["q"].matmul((&x["k"] + &x["b"]).t()) * 0.5;
            scores.softmax(1).matmul(&x["v"])
        })
    }),
    ("attention that looks at one place", || {
        let rng = &mut rng();
        let [q, k, v] = [(); 3].map(|()| normal([3, 4], 3.0, rng));
        expression!("q" = q, "k" = k, "v" = v; |x| x["q"].matmul(x["k"].t()).softmax(1).matmul(&x["v"]))
    }),
    ("layer norm of 2 features", || {
        let norm = LayerNorm::new(2);
        Check::new()
            .input("x", normal([4, 2], 1.0, &mut rng()))
            .params([&norm.gain, &norm.b])
            .run(|_, x| Ok([("y", norm.forward(&x["x"])?)].into()))
    }),
    (
        "layer norm of 2 large features",
        || expression!("x" = normal([4, 2], 300.0, &mut rng()); |x| normalised(&x["x"], 1e-5)),
    ),
    ("layer norm of nearly equal features", || {
        let x = normal([3, 4], 1e-4, &mut rng()) + 2.0;
        expression!("x" = x; |x| normalised(&x["x"], 1e-5))
    }),
    ("gain before a layer norm", || {
        expression!("x" = normal([3, 5], 1.0, &mut rng()), "gain" = Tensor::from([[1.5], [0.2], [30.0]]);
            |x| normalised(&(&x["x"] * &x["gain"]), 0.0))
    }),
    ("bias before a layer norm", || {
        expression!("x" = normal([3, 5], 1.0, &mut rng()), "b" = Tensor::from([[1.5], [0.2], [-3.0]]);
            |x| normalised(&(&x["x"] + &x["b"]), 1e-5))
    }),
    ("bias before a batch norm", || {
        expression!("x" = normal([6, 3], 1.0, &mut rng()), "b" = normal([3], 1.0, &mut rng());
            |x| normalised(&(&x["x"] + &x["b"]).t(), 1e-5))
    }),
    ("scale before a unit vector", || {
        expression!("x" = normal([2, 4], 1.0, &mut rng()), "s" = Tensor::from([[2.0], [0.3]]); |x| {
            let x = &x["x"] * &x["s"];
            let norm = x.square().sum_axes(&[1], true).sqrt();
            x / norm
        })
    }),
    ("cosine of nearly parallel vectors", || {
        let a = normal([3, 5], 1.0, &mut rng());
        let b = &a * 2.0 + normal([3, 5], 1e-4, &mut StdRng::seed_from_u64(9));
        expression!("a" = a, "b" = b; |x| {
            let dot = (&x["a"] * &x["b"]).sum_axes(&[1], false);
            let norms = x["a"].square().sum_axes(&[1], false) * x["b"].square().sum_axes(&[1], false);
            dot / norms.sqrt()
        })
    }),
    ("variance as a difference of moments", || {
        expression!("x" = normal([2, 6], 1.0, &mut rng()) + 1000.0; |x| {
            x["x"].square().mean_axes(&[1], false) - x["x"].mean_axes(&[1], false).square()
        })
    }),
    ("terms that cancel identically", || {
        expression!("x" = normal([4], 1.0, &mut rng()), "y" = normal([4], 1.0, &mut rng());
            |x| (&x["x"] + &x["y"]).square() - x["x"].square() - x["y"].square() - &x["x"] * &x["y"] * 2.0 + &x["x"])
    }),
    (
        "an offset that comes and goes",
        || expression!("x" = Tensor::from([0.3, -1.2]); |x| ((&x["x"] + 1e6) - 1e6).square()),
    ),
    ("ones from tanh and sigmoid", || {
        let w = Param::new("W", normal([3, 3], 12.0, &mut rng()));
        Check::new()
            .input("x", normal([4, 3], 1.0, &mut rng()))
            .params([&w])
            .run(|_, x| Ok([("y", x["x"].matmul(&w).tanh().matmul(&w).sigmoid())].into()))
    }),
    ("gelu far out", || {
        expression!("x" = Tensor::from([-6.0, -3.0, 0.0, 2.0, 5.0]); |x| {
            let x = &x["x"];
            x * ((x + x.square() * x * 0.044_715) * 0.797_884_560_8).tanh() * 0.5 + x * 0.5
        })
    }),
    (
        "softplus far out",
        || expression!("x" = Tensor::from([-40.0, -3.0, 0.0, 2.0, 35.0]); |x| x["x"].softplus()),
    ),
    ("entropy of probabilities from logits of 15", || {
        expression!("x" = Tensor::from([[15.0, 0.0, -3.0], [0.5, 9.0, 11.0]]); |x| {
            let (p, log) = (x["x"].softmax(1), x["x"].log_softmax(1));
            -(p * log).sum_axes(&[1], false)
        })
    }),
    (
        "a difference of near exponentials",
        || expression!("x" = Tensor::from([1e-5, -3e-4, 0.5]); |x| (x["x"].exp() - (-&x["x"]).exp()) / &x["x"]),
    ),
    ("a hand-written tanh by its inverse square", || {
        Check::new().input("x", Tensor::from([0.2, 5.0, -9.0, 14.0])).compare(
            |_, x| Ok([("y", x["x"].tanh())].into()),
            |x, dy| Ok([("x", &dy["y"] * &x["x"].map(|x| x.cosh().powi(-2)))].into()),
        )
    }),
    ("a hand-written softmax loss", || {
        let logits = Tensor::from([[20.0, 0.0, -3.0], [0.5, 19.0, 21.0], [0.1, 0.2, -0.4]]);
        let target = Tensor::from([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);
        Check::new().input("x", logits).compare(
            |_, x| Ok([("loss", -(x["x"].softmax(1).ln() * &target).sum_axes(&[1], false))].into()),
            |x, dy| Ok([("x", (x["x"].softmax(1) - &target) * &dy["loss"].unsqueeze(1))].into()),
        )
    }),
    ("a hand-written variance by moments", || {
        Check::new().input("x", normal([2, 6], 1.0, &mut rng()) + 50.0).compare(
            |_, x| {
                let centred = &x["x"] - x["x"].mean_axes(&[1], true);
                Ok([("y", centred.square().mean_axes(&[1], true).ln())].into())
            },
            |x, dy| {
                let mean = x["x"].mean_axes(&[1], true);
                let variance = x["x"].square().mean_axes(&[1], true) - mean.square();
                Ok([("x", (&x["x"] - &mean) * 2.0 / 6.0 / variance * &dy["y"])].into())
            },
        )
    }),
];
