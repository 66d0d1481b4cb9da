//! Functions with backward passes of their own: in single precision, solved to a tolerance, of any layout.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Function, Param, Result};
use retrograde_check::{Array, Check, Error, Report};
use retrograde_tensor::Tensor;

use super::Case;
use crate::layers::normal;

/// `tanh(x0 · x1)`, computed in single precision, its backward pass scaled by a factor.
struct Single(f32);

fn single(x: &Tensor<f64>) -> Tensor<f32> {
    x.map(|x| x as f32)
}

fn double(x: &Tensor<f32>) -> Tensor<f64> {
    x.map(f64::from)
}

impl Function<f64> for Single {
    fn name(&self) -> &'static str {
        "single"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        Ok(double(&single(x[0]).matmul(&single(x[1])).tanh()))
    }
    fn backward(&self, x: &[&Tensor<f64>], y: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        let (a, b, y) = (single(x[0]), single(x[1]), single(y));
        let dt = single(dy) * (1.0 - y.square()) * self.0;
        vec![Some(double(&dt.matmul(&b.t()))), Some(double(&a.t().matmul(&dt)))]
    }
}

/// A check of it over sizes, with a loss that is a large sum, or without.
pub(crate) fn in_single(
    factor: f32,
    [n, d, h]: [usize; 3],
    large: bool,
) -> std::result::Result<Report, Error> {
    let rng = &mut StdRng::seed_from_u64(8);
    let w = Param::new("W", normal([d, h], 1.0 / (d as f64).sqrt(), rng));
    Check::new().input("x", normal([n, d], 1.0, rng)).params([&w]).run(|tape, x| {
        let y = tape.call(Arc::new(Single(factor)), &[&x["x"], &tape.param(&w)]);
        Ok([("y", if large { y.square().sum() + 30.0 } else { y })].into())
    })
}

/// A function of one input.
struct Of<F, B> {
    forward: F,
    backward: B,
}

impl<F, B> Function<f64> for Of<F, B>
where
    F: Fn(&Tensor<f64>) -> Tensor<f64> + Send + Sync,
    B: Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<f64>) -> Tensor<f64> + Send + Sync,
{
    fn name(&self) -> &'static str {
        "of"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        Ok((self.forward)(x[0]))
    }
    fn backward(&self, x: &[&Tensor<f64>], y: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        vec![Some((self.backward)(x[0], y, dy))]
    }
}

/// The check of a function of one input, by its forward and backward pass.
pub(crate) fn of<F, B>(x: Tensor<f64>, forward: F, backward: B) -> std::result::Result<Report, Error>
where
    F: Fn(&Tensor<f64>) -> Tensor<f64> + Send + Sync + 'static,
    B: Fn(&Tensor<f64>, &Tensor<f64>, &Tensor<f64>) -> Tensor<f64> + Send + Sync + 'static,
{
    let function: Arc<dyn Function<f64>> = Arc::new(Of { forward, backward });
    Check::new().input("x", x).run(|tape, x| Ok([("y", tape.call(function.clone(), &[&x["x"]]))].into()))
}

