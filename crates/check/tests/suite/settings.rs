//! The settings of a check, and its report as data.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::Param;
use retrograde_check::{Array, Check, Named, Report, Verdict};
use retrograde_nn::{Linear, RnnCell, TimeRnn};
use retrograde_tensor::Tensor;
use serde_json::Value;

fn normal<const R: usize>(shape: [usize; R], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut StdRng::seed_from_u64(seed)).unwrap()
}

fn names(report: &Report) -> Vec<&str> {
    let mut names: Vec<&str> = report.rows().iter().map(|row| row.name.as_str()).collect();
    names.dedup();
    names
}

#[test]
fn what_is_frozen_is_not_checked() {
    let w = Param::new("w", normal([3, 2], 1));
    let check = Check::new().input("x", normal([2, 3], 2)).input("k", normal([2, 2], 3)).params([&w]);
    // The gradient of k is wrong, and that of w cut off.
    let wrong = |check: &Check| {
        let report = check.run(|tape, x| {
            let k = tape.constant(x["k"].value().clone());
            Ok([("y", x["x"].matmul(tape.constant(w.value())).tanh() * k)].into())
        });
        report.unwrap()
    };
    assert_eq!(wrong(&check).wrong(), ["k", "w"]);
    let report = wrong(&check.clone().freeze("k").freeze("w"));
    report.assert_ok();
    assert_eq!(names(&report), ["x"]);
    let explicit = |freeze: &[&str]| {
        let check = freeze.iter().fold(check.clone(), |check, &name| check.freeze(name));
        check.compare(
            |_, x| Ok([("y", x["x"].matmul(&w) * &x["k"])].into()),
            |x, dy| Ok([("x", (&dy["y"] * &x["k"]).matmul(&x["w"].t())), ("k", dy["y"].clone())].into()),
        )
    };
    explicit(&["k", "w"]).unwrap().assert_ok();
    let error = explicit(&["k"]).unwrap_err().to_string();
    assert_eq!(error, "check: expected a gradient for w from the explicit backward pass, found none");
    assert_eq!(explicit(&["v"]).unwrap_err().to_string(), "check: expected one of x, k, w, found v");
    assert!(explicit(&["x", "k", "w"]).unwrap_err().to_string().contains("at least one input or parameter"));
    let rng = &mut StdRng::seed_from_u64(4);
    let mut layer = (TimeRnn::new(RnnCell::new(2, 3, rng)), Linear::new(3, 2, rng));
    let report = Check::new().freeze("xs").freeze("0.Wh").layer(&mut layer).unwrap();
    report.assert_ok();
    assert!(!names(&report).contains(&"xs") && !names(&report).contains(&"0.Wh"), "{report}");
    assert!(names(&report).contains(&"0.Wx"), "{report}");
}

/// A gradient that is right at one point alone, and one that no output shows there.
#[test]
fn several_points() {
    let at = normal([4], 5);
    let check = Check::new().input("x", at.clone());
    let report = |points: usize| {
        let report = check.clone().points(points).compare(
            |_, x| Ok([("y", x["x"].sin())].into()),
            |_, dy| Ok([("x", &dy["y"] * &at.cos())].into()),
        );
        report.unwrap()
    };
    // Without further points, a random direction at one nearby tells.
    let found = report(1);
    assert!(found.mismatches().iter().all(|found| found.cotangent == "at a second point"), "{found}");
    let found = report(2);
    assert_eq!(found.wrong(), ["x"]);
    assert!(found.mismatches().iter().any(|found| found.cotangent.ends_with(", point 1")), "{found}");
    assert!(found.to_string().contains("4 elements, 2 points, 3 directions"), "{found}");
    let check = Check::new().input("x", Tensor::from([-0.4, -0.5]));
    let relu = |points| check.clone().points(points).run(|_, x| Ok([("y", x["x"].relu())].into())).unwrap();
    assert_eq!(relu(1).rows()[0].verdict, Verdict::NotVerifiable);
    let report = relu(20);
    assert_eq!(report.rows()[0].verdict, Verdict::Verified, "{report}");
    assert!(report.not_verifiable().is_empty(), "{report}");
}

