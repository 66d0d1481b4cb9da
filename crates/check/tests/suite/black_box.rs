//! Functions of plain arrays: right ones pass, wrong ones are named, and what they throw comes out as they threw it.

use std::cell::Cell;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use ndarray::{ArrayD, Axis, Ix2};
use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_check::{Array, BoxError, Check, Error, Named, Oracle, Pattern, Report, Verdict};
use retrograde_tensor::Tensor;

/// The layer `y = tanh(x w + b)` and the mean `m` of `y` over the batch, with a fault of its backward pass.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    BatchNotSummed,
    Sign,
    Factor,
    MeanIgnored,
    OneElement,
}

const SIZES: [usize; 3] = [3, 2, 4]; // N, D, H

fn forward(p: &Named<Array>) -> (Vec<f64>, Vec<f64>) {
    let [n, d, h] = SIZES;
    let (x, w, b) = (&p["x"], &p["w"], &p["b"]);
    let at = |i: usize| {
        let t: f64 = (0..d).map(|k| x[i / h * d + k] * w[k * h + i % h]).sum();
        (t + b[i % h]).tanh()
    };
    let y: Vec<f64> = (0..n * h).map(at).collect(); // [N, H]
    let m = (0..h).map(|j| (0..n).map(|i| y[i * h + j]).sum::<f64>() / n as f64).collect(); // [H]
    (y, m)
}

