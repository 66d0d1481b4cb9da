//! Backward passes by hand that are wrong in one place: of gates, norms, attention, rows and resets.

use retrograde::autograd::{Param, Var};
use retrograde_check::{Array, Check, Named};
use retrograde_tensor::Tensor;

use crate::kinds::{Outcome, rng};
use crate::zoo::normal;

fn sigmoid_slope(y: &Tensor<f64>) -> Tensor<f64> {
    y * &(1.0 - y)
}

/// `y = norm(x)`, its backward pass without the term of the mean, the variance or `eps`.
pub(crate) fn layer_norm(variance: bool, eps: f64) -> Outcome {
    Check::new().input("x", normal([3, 4], 0.1, &mut rng())).compare(
        |_, x| {
            let centred = &x["x"] - x["x"].mean_axes(&[1], true);
            Ok([("y", &centred / (centred.square().mean_axes(&[1], true) + 1e-3).sqrt())].into())
        },
        |x, dy| {
            let centred = &x["x"] - &x["x"].mean_axes(&[1], true);
            let std = (centred.square().mean_axes(&[1], true) + eps).sqrt();
            let (y, dy) = (&centred / &std, &dy["y"]);
            let mut dx = dy - &dy.mean_axes(&[1], true);
            if variance {
                dx = dx - &y * &(dy * &y).mean_axes(&[1], true);
            }
            Ok([("x", dx / &std)].into())
        },
    )
}

/// One gate of an LSTM, `c = f ⊙ c_prev + i ⊙ g`, whose backward pass is wrong where `wrong` says so.
pub(crate) fn gates(own_derivative: bool, candidate: bool) -> Outcome {
    let rng = &mut rng();
    let [tf, ti, tg, c] = [(); 4].map(|()| normal([2, 3], 1.0, rng));
    Check::new().input("tf", tf).input("ti", ti).input("tg", tg).input("c_prev", c).compare(
        |_, x| {
            let c = x["tf"].sigmoid() * &x["c_prev"] + x["ti"].sigmoid() * x["tg"].tanh();
            Ok([("c", c)].into())
        },
        move |x, dy| {
            let (f, i, g) = (x["tf"].sigmoid(), x["ti"].sigmoid(), x["tg"].tanh());
            let dc = &dy["c"];
            let di = dc * &g;
            let di = if own_derivative { di * sigmoid_slope(&i) } else { di };
            let dg = dc * &i * if candidate { 1.0 - g.square() } else { Tensor::ones([2, 3]) };
            let df = dc * &x["c_prev"] * sigmoid_slope(&f);
            Ok([("tf", df), ("ti", di), ("tg", dg), ("c_prev", dc * &f)].into())
        },
    )
}

/// `h = z h_prev + (1 - z) n`, `n = tanh(r (h_prev · W))`: the path of the candidate to the past state is lost, or its reset gate.
pub(crate) fn gru(past: bool, reset: bool) -> Outcome {
    let rng = &mut rng();
    let [z, r, h] = [(); 3].map(|()| normal([2, 3], 1.0, rng));
    let w = Param::new("W", normal([3, 3], 0.6, rng));
    Check::new().input("z", z).input("r", r).input("h_prev", h).params([&w]).compare(
        |_, x| {
            let n = (x["r"].sigmoid() * x["h_prev"].matmul(&w)).tanh();
            let z = x["z"].sigmoid();
            Ok([("h", &z * (&x["h_prev"] - &n) + n)].into())
        },
        |x, dy| {
            let (z, r, h_prev) = (x["z"].sigmoid(), x["r"].sigmoid(), &x["h_prev"]);
            let t = h_prev.matmul(&x["W"]);
            let n = (&r * &t).tanh();
            let dt = &dy["h"] * &(1.0 - &z) * (1.0 - n.square());
            let dz = &dy["h"] * &(h_prev - &n) * sigmoid_slope(&z);
            let dr = &dt * &t * if reset { sigmoid_slope(&r) } else { Tensor::zeros([2, 3]) };
            let dn = &dt * &r;
            let mut dh = &dy["h"] * &z;
            if past {
                dh = dh + dn.matmul(&x["W"].t());
            }
            Ok([("z", dz), ("r", dr), ("h_prev", dh), ("W", h_prev.t().matmul(&dn))].into())
        },
    )
}

/// Weights of an attention, without the sum of the softmax's derivative.
pub(crate) fn attention() -> Outcome {
    let rng = &mut rng();
    let [q, k, v] = [(); 3].map(|()| normal([3, 4], 1.0, rng));
    Check::new().input("q", q).input("k", k).input("v", v).compare(
        |_, x| Ok([("y", x["q"].matmul(x["k"].t()).softmax(1).matmul(&x["v"]))].into()),
        |x, dy| {
            let a = x["q"].matmul(&x["k"].t()).softmax(1);
            let da = dy["y"].matmul(&x["v"].t());
            let ds = &a * &da; // without - a Σ a da
            let gradients =
                [("q", ds.matmul(&x["k"])), ("k", ds.t().matmul(&x["q"])), ("v", a.t().matmul(&dy["y"]))];
            Ok(gradients.into())
        },
    )
}

