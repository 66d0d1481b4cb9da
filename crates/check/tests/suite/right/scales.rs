//! Inputs and gradients of mixed sizes, and functions that are not defined everywhere.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::Param;
use retrograde_check::Check;
use retrograde_tensor::Tensor;

use super::{Case, expression};
use crate::layers::normal;

fn rng() -> StdRng {
    StdRng::seed_from_u64(7)
}

/// Refuses what is not positive.
fn positive(x: &Tensor<f64>) -> Result<(), String> {
    match x.iter().find(|x| *x <= 0.0) {
        Some(x) => Err(format!("expected a positive number, found {x}")),
        None => Ok(()),
    }
}

const MIXED: [f64; 3] = [1e-6, 1e6, 1.0];

pub(super) const CASES: &[Case] = &[
    ("squares of mixed sizes", || expression!("x" = Tensor::from(MIXED); |x| x["x"].square())),
    ("logarithms of mixed sizes", || expression!("x" = Tensor::from(MIXED); |x| x["x"].ln())),
    ("roots of mixed sizes", || expression!("x" = Tensor::from(MIXED); |x| x["x"].sqrt())),
    ("inverses of mixed sizes", || expression!("x" = Tensor::from(MIXED); |x| 1.0 / &x["x"])),
    ("ln of a sum of mixed sizes", || expression!("x" = Tensor::from(MIXED); |x| x["x"].sum().ln())),
    ("sines of mixed sizes", || expression!("x" = Tensor::from([1e-6, 1e3, 1.0]); |x| x["x"].sin())),
    ("factors of mixed sizes", || {
        let a = Tensor::from([1e5, 5e-4]);
        expression!("x" = Tensor::from([0.3, 0.7]); |x| (&x["x"] * &a).sum())
    }),
    ("factors of very mixed sizes", || {
        let a = Tensor::from([1e8, 1e-3, 1e-7, 1.0]);
        expression!("x" = Tensor::from([0.3, 0.7, -0.2, 1.5]); |x| (x["x"].tanh() * &a).sum())
    }),
    ("outputs of mixed sizes", || {
        Check::new().input("x", normal([4], 1.0, &mut rng())).run(|_, x| {
            Ok([("large", x["x"].exp() * 1e8), ("small", x["x"].tanh() * 1e-8), ("y", x["x"].sin())].into())
        })
    }),
    (
        "logarithms from 1e-12 to 1e12",
        || expression!("x" = Tensor::from([1e-12, 1e-9, 1e-3, 1.0, 1e6, 1e12]); |x| x["x"].ln()),
    ),
    ("a root near 0", || expression!("x" = Tensor::from([1e-10, 1e-14, 3.0]); |x| x["x"].sqrt())),
    (
        "numbers of 1e-30",
        || expression!("x" = normal([3], 1e-30, &mut rng()); |x| (&x["x"] * 1e30).tanh() * 1e-20),
    ),
    (
        "numbers of 1e30",
        || expression!("x" = normal([3], 1e30, &mut rng()); |x| (&x["x"] * 1e-30).tanh() * 1e20),
    ),
    ("a tiny gradient", || expression!("x" = Tensor::from([0.3, -0.8]); |x| x["x"].tanh() * 1e-200)),
    ("a huge gradient", || expression!("x" = Tensor::from([0.3, -0.8]); |x| x["x"].tanh() * 1e200)),
    (
        "a small part of a large sum",
        || expression!("x" = Tensor::from([0.3, -0.8]), "y" = Tensor::from([1e9]); |x| x["x"].sin() + &x["y"]),
    ),
    (
        "an exponential of 30",
        || expression!("x" = Tensor::from([0.5, 0.6, -0.3]); |x| (&x["x"] * 50.0).exp()),
    ),
    ("probabilities within 0 and 1", || {
        let check = Check::new().input("p", Tensor::from([1e-4, 0.5, 0.9999])).within("p", 0.0..=1.0);
        check.run(|_, x| {
            let (p, q) = (&x["p"], 1.0 - &x["p"]);
            Ok([("entropy", -(p * p.ln()) - &q * q.ln())].into())
        })
    }),
    ("probabilities at 0 and 1", || {
        let check = Check::new().input("p", Tensor::from([0.0, 0.5, 1.0])).within("p", 0.0..=1.0);
        check.run(|_, x| {
            if x["p"].value().iter().any(|p| !(0.0..=1.0).contains(&p)) {
                return Err("expected probabilities".into());
            }
            Ok([("y", x["p"].square() + (1.0 - &x["p"]).exp())].into())
        })
    }),
    ("durations, 0 among them", || {
        let check = Check::new()
            .input("dt", Tensor::from([[0.0], [1e-3], [2.0]]))
            .input("x", normal([3, 2], 1.0, &mut rng()))
            .within("dt", 0.0..);
        check.run(|_, x| {
            if x["dt"].value().iter().any(|dt| dt < 0.0) {
                return Err("expected durations".into());
            }
            Ok([("y", (-&x["dt"]).exp() * &x["x"])].into())
        })
    }),
    ("durations that nobody bounded", || {
        Check::new().input("dt", Tensor::from([1e-3, 2e-5, 2.0])).run(|_, x| {
            positive(x["dt"].value())?;
            Ok([("y", x["dt"].ln() + (-&x["dt"]).exp())].into())
        })
    }),
    ("a forward pass that panics outside of its domain", || {
        Check::new().input("x", Tensor::from([[1e-3, 0.4], [0.2, 3.0]])).run(|_, x| {
            positive(x["x"].value()).unwrap();
            Ok([("y", x["x"].sqrt().sum_axes(&[0], false))].into())
        })
    }),
    (
        "NaN outside of its domain",
        || expression!("x" = Tensor::from([0.999_999, -0.2, 1e-9]); |x| (1.0 - x["x"].square()).sqrt()),
    ),
    ("a largest step", || {
        let check = Check::new().input("x", Tensor::from([0.3, -0.4])).largest_step("x", 1e-3);
        check.run(|_, x| Ok([("y", (&x["x"] * 30.0).sin().exp())].into()))
    }),
    ("a positive parameter", || {
        let rate = Param::new("rate", Tensor::from([1e-4, 0.5, 20.0]));
        let check = Check::new().input("x", normal([2, 3], 1.0, &mut rng())).params([&rate]);
        check.within("rate", 0.0..).run(|tape, x| {
            positive(&rate.value())?;
            Ok([("y", tape.param(&rate).ln() * &x["x"])].into())
        })
    }),
    ("normalised tiny probabilities", || {
        let check =
            Check::new().input("p", Tensor::from([[1e-9, 1e-3, 2e-9], [3.0, 1e-6, 0.1]])).within("p", 0.0..);
        check.run(|_, x| Ok([("y", &x["p"] / x["p"].sum_axes(&[1], true))].into()))
    }),
    (
        "a norm of tiny numbers",
        || expression!("x" = normal([2, 3], 1e-7, &mut rng()); |x| x["x"].square().sum_axes(&[1], false).sqrt()),
    ),
    ("a gradient that vanishes and one that does not", || {
        expression!("x" = Tensor::from([0.3, 0.2]), "y" = Tensor::from([0.4, -0.7]);
            |x| (0..10).fold(x["x"].clone(), |h, _| (h * 0.01).tanh()) + x["y"].sin())
    }),
    ("a scalar", || expression!("x" = Tensor::scalar(0.7); |x| x["x"].exp().sin())),
    ("weights of mixed scales", || {
        let w = Param::new("W", Tensor::from([[1e3, 1e-3, 1.0], [1e-4, 5.0, 1e2]]));
        Check::new()
            .input("x", Tensor::from([[1e-3, 2.0], [0.5, 1e-2]]))
            .params([&w])
            .run(|_, x| Ok([("y", x["x"].matmul(&w).tanh())].into()))
    }),
    (
        "a loss that is a large sum",
        || expression!("x" = normal([30, 30], 1.0, &mut rng()); |x| x["x"].square().sum() + 1e4),
    ),
    ("powers", || {
        expression!("x" = Tensor::from([0.1, 2.0, 30.0]), "p" = Tensor::from([3.0, -2.5, 5.0]);
            |x| (x["x"].ln() * &x["p"]).exp())
    }),
];