fn backward(fault: Fault, p: &Named<Array>, dy: &Named<Array>) -> [(&'static str, Array); 3] {
    let [n, d, h] = SIZES;
    let (x, w, y) = (&p["x"], &p["w"], forward(p).0);
    let dm = if fault == Fault::MeanIgnored { 0.0 } else { 1.0 / n as f64 };
    let dt: Vec<f64> = (0..n * h).map(|i| (dy["y"][i] + dm * dy["m"][i % h]) * (1.0 - y[i] * y[i])).collect();
    let (mut dx, mut dw, mut db) = (vec![0.0; n * d], vec![0.0; d * h], vec![0.0; h]);
    for i in 0..n * h {
        for k in 0..d {
            dx[i / h * d + k] += dt[i] * w[k * h + i % h];
            dw[k * h + i % h] += dt[i] * x[i / h * d + k];
        }
        if fault != Fault::BatchNotSummed || i / h == n - 1 {
            db[i % h] += dt[i];
        }
    }
    match fault {
        Fault::Sign => db.iter_mut().for_each(|db| *db = -*db),
        Fault::Factor => dw.iter_mut().for_each(|dw| *dw *= 1.001),
        Fault::OneElement => dw[5] = 0.0,
        _ => {}
    }
    [("x", dx.into()), ("w", dw.into()), ("b", db.into())]
}

fn listed(seed: u64) -> Check {
    let [n, d, h] = SIZES;
    let mut rng = StdRng::seed_from_u64(seed);
    let mut normal = |shape: &[usize]| Tensor::normal(shape, 0.0, 1.0, &mut rng).unwrap();
    Check::new().seed(seed).input("x", normal(&[n, d])).input("w", normal(&[d, h])).input("b", normal(&[h]))
}

fn check(fault: Fault, seed: u64) -> Report {
    let outputs = |p: &Named<Array>| -> Result<Named<Array>, BoxError> {
        let (y, m) = forward(p);
        Ok([("y", Array::new(y, &[SIZES[0], SIZES[2]])?), ("m", m.into())].into())
    };
    listed(seed).black_box(outputs, |p, dy| Ok(backward(fault, p, dy).into())).unwrap()
}

#[test]
fn a_right_one_is_verified_by_finite_differences() {
    for seed in 0..20 {
        let report = check(Fault::None, seed);
        report.assert_ok();
        assert!(report.rows().iter().all(|row| row.verdict == Verdict::Verified), "{report}");
        assert!(report.jacobian().is_some());
        let text = report.to_string();
        assert!(text.contains("outputs: y [3, 4], m [4]"), "{text}");
        assert!(text.contains("adjoint identity not applicable: x, w, b\n  the black box"), "{text}");
    }
}

#[test]
fn a_wrong_one_is_named() {
    let faults: [(Fault, &[&str], Option<Pattern>); 5] = [
        (Fault::BatchNotSummed, &["b"], None),
        (Fault::Sign, &["b"], Some(Pattern::Sign)),
        (Fault::Factor, &["w"], None),
        (Fault::MeanIgnored, &["x", "w", "b"], None),
        (Fault::OneElement, &["w"], Some(Pattern::OneElement)),
    ];
    for (fault, wrong, pattern) in faults {
        for seed in 0..10 {
            let report = check(fault, seed);
            assert_eq!(report.wrong(), wrong, "{fault:?}\n{report}");
            assert!(report.caught_by().contains(&Oracle::Differences), "{report}");
            if pattern.is_some() {
                assert_eq!(report.pattern(wrong[0]), pattern.as_ref(), "{fault:?}\n{report}");
            }
        }
    }
}

/// In `ndarray`: the same layer, its arrays made from slices and turned back into them.
#[test]
fn ndarray_is_a_black_box() {
    let matrix =
        |a: &Array| ArrayD::from_shape_vec(a.shape(), a.to_vec()).unwrap().into_dimensionality::<Ix2>();
    let array = |a: ndarray::Array2<f64>| Array::new(a.iter().copied().collect(), a.shape());
    let y = |p: &Named<Array>| (matrix(&p["x"]).unwrap().dot(&matrix(&p["w"]).unwrap())).mapv(f64::tanh);
    let report = |factor: f64| {
        let mut rng = StdRng::seed_from_u64(3);
        let mut normal = |shape: [usize; 2]| Tensor::normal(shape, 0.0, 1.0, &mut rng).unwrap();
        let check = Check::new().input("x", normal([3, 2])).input("w", normal([2, 4]));
        check.black_box(
            |p| Ok([("y", array(y(p))?), ("sum", y(p).sum_axis(Axis(0)).to_vec().into())].into()),
            |p, dy| {
                let (x, w, d) = (matrix(&p["x"])?, matrix(&p["w"])?, matrix(&dy["y"])?);
                let dsum = ndarray::ArrayView1::from(&dy["sum"][..]);
                let dt = (d + dsum) * (1.0 - y(p).mapv(|y| y * y));
                Ok([("x", array(dt.dot(&w.t()))?), ("w", array(x.t().dot(&dt) * factor)?)].into())
            },
        )
    };
    report(1.0).unwrap().assert_ok();
    let report = report(0.5).unwrap();
    assert_eq!(report.wrong(), ["w"]);
    assert_eq!(report.pattern("w").map(ToString::to_string).as_deref(), Some("constant factor 0.5"));
}

/// Without a tape, and of more elements than are perturbed one by one: halves of a direction lead to the one that is wrong.
#[test]
fn the_wrong_element_of_a_large_array_is_found() {
    let (n, d, h) = (2, 90, 80);
    let mut rng = StdRng::seed_from_u64(5);
    let mut normal = |shape: &[usize], deviation| Tensor::normal(shape, 0.0, deviation, &mut rng).unwrap();
    let check = Check::new().input("x", normal(&[n, d], 1.0)).input("w", normal(&[d, h], 0.1));
    let matrix =
        |a: &Array| ArrayD::from_shape_vec(a.shape(), a.to_vec()).unwrap().into_dimensionality::<Ix2>();
    let array = |a: ndarray::Array2<f64>| Array::new(a.iter().copied().collect(), a.shape());
    for (row, column) in [(0, 0), (41, 7), (89, 79), (63, 40)] {
        let report = check.black_box(
            |p| Ok([("y", array(matrix(&p["x"])?.dot(&matrix(&p["w"])?).mapv(f64::tanh))?)].into()),
            |p, dy| {
                let (x, w) = (matrix(&p["x"])?, matrix(&p["w"])?);
                let dt = matrix(&dy["y"])? * x.dot(&w).mapv(|t| 1.0 - t.tanh().powi(2));
                let mut dw = x.t().dot(&dt);
                dw[[row, column]] *= 1.01;
                Ok([("x", array(dt.dot(&w.t()))?), ("w", array(dw)?)].into())
            },
        );
        let report = report.unwrap();
        assert_eq!(report.wrong(), ["w"], "{report}");
        let [found] = report.mismatches() else { panic!("expected one mismatch\n{report}") };
        assert_eq!(found.index.as_deref(), Some(&[row, column][..]), "{report}");
    }
}

#[derive(Debug)]
struct OutOfLuck;

impl fmt::Display for OutOfLuck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "out of luck")
    }
}