/// Causal self-attention, of which the backward pass forgets the scale of the scores, or the path through the values.
pub(crate) fn causal(scale: bool, values: bool) -> Outcome {
    let rng = &mut rng();
    let later = Tensor::from_fn([4, 4], |at| if at[1] <= at[0] { 0.0 } else { -1e30 });
    let x = normal([4, 3], 1.0, rng);
    let [q, k, v] = [(); 3].map(|()| normal([3, 3], 1.0, rng));
    let check = Check::new().input("x", x).input("Wq", q).input("Wk", k).input("Wv", v).time_axis("x", 0);
    check.compare(
        |_, x| {
            let [q, k, v] = ["Wq", "Wk", "Wv"].map(|w| x["x"].matmul(&x[w]));
            Ok([("y", (q.matmul(k.t()) * 0.5 + &later).softmax(1).matmul(v))].into())
        },
        |x, dy| {
            let [q, k, v] = ["Wq", "Wk", "Wv"].map(|w| x["x"].matmul(&x[w]));
            let a = (q.matmul(&k.t()) * 0.5 + &later).softmax(1);
            let da = dy["y"].matmul(&v.t());
            let ds = &a * &(&da - &(&a * &da).sum_axes(&[1], true)) * if scale { 0.5 } else { 1.0 };
            let (dq, dk, dv) = (ds.matmul(&k), ds.t().matmul(&q), a.t().matmul(&dy["y"]));
            let mut dx = dq.matmul(&x["Wq"].t()) + dk.matmul(&x["Wk"].t());
            if values {
                dx = dx + dv.matmul(&x["Wv"].t());
            }
            let xt = x["x"].t();
            Ok([("x", dx), ("Wq", xt.matmul(&dq)), ("Wk", xt.matmul(&dk)), ("Wv", xt.matmul(&dv))].into())
        },
    )
}

/// A convolution over time of three taps, two steps apart, as a black box that loses the last tap of the last step.
pub(crate) fn convolution() -> Outcome {
    let rng = &mut rng();
    let taps = |t: usize| (0..3).filter(move |k| 2 * k <= t).map(move |k| (k, t - 2 * k));
    let sum = move |p: &Named<Array>, t| taps(t).map(|(k, at)| p["w"][k] * p["x"][at]).sum::<f64>();
    Check::new().input("x", normal([7], 1.0, rng)).input("w", normal([3], 1.0, rng)).black_box(
        move |p| Ok([("y", (0..7).map(|t| sum(p, t).sin()).collect::<Vec<_>>().into())].into()),
        move |p, dy| {
            let (mut dx, mut dw) = (vec![0.0; 7], vec![0.0; 3]);
            for t in 0..7 {
                let dt = dy["y"][t] * sum(p, t).cos();
                for (k, at) in taps(t) {
                    dw[k] += dt * p["x"][at];
                    dx[at] += if (t, k) == (6, 2) { 0.0 } else { dt * p["w"][k] };
                }
            }
            Ok([("x", dx.into()), ("w", dw.into())].into())
        },
    )
}

/// A mean over rows of 4, 1 and 3 steps, its backward pass over all 4.
pub(crate) fn ragged() -> Outcome {
    let lengths = Tensor::from([[4.0], [1.0], [3.0]]);
    let mask = Tensor::from_fn([3, 4], |at| f64::from(u8::from((at[1] as f64) < lengths.at(&[at[0], 0]))));
    Check::new().input("xs", normal([3, 4], 1.0, &mut rng())).time_axis("xs", 1).compare(
        |_, x| Ok([("y", (x["xs"].tanh() * &mask).sum_axes(&[1], true) / &lengths)].into()),
        |x, dy| Ok([("xs", (1.0 - x["xs"].tanh().square()) * &mask * &dy["y"] / 4.0)].into()),
    )
}

/// A sum over the steps that count, whose backward pass does not know which do, or forgets a reset.
pub(crate) fn rows(leak: bool) -> Outcome {
    let mask = Tensor::from([[1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0]]);
    let w = Tensor::from([0.3, -0.8, 0.5, 1.2]);
    Check::new().input("xs", normal([2, 4], 1.0, &mut rng())).time_axis("xs", 1).compare(
        |_, x| Ok([("y", (x["xs"].square() * &mask * &w).sum_axes(&[1], true))].into()),
        |x, dy| {
            let dx = &x["xs"] * 2.0 * &w * &dy["y"];
            Ok([("xs", if leak { dx } else { dx * &mask })].into())
        },
    )
}