pub(super) const CASES: &[Case] = &[
    ("a product in single precision", || in_single(1.0, [3, 4, 5], false)),
    ("a large product in single precision", || in_single(1.0, [2, 40, 20], false)),
    ("a loss in single precision", || in_single(1.0, [3, 4, 5], true)),
    ("one number in single precision", || in_single(1.0, [1, 1, 1], false)),
    ("a single-precision exponential", || {
        of(Tensor::from([0.1, -2.0, 3.0]), |x| x.map(|x| f64::from((x as f32).exp())), |_, y, dy| dy * y)
    }),
    ("a single-precision norm", || {
        of(
            normal([3, 4], 1.0, &mut StdRng::seed_from_u64(1)) + 5.0,
            |x| {
                let x = single(x);
                let centred = &x - &x.mean_axes(&[1], true);
                double(&(&centred / &(centred.square().mean_axes(&[1], true) + 1e-5).sqrt()))
            },
            |x, _, dy| {
                let centred = x - &x.mean_axes(&[1], true);
                let std = (centred.square().mean_axes(&[1], true) + 1e-5).sqrt();
                let y = &centred / &std;
                let dx = dy - &dy.mean_axes(&[1], true) - &y * &(dy * &y).mean_axes(&[1], true);
                dx / std
            },
        )
    }),
    ("a cube root, iterated to 1e-10", || {
        of(
            Tensor::from([0.3, 2.0, 9.0]),
            |x| {
                x.map(|x| {
                    let mut y = x.max(1.0);
                    for _ in 0..100 {
                        let next = (2.0 * y + x / (y * y)) / 3.0;
                        if (next - y).abs() < 1e-5 * y {
                            return next;
                        }
                        y = next;
                    }
                    y
                })
            },
            |_, y, dy| dy / (y.square() * 3.0),
        )
    }),
    ("a logarithm of 1e-6", || of(Tensor::from([0.9, 1e-6, 1.3]), Tensor::ln, |x, _, dy| dy / x)),
    ("factors of mixed sizes by hand", || {
        let a = Tensor::from([1e5, 5e-4]);
        let b = a.clone();
        of(
            Tensor::from([0.3, 0.7]),
            move |x| (x * &a).sum_to([1]),
            move |x, _, dy| &b * &dy.broadcast_to(x.shape()),
        )
    }),
    ("softmax by hand", || {
        of(
            Tensor::from([[20.0, 0.1, -3.0], [0.2, 0.3, -0.5]]),
            |x| x.softmax(1),
            |_, y, dy| y * &(dy - &(dy * y).sum_axes(&[1], true)),
        )
    }),
    ("relu by hand near its kink", || {
        of(Tensor::from([1e-6, -1e-5, 2.0]), Tensor::relu, |x, _, dy| {
            dy * &x.map(|x| f64::from(u8::from(x > 0.0)))
        })
    }),
    ("rows in reverse order", || {
        of(
            normal([3, 2], 1.0, &mut StdRng::seed_from_u64(2)),
            |x| x.flip(0).contiguous(),
            |_, _, dy| dy.flip(0),
        )
    }),
    ("a kernel of rows", || {
        of(
            normal([3, 4], 1.0, &mut StdRng::seed_from_u64(3)),
            |x| {
                let x = x.contiguous();
                let rows = x.as_slice().unwrap().chunks(4).map(|row| row.iter().product());
                Tensor::from_vec(rows.collect(), [3]).unwrap()
            },
            |x, y, dy| (y * dy).unsqueeze(1) / x,
        )
    }),
];

/// 1 % is far beyond what single precision hides.
#[test]
fn what_is_wrong_by_a_percent_in_single_precision_is_reported() {
    for (sizes, large) in [([3, 4, 5], false), ([2, 40, 20], false), ([3, 4, 5], true), ([1, 1, 1], false)] {
        let report = in_single(1.01, sizes, large).unwrap();
        assert!(!report.is_ok(), "{sizes:?}: {report}");
        // Of a sum of doubles that they are part of, the noise is less.
        let said = "forward computes in 24 bits; tolerances 3e-4";
        assert!(large || report.to_string().contains(said), "{report}");
        assert!(report.bits().is_some_and(|bits| large || bits == 24), "{report}");
        assert!(in_single(0.99, sizes, large).is_ok_and(|report| !report.is_ok()), "{sizes:?}");
    }
}

/// The noise of a random layer is measured, and its tolerance follows. Of noise in some calls only there is no tolerance.
#[test]
fn a_random_layer_has_the_tolerance_of_its_noise() {
    let check = Check::new().input("x", Tensor::from([[0.3, -0.8], [1.2, 0.1]]));
    let noisy = |every: usize, factor: f64| {
        let (mut rng, mut calls) = (StdRng::seed_from_u64(4), 0);
        check.compare(
            |_, x| {
                calls += 1;
                let size = if calls % every == 0 { 1e-8 } else { 0.0 };
                Ok([("y", x["x"].tanh() * (normal([2, 2], size, &mut rng) + 1.0))].into())
            },
            |x, dy| Ok([("x", &dy["y"] * &(1.0 - x["x"].tanh().square()) * factor)].into()),
        )
    };
    let report = noisy(1, 1.0).unwrap();
    report.assert_ok();
    assert!(report.bits().is_some_and(|bits| (24..=28).contains(&bits)), "{report}");
    assert!(!noisy(1, 1.01).unwrap().is_ok());
    let error = noisy(7, 1.0).unwrap_err().to_string();
    assert!(error.contains("the layer is random or keeps state between calls"), "{error}");
}