impl std::error::Error for OutOfLuck {}

#[test]
fn an_error_comes_out_with_its_call() {
    let x = Check::new().input("x", Tensor::from([0.3, -0.2]));
    for failing in [1, 2, 3, 7] {
        let calls = Cell::new(0);
        let error = x.black_box(
            |p| {
                calls.set(calls.get() + 1);
                if calls.get() == failing {
                    Err(OutOfLuck.into())
                } else {
                    Ok([("y", p["x"].clone())].into())
                }
            },
            |_, dy| Ok([("x", dy["y"].clone())].into()),
        );
        let error = error.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("check: call {failing} of the forward pass failed: out of luck")
        );
        let Error::Forward { call, source } = error else { panic!("expected the error of a forward pass") };
        assert_eq!(call, failing);
        assert!(source.downcast::<OutOfLuck>().is_ok());
    }
    let error = x.black_box(|p| Ok([("y", p["x"].clone())].into()), |_, _| Err(OutOfLuck.into()));
    assert!(matches!(error.unwrap_err(), Error::Backward { call: 1, source } if source.is::<OutOfLuck>()));
}

#[test]
fn a_panic_comes_out_as_it_is() {
    let x = Check::new().input("x", Tensor::from([0.3, -0.2]));
    let thrown = catch_unwind(AssertUnwindSafe(|| {
        x.black_box(|_| std::panic::panic_any(17_u8), |_, dy| Ok([("x", dy["y"].clone())].into()))
    }));
    assert_eq!(thrown.unwrap_err().downcast_ref::<u8>(), Some(&17));
}

#[test]
fn what_does_not_fit_is_refused() {
    let x = Check::new().input("x", Tensor::from([[0.3, -0.2], [0.1, 0.7]]));
    let refused = |shape: &[usize], name: &'static str| {
        let of = |dy: &Array| Array::new(dy.to_vec(), shape);
        let backward = |_: &Named<Array>, dy: &Named<Array>| Ok(Named::from([(name, of(&dy["y"])?)]));
        x.black_box(|p| Ok([("y", p["x"].clone())].into()), backward).map(|report| report.assert_ok())
    };
    assert!(refused(&[2, 2], "x").is_ok());
    assert!(refused(&[4], "x").is_ok());
    let message = |shape, name| refused(shape, name).unwrap_err().to_string();
    assert_eq!(message(&[4, 1], "x"), "check: expected a gradient of shape [2, 2] for x, found [4, 1]");
    assert_eq!(message(&[2, 2], "y"), "check: expected one of x, found y");
    assert!(message(&[5], "x").ends_with("expected 5 numbers for an array of shape [5], found 4"));
    assert!(Array::new(Vec::new(), &[usize::MAX, 2]).is_err());
    assert!(Array::new(Vec::new(), &[0, 3]).is_ok());
}