/// A backward pass that clips its cotangents is right for small ones.
/// A point that was not given has something to say too: what cancels there, and in which bits it computes.
#[test]
fn what_is_said_of_other_points_is_kept() {
    // Moved by about 6, the other point is saturated.
    let check = Check::new().input("x", Tensor::from([6.0, -5.0])).seed(3);
    let by_hand = |points: usize| {
        let report = check.clone().points(points).compare(
            |_, x| Ok([("y", x["x"].tanh())].into()),
            |x, dy| Ok([("x", &dy["y"] * &x["x"].map(|x| x.cosh().powi(-2)))].into()),
        );
        report.unwrap()
    };
    let (one, four) = (by_hand(1), by_hand(4));
    one.assert_ok();
    four.assert_ok();
    let worst = |report: &Report| report.accuracy().iter().map(|found| found.relative).fold(0.0, f64::max);
    assert!(worst(&four) > 10.0 * worst(&one), "{one}\n{four}");
    let names: Vec<_> = four.accuracy().iter().map(|found| found.name.as_str()).collect();
    assert_eq!(names, ["x"]);
    assert!(four.to_string().contains("4 points"), "{four}");
    // Of units that are off at the first point, some are on at another: verified at one of them.
    let off = Check::new().input("x", Tensor::from([-0.5, -0.7, -0.6, 0.4]));
    let relu = |check: &Check| check.run(|_, x| Ok([("y", x["x"].relu().sum())].into())).unwrap();
    assert_eq!(relu(&off).unverified(), 0);
    let off = off.time_axis("x", 0);
    assert_eq!(relu(&off).unverified(), 3);
    assert_eq!(relu(&off.points(8)).unverified(), 0);
}

#[test]
fn the_scale_of_cotangents() {
    let check = Check::new().input("x", normal([3], 6));
    let clipped = |scale: f64| {
        let check = check.clone().cotangent_scale(scale);
        let report = check.compare(
            |_, x| Ok([("y", x["x"].tanh())].into()),
            |x, dy| Ok([("x", &dy["y"].clamp(-5.0, 5.0) * &(1.0 - x["x"].tanh().square()))].into()),
        );
        report.unwrap()
    };
    assert_eq!(clipped(100.0).wrong(), ["x"]);
    for scale in [1e-30, -3.0, 1e30] {
        let check = check.clone().cotangent_scale(scale);
        check.run(|_, x| Ok([("y", x["x"].tanh())].into())).unwrap().assert_ok();
    }
    for scale in [0.0, f64::NAN, f64::INFINITY, 1e-200] {
        let error = check.clone().cotangent_scale(scale).run(|_, x| Ok([("y", x["x"].tanh())].into()));
        let expected = "check: expected a scale of cotangents from 1e-100 to 1e100, found ";
        assert!(error.unwrap_err().to_string().starts_with(expected));
    }
}

#[test]
fn the_number_of_elements() {
    let compared = |elements: usize| {
        let check = Check::new().input("x", normal([10, 10], 7)).full_jacobian(false).elements(elements);
        let report = check.run(|_, x| Ok([("y", x["x"].tanh())].into())).unwrap();
        report.assert_ok();
        report.rows()[0].measures[0].1.compared
    };
    let [one, few, all] = [1, 10, 100].map(compared);
    assert!(one < few && few < all, "{one}, {few}, {all}");
}

