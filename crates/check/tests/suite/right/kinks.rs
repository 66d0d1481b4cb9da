//! Functions that are not smooth, or that vary on a scale far below 1.

use std::f64::consts::PI;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::Param;
use retrograde_check::Check;
use retrograde_tensor::Tensor;

use super::{Case, expression};
use crate::layers::normal;

fn rng() -> StdRng {
    StdRng::seed_from_u64(6)
}

pub(super) const CASES: &[Case] = &[
    ("a sine of 64 periods", || expression!("x" = Tensor::from([0.3]); |x| (&x["x"] * (128.0 * PI)).sin())),
    (
        "a sine of 16 periods at 0",
        || expression!("x" = Tensor::from([0.0, 0.5, 1.0]); |x| (&x["x"] * (32.0 * PI)).sin()),
    ),
    ("Fourier features", || {
        let octaves = Tensor::from_fn([1, 10], |at| PI * 2.0_f64.powi(at[1] as i32));
        expression!("x" = Tensor::from([[0.3], [0.77], [-0.5]]); |x| {
            let angles = x["x"].matmul(&octaves);
            angles.sin() + angles.cos()
        })
    }),
    ("a cosine of large angles", || expression!("x" = Tensor::from([1e4, -3e5, 7.0]); |x| x["x"].cos())),
    (
        "a steep tanh off its middle",
        || expression!("x" = Tensor::from([0.01, -0.002, 1.0]); |x| (&x["x"] * 1000.0).tanh()),
    ),
    (
        "a narrow bell",
        || expression!("x" = Tensor::from([0.301, 0.3, 0.299]); |x| (-((&x["x"] - 0.3) * 1e4).square()).exp()),
    ),
    ("relu at 1e-6", || expression!("x" = Tensor::from([1e-6, 1.0]); |x| x["x"].relu())),
    ("relu at -1e-7 and 1e-8", || expression!("x" = Tensor::from([-1e-7, 1e-8, 1.0]); |x| x["x"].relu())),
    (
        "relu at 1e-6 inside",
        || expression!("x" = Tensor::from([1.0 + 1e-6, 0.3]); |x| ((&x["x"] - 1.0) * 3.0).relu()),
    ),
    ("abs at 1e-5", || expression!("x" = Tensor::from([-1e-5, 0.7]); |x| x["x"].abs() * &x["x"].abs())),
    ("a maximum of near terms", || {
        expression!("a" = Tensor::from([1.0, 0.2]), "b" = Tensor::from([1.0 + 1e-6, -0.3]);
            |x| x["a"].maximum(&x["b"]).square())
    }),
    (
        "a maximum over an axis, near ties",
        || expression!("x" = Tensor::from([[0.5, 0.5 + 1e-6, 0.1], [2.0, -1.0, 0.3]]); |x| x["x"].max_axes(&[1], false)),
    ),
    (
        "clamp near its bounds",
        || expression!("x" = Tensor::from([-1.0 + 1e-6, 1.0 - 1e-5, 0.3, 2.0]); |x| x["x"].clamp(-1.0, 1.0).square()),
    ),
    (
        "leaky relu near 0",
        || expression!("x" = Tensor::from([1e-6, -1e-5, 0.4]); |x| x["x"].maximum(&x["x"] * 0.01)),
    ),
    (
        "relu at 0 exactly",
        || expression!("x" = Tensor::from([[0.0, 1.0], [-0.5, 0.0], [0.3, 0.0]]); |x| x["x"].relu()),
    ),
    ("Huber's loss near its threshold", || {
        expression!("x" = Tensor::from([1.0 - 1e-6, 1.0 + 1e-5, 0.2, -3.0]); |x| {
            let size = x["x"].abs();
            let small = size.clamp(0.0, 1.0);
            small.square() * 0.5 + (size - small)
        })
    }),
    ("a relu network of ten thousand", || {
        let w = Param::new("W", normal([100, 100], 0.14, &mut rng()));
        let v = Param::new("V", normal([100, 2], 0.1, &mut rng()));
        Check::new()
            .input("x", normal([3, 100], 1.0, &mut rng()))
            .params([&w, &v])
            .full_jacobian(false)
            .run(|_, x| Ok([("y", x["x"].matmul(&w).relu().matmul(&v))].into()))
    }),
    ("ten thousand relus of one number", || {
        let at = normal([1, 10_000], 1.0, &mut rng());
        Check::new()
            .input("x", Tensor::from([0.1]))
            .full_jacobian(false)
            .run(|_, x| Ok([("y", (&x["x"] + &at).relu().mean())].into()))
    }),
    ("ten thousand inputs of relu, many 0", || {
        let x = normal([100, 100], 1.0, &mut rng()).map(|x| if x < 0.5 { 0.0 } else { x });
        let w = Param::new("w", normal([100, 1], 0.1, &mut rng()));
        Check::new()
            .input("x", x)
            .params([&w])
            .full_jacobian(false)
            .run(|_, x| Ok([("y", (x["x"].relu() * x["x"].abs()).matmul(&w).tanh())].into()))
    }),
    ("two layers of relu with zero biases on sparse inputs", || {
        let x = normal([4, 8], 1.0, &mut rng()).map(|x| if x < 0.3 { 0.0 } else { x });
        let [w, v] = [[8, 16], [16, 3]].map(|shape| Param::new("W", normal(shape, 0.4, &mut rng())));
        let [b, c] = [16, 3].map(|d| Param::new("b", Tensor::zeros([d])));
        Check::new().input("x", x).param("W", &w).param("b", &b).param("V", &v).param("c", &c).run(|_, x| {
            let h = (x["x"].matmul(&w) + &b).relu();
            Ok([("y", (h.matmul(&v) + &c).relu())].into())
        })
    }),
    ("dead relu", || {
        let b = Param::new("b", Tensor::from([-30.0, 0.2]));
        Check::new()
            .input("x", Tensor::from([[0.3, -0.4], [0.1, 0.9]]))
            .params([&b])
            .input("off", Tensor::from([[-50.0]]))
            .run(|_, x| Ok([("y", (&x["x"] + &b).sigmoid() + x["off"].relu())].into()))
    }),
    ("unused parameter", || {
        let unused = Param::new("unused", Tensor::ones([2]));
        Check::new()
            .input("x", Tensor::from([1.0, 2.0]))
            .params([&unused])
            .run(|_, x| Ok([("y", x["x"].tanh())].into()))
    }),
    ("a mask that hides a column", || {
        let mask = Tensor::from([[1.0, 0.0, 1.0]]);
        Check::new()
            .input("x", normal([2, 3], 1.0, &mut rng()))
            .time_axis("x", 1)
            .run(|_, x| Ok([("y", (&x["x"] * &mask).tanh())].into()))
    }),
    (
        "the maximum of equals",
        || expression!("x" = Tensor::from([[1.0, 1.0, 1.0, 0.2], [0.5, 0.5, 0.5, 0.5]]); |x| x["x"].max_axes(&[1], false)),
    ),
    ("the maximum of what relu cut off", || {
        expression!("x" = Tensor::from([[-1.0, -2.0, -0.5, 0.3], [0.5, 0.5, -0.1, 0.5]]);
            |x| x["x"].relu().max_axes(&[1], false))
    }),
    ("a choice by comparison", || {
        expression!("x" = Tensor::from([0.5, -0.3, 1e-5]); |x| {
            let x = &x["x"];
            x.square().where_mask(x.gt(0.0), -x)
        })
    }),
];