/// Outputs that change their shape, and functions that keep something from call to call.
#[test]
fn what_changes_from_call_to_call_is_refused() {
    let x = Check::new().input("x", Tensor::from([0.3, -0.2]));
    let calls = Cell::new(0);
    let next = || {
        calls.set(calls.get() + 1);
        calls.get()
    };
    let identity = |p: &Named<Array>| Ok([("y", p["x"].clone())].into());
    let gradient = |_: &Named<Array>, dy: &Named<Array>| Ok([("x", dy["y"].clone())].into());
    let error = x.black_box(|_| Ok([("y", vec![0.0; next()].into())].into()), gradient).unwrap_err();
    assert_eq!(error.to_string(), "check: expected the outputs y [1] of the first run, found y [2]");
    let leaking = |_: &Named<Array>| Ok([("y", Array::from(f64::from(next() as u32)))].into());
    assert!(matches!(x.black_box(leaking, gradient), Err(Error::NotRepeatable { .. })));
    let leaking = |_: &Named<Array>, _: &Named<Array>| Ok([("x", vec![next() as f64; 2].into())].into());
    assert!(matches!(x.black_box(identity, leaking), Err(Error::NotRepeatable { .. })));
}

/// Frozen inputs, time steps, parameters by name; there is no second derivative to ask for.
#[test]
fn settings_reach_it() {
    let check = listed(1).freeze("b").time_axis("x", 0).second_order(true).taylor(true);
    let report = check.black_box(
        |p| Ok([("y", Array::new(forward(p).0, &[SIZES[0], SIZES[2]])?)].into()),
        |p, dy| {
            let none = Array::from(vec![0.0; SIZES[2]]);
            let dy = Named::from([("y", dy["y"].clone()), ("m", none)]);
            let [x, w, _] = backward(Fault::None, p, &dy);
            Ok([x, w].into())
        },
    );
    let report = report.unwrap();
    report.assert_ok();
    let rows: Vec<_> = report.rows().iter().map(|row| (row.name.as_str(), row.step)).collect();
    assert_eq!(rows, [("x", Some(0)), ("x", Some(1)), ("x", Some(2)), ("w", None)]);
    assert!(report.not_applicable().iter().any(|found| found.oracle == Oracle::SecondOrder), "{report}");
    assert_eq!(report.taylor().len(), 2);
    let w = retrograde_autograd::Param::new("w", Tensor::from([2.0, -0.5]));
    let check = Check::new().input("x", Tensor::from([0.3, 0.9])).params([&w]);
    let product = |a: &Array, b: &Array| a.iter().zip(&b[..]).map(|(a, b)| a * b).collect::<Vec<_>>().into();
    let report = check.black_box(
        |p| Ok([("y", product(&p["x"], &p["w"]))].into()),
        |p, dy| Ok([("x", product(&dy["y"], &p["w"])), ("w", product(&dy["y"], &p["x"]))].into()),
    );
    report.unwrap().assert_ok();
    assert_eq!(w.value(), Tensor::from([2.0, -0.5]));
}

#[test]
#[ignore = "panics: the test below runs it in another process"]
fn panics_in_call_5() {
    let calls = Cell::new(0);
    let x = Check::new().input("x", Tensor::from([0.3, -0.2]));
    let _ = x.black_box(
        |p| {
            calls.set(calls.get() + 1);
            assert!(calls.get() < 5, "out of luck");
            Ok([("y", p["x"].clone())].into())
        },
        |_, dy| Ok([("x", dy["y"].clone())].into()),
    );
}

#[test]
fn the_call_of_a_panic_is_printed() {
    let mut program = std::process::Command::new(std::env::current_exe().unwrap());
    let output =
        program.args(["--exact", "--ignored", "--nocapture", "black_box::panics_in_call_5"]).output();
    let printed = String::from_utf8(output.unwrap().stderr).unwrap();
    assert!(printed.contains("out of luck"), "{printed}");
    assert!(printed.contains("check: the panic is that of call 5 of the forward pass"), "{printed}");
}