/// `y = x w`: `dy_j / dw_ij = x_i`, `dy_j / dx_i = w_ij`.
#[test]
fn entries_of_the_jacobian() {
    let (x, w) = (normal([3], 8), normal([3, 2], 9));
    let check = Check::new().input("x", x.clone()).input("w", w.clone()).keep_entries(true);
    let of = |p: &Named<Array>| {
        (0..2).map(|j| (0..3).map(|i| p["x"][i] * p["w"][2 * i + j]).sum()).collect::<Vec<f64>>()
    };
    let report = check.cotangent_scale(8.0).black_box(
        |p| Ok([("y", of(p).into())].into()),
        |p, dy| {
            let dx =
                (0..3).map(|i| (0..2).map(|j| dy["y"][j] * p["w"][2 * i + j]).sum()).collect::<Vec<f64>>();
            let dw = (0..6).map(|k| p["x"][k / 2] * dy["y"][k % 2]).collect::<Vec<f64>>();
            Ok([("x", dx.into()), ("w", dw.into())].into())
        },
    );
    let report = report.unwrap();
    report.assert_ok();
    assert_eq!(report.entries().len(), 2 * 9);
    for entry in report.entries() {
        let (&[j], at) = (&entry.output_index[..], &entry.input_index[..]) else { panic!("{entry:?}") };
        let expected = match *at {
            [i] => w.at(&[i, j]),
            [i, k] => {
                if j == k {
                    x.at(&[i])
                } else {
                    0.0
                }
            }
            _ => panic!("{entry:?}"),
        };
        assert!((entry.analytic - expected).abs() < 1e-14, "{entry:?}");
        assert!((entry.numeric.unwrap() - expected).abs() < 1e-9, "{entry:?}");
    }
}

#[test]
fn taylor_tables_have_the_orders_of_the_textbook() {
    for factor in [1.0, 1.01] {
        let check = Check::new().input("x", normal([2, 3], 10)).input("b", normal([3], 11)).taylor(true);
        let report = check.compare(
            |_, x| Ok([("y", x["x"].tanh() * 2.0 + &x["b"])].into()),
            |x, dy| {
                let dx = &dy["y"] * &((1.0 - x["x"].tanh().square()) * (2.0 * factor));
                Ok([("x", dx), ("b", dy["y"].sum_to([3]))].into())
            },
        );
        let report = report.unwrap();
        assert_eq!(report.is_ok(), factor == 1.0);
        let [x, b] = report.taylor() else { panic!("expected two tables") };
        let [without, with] = x.orders().unwrap();
        let expected = if factor == 1.0 { 2.0 } else { 1.0 };
        assert!((without - 1.0).abs() < 0.1 && (with - expected).abs() < 0.2, "{factor}\n{x}");
        assert!(b.orders().is_none(), "linear\n{b}");
        let text = report.to_string();
        assert!(text.contains("less h g·u") && text.contains("rounding"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

#[test]
fn the_report_as_json() {
    let name = "a \"name\",\nof its\\own";
    let check = Check::new().input(name, normal([2, 2], 12)).input("b", normal([2], 13)).time_axis(name, 0);
    let report = check.taylor(true).keep_entries(true).compare(
        |_, x| Ok([("y", x[name].tanh() + &x["b"])].into()),
        |_, dy| Ok([(name, dy["y"].clone()), ("b", Tensor::from([f64::NAN, f64::NEG_INFINITY]))].into()),
    );
    let report = report.unwrap();
    let json: Value = serde_json::from_str(&report.to_json()).unwrap();
    assert_eq!((&json["ok"], &json["seed"]), (&Value::Bool(false), &Value::from(0)));
    assert_eq!(json["outputs"], Value::from(vec!["y [2, 2]"]));
    assert_eq!(json["jacobian"]["inputs"], 6);
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows.len(), report.rows().len());
    assert_eq!((&rows[1]["name"], &rows[1]["step"]), (&Value::from(name), &Value::from(1)));
    assert_eq!((&rows[2]["name"], &rows[2]["step"]), (&Value::from("b"), &Value::Null));
    assert_eq!(rows[2]["verdict"], "WRONG");
    let mismatches = json["mismatches"].as_array().unwrap();
    assert_eq!(mismatches.len(), report.mismatches().len());
    for (written, found) in mismatches.iter().zip(report.mismatches()) {
        assert_eq!(written["name"], Value::from(found.name.as_str()));
        assert_eq!(written["numeric"].as_f64(), Some(found.numeric));
        match found.analytic {
            x if x.is_nan() => assert_eq!(written["analytic"], "NaN"),
            x if x.is_infinite() => assert_eq!(written["analytic"], "-Infinity"),
            x => assert_eq!(written["analytic"].as_f64(), Some(x)),
        }
    }
    assert_eq!(json["taylor"].as_array().unwrap().len(), 2);
    assert_eq!(json["entries"].as_array().unwrap().len(), report.entries().len());
}