/// `y = tanh(x w)` as a black box, its backward pass in single precision or not, and `dw` scaled by a factor in one column.
fn backward_in(single: bool, factor: f64, tolerance: Option<f64>) -> Report {
    let round = move |x: &Tensor<f64>| if single { x.map(|x| f64::from(x as f32)) } else { x.clone() };
    let matrix = |a: &Array| Tensor::from_vec(a.to_vec(), a.shape()).unwrap();
    let array = |a: Tensor<f64>| Array::new(a.to_vec(), &a.shape());
    let rng = &mut StdRng::seed_from_u64(3);
    let mut check = Check::new()
        .input("x", normal([5, 4], 1.0, rng) * &Tensor::from([1.0, 1e-3, 1.0, 1.0]))
        .input("w", normal([4, 3], 0.5, rng));
    if let Some(tolerance) = tolerance {
        check = check.tolerance(tolerance);
    }
    let report = check.black_box(
        |p| Ok([("y", array(matrix(&p["x"]).matmul(&matrix(&p["w"])).tanh())?)].into()),
        |p, dy| {
            let [x, w, dy] = [&p["x"], &p["w"], &dy["y"]].map(|a| round(&matrix(a)));
            let y = round(&x.matmul(&w).tanh());
            let dt = round(&(dy * (1.0 - y.square())));
            // The second row, of x's small column, is a thousandth of the others.
            let dw = round(&x.t().matmul(&dt)) * &Tensor::from([[1.0], [factor], [1.0], [1.0]]);
            Ok([("x", array(round(&dt.matmul(&w.t())))?), ("w", array(dw)?)].into())
        },
    );
    report.unwrap()
}

/// A looser tolerance is one of each element's own size, down to what the backward pass rounds by, which is measured.
#[test]
fn the_precision_of_a_backward_pass_is_measured() {
    for tolerance in [1e-5, 1e-4] {
        backward_in(true, 1.0, Some(tolerance)).assert_verified();
        for single in [false, true] {
            let report = backward_in(single, 1.01, Some(tolerance));
            assert_eq!(report.wrong(), ["w"], "{tolerance}, {single}: {report}");
        }
    }
    backward_in(false, 1.0, Some(1e-4)).assert_verified();
    assert!(!backward_in(true, 1.0, None).is_ok());
}

/// A loss in single precision, so large that it hardly moves with what it depends on.
#[test]
fn a_loss_in_single_precision_is_one() {
    let report = |factor: f64| {
        let rng = &mut StdRng::seed_from_u64(6);
        let check = Check::new().input("x", normal([4, 3], 1.0, rng)).input("w", normal([4, 3], 1.0, rng));
        let report = check.black_box(
            |p| {
                let terms = p["x"].iter().zip(&p["w"][..]).map(|(&x, &w)| (x as f32 * w as f32).tanh());
                Ok([("loss", Array::from(f64::from(2.5 + 0.02 * terms.sum::<f32>())))].into())
            },
            |p, dy| {
                let slope = |i: usize| {
                    let y = (p["x"][i] as f32 * p["w"][i] as f32).tanh();
                    f64::from(0.02 * dy["loss"][0] as f32 * (1.0 - y * y))
                };
                let dx: Vec<f64> = (0..12).map(|i| slope(i) * p["w"][i]).collect();
                let dw = (0..12).map(|i| slope(i) * p["x"][i] * factor).collect();
                Ok([("x", Array::new(dx, &[4, 3])?), ("w", Array::new(dw, &[4, 3])?)].into())
            },
        );
        report.unwrap()
    };
    report(1.0).assert_ok();
    assert_eq!(report(1.0).bits(), Some(24));
    assert_eq!(report(1.1).wrong(), ["w"]);
}