/// Two steps of `h = tanh(h + x)`, where the state of the second row is reset before the second step.
pub(crate) fn reset() -> Outcome {
    let keep = Tensor::from([[1.0], [0.0]]);
    Check::new()
        .input("h_prev", normal([2, 3], 1.0, &mut rng()))
        .input("x", normal([2, 3], 1.0, &mut rng()))
        .compare(
            |_, x| {
                let h = (&x["h_prev"] + &x["x"]).tanh();
                Ok([("h", (h * &keep + &x["x"]).tanh())].into())
            },
            |x, dy| {
                let h1 = (&x["h_prev"] + &x["x"]).tanh();
                let h2 = (&h1 * &keep + &x["x"]).tanh();
                let d2 = &dy["h"] * &(1.0 - h2.square());
                let d1 = &d2 * &(1.0 - h1.square()); // past the reset
                Ok([("h_prev", d1.clone()), ("x", d1 + d2)].into())
            },
        )
}

/// A learned initial state that is repeated over the batch, and gets the gradient of its first row.
pub(crate) fn learned() -> Outcome {
    let h0 = Param::new("h_prev", normal([1, 3], 1.0, &mut rng()));
    Check::new().input("x", normal([4, 3], 1.0, &mut rng())).params([&h0]).compare(
        |_, x| Ok([("h", (&x["x"] + &h0).tanh())].into()),
        |x, dy| {
            let dt = &dy["h"] * &(1.0 - (&x["x"] + &x["h_prev"]).tanh().square());
            Ok([("h_prev", dt.narrow(0, 0, 1)), ("x", dt)].into())
        },
    )
}

/// An encoder and a decoder that share `W`, of which one use is lost.
pub(crate) fn tied() -> Outcome {
    let w = Param::new("W", normal([3, 4], 0.5, &mut rng()));
    Check::new().input("x", normal([2, 3], 1.0, &mut rng())).params([&w]).compare(
        |tape, x| Ok([("y", x["x"].matmul(&w).tanh().matmul(tape.param(&w).t()))].into()),
        |x, dy| {
            let h = x["x"].matmul(&x["W"]).tanh();
            let dh = dy["y"].matmul(&x["W"]);
            let dt = dh * (1.0 - h.square());
            Ok([("W", dy["y"].t().matmul(&h)), ("x", dt.matmul(&x["W"].t()))].into())
        },
    )
}

/// Both directions side by side, whose cotangents are taken from the other half.
pub(crate) fn halves() -> Outcome {
    let rng = &mut rng();
    let [a, b] = ["forwards", "backwards"].map(|name| Param::new(name, normal([3, 2], 0.5, rng)));
    Check::new().input("x", normal([4, 3], 1.0, rng)).params([&a, &b]).compare(
        |_, x| Ok([("hs", Var::concat(&[x["x"].matmul(&a), x["x"].matmul(&b)], 1))].into()),
        |x, dy| {
            let [da, db] = [2, 0].map(|start| dy["hs"].narrow(1, start, 2));
            let dx = da.matmul(&x["forwards"].t()) + db.matmul(&x["backwards"].t());
            let xt = x["x"].t();
            Ok([("x", dx), ("forwards", xt.matmul(&da)), ("backwards", xt.matmul(&db))].into())
        },
    )
}

/// `tanh`, its backward pass changed.
pub(crate) fn tanh(x: Tensor<f64>, change: impl Fn(&Tensor<f64>) -> Tensor<f64>) -> Outcome {
    Check::new().input("x", x).compare(
        |_, x| Ok([("y", x["x"].tanh())].into()),
        |x, dy| Ok([("x", change(&dy["y"]) * (1.0 - x["x"].tanh().square()))].into()),
    )
}

/// The notebook's `dh_prev = xᵀ·dt`, which has the right shape where N = D, whatever H, and is broadcast where D = 1.
pub(crate) fn notebook([n, d, h]: [usize; 3]) -> Outcome {
    let rng = &mut rng();
    let [wx, wh] =
        [("Wx", [d, h]), ("Wh", [h, h])].map(|(name, shape)| Param::new(name, normal(shape, 0.6, rng)));
    let [x, h0] = [normal([n, d], 1.0, rng), normal([n, h], 0.5, rng)];
    Check::new().input("x", x).input("h_prev", h0).params([&wx, &wh]).compare(
        |_, x| Ok([("h", (x["h_prev"].matmul(&wh) + x["x"].matmul(&wx)).tanh())].into()),
        |x, dy| {
            let t = x["h_prev"].matmul(&x["Wh"]) + x["x"].matmul(&x["Wx"]);
            let dt = &dy["h"] * &(1.0 - t.tanh().square());
            let xt = x["x"].t();
            let dh = xt.matmul(&dt).broadcast_to(x["h_prev"].shape());
            let (dwx, dwh) = (xt.matmul(&dt), x["h_prev"].t().matmul(&dt));
            Ok([("x", dt.matmul(&x["Wx"].t())), ("h_prev", dh), ("Wx", dwx), ("Wh", dwh)].into())
        },
    )
}
