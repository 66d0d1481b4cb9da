//! Words for what is not simply right or wrong: rounding, what nothing was said of, and where a layer is not defined.

use std::panic::{AssertUnwindSafe, catch_unwind};

use retrograde_autograd::Param;
use retrograde_check::{Check, Verdict};
use retrograde_tensor::Tensor;

use crate::layers::{Rnn, normal};
use rand::SeedableRng;
use rand::rngs::StdRng;

/// Softmax does not see a shift. Its gradient is 0, whether a pass computes 1e-17 or 0.
#[test]
fn zero_up_to_rounding_is_a_verdict() {
    let shift = Tensor::from([[0.5], [-0.8]]);
    let check =
        Check::new().input("x", normal([2, 3], 1.0, &mut StdRng::seed_from_u64(1))).input("shift", shift);
    let softmax = check.run(|_, x| Ok([("y", (&x["x"] + &x["shift"]).softmax(1))].into())).unwrap();
    let by_hand = check.compare(
        |_, x| Ok([("y", (&x["x"] + &x["shift"]).softmax(1))].into()),
        |x, dy| {
            let y = (&x["x"] + &x["shift"]).softmax(1);
            let dx = &y * &(&dy["y"] - &(&dy["y"] * &y).sum_axes(&[1], true));
            Ok([("x", dx), ("shift", Tensor::zeros([2, 1]))].into())
        },
    );
    for report in [softmax, by_hand.unwrap()] {
        report.assert_verified();
        let row = report.rows().iter().find(|row| row.name == "shift").unwrap();
        assert_eq!(row.verdict, Verdict::ZeroUpToRounding, "{report}");
        assert!(report.to_string().contains("shift: zero up to rounding"), "{report}");
    }
}

#[test]
fn what_cancels_is_named() {
    let report = Check::new().input("x", Tensor::from([9.0])).compare(
        |_, x| Ok([("y", x["x"].tanh())].into()),
        |x, dy| Ok([("x", &dy["y"] * &x["x"].map(|x| x.cosh().powi(-2)))].into()),
    );
    let report = report.unwrap();
    report.assert_verified();
    assert!(report.accuracy().iter().any(|found| found.relative > 1e-10), "{report}");
    assert!(report.to_string().contains("only: 1 - y² of tanh"), "{report}");
}

#[test]
fn the_first_line_says_what_was_not_verified() {
    let unused = Param::new("unused", Tensor::ones([2]));
    let check = Check::new().input("x", Tensor::from([1.0, 2.0])).params([&unused]);
    let report = check.run(|_, x| Ok([("y", x["x"].tanh())].into())).unwrap();
    assert!(report.is_ok() && report.unverified() == 2);
    assert!(
        report.to_string().starts_with("gradient check: ok, 2 of 4 elements not verified: unused\n"),
        "{report}"
    );
    assert!(catch_unwind(AssertUnwindSafe(|| report.assert_verified())).is_err());
    let kink = Check::new().input("x", Tensor::from([0.0, 0.5, -0.3]));
    let report = kink.run(|_, x| Ok([("y", x["x"].abs())].into())).unwrap();
    assert!(
        report.to_string().starts_with("gradient check: ok, 1 of 3 elements not verified: x\n"),
        "{report}"
    );
    let report = kink.run(|_, x| Ok([("y", x["x"].tanh())].into())).unwrap();
    report.assert_verified();
    assert!(report.to_string().starts_with("gradient check: ok\n"), "{report}");
}

/// No output moves with anything: there is nothing wrong, and nothing was seen to be right.
#[test]
fn a_check_that_verifies_nothing_is_not_green() {
    let off = Check::new().input("x", Tensor::from([-0.5, -2.0]));
    let report = off.run(|_, x| Ok([("y", x["x"].relu())].into())).unwrap();
    assert!(report.is_ok() && report.wrong().is_empty() && report.unverified() == 2);
    assert!(
        report.to_string().starts_with("gradient check: NOTHING VERIFIED, 2 of 2 elements not verified: x\n"),
        "{report}"
    );
    assert!(catch_unwind(AssertUnwindSafe(|| report.assert_ok())).is_err());
    // Nothing but noise: no oracle resolves the gradient, right or wrong.
    let noise = |x: f64| (x.to_bits().wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 40) as f64;
    let report = Check::new().input("x", Tensor::from([0.3, -1.2])).black_box(
        |x| Ok([("y", x["x"].iter().map(|&x| noise(x)).collect::<Vec<_>>().into())].into()),
        |_, dy| Ok([("x", dy["y"].clone())].into()),
    );
    assert!(report.is_err() || catch_unwind(AssertUnwindSafe(|| report.unwrap().assert_ok())).is_err());
    let some = Check::new().input("off", Tensor::from([-0.5])).input("x", Tensor::from([2.0]));
    let report = some.run(|_, x| Ok([("y", x["x"].relu() + x["off"].relu())].into())).unwrap();
    report.assert_ok();
    assert!(catch_unwind(AssertUnwindSafe(|| report.assert_verified())).is_err());
}

#[test]
fn where_a_layer_is_not_defined() {
    let check = Check::new().input("x", Tensor::from([0.5, 2.0]));
    let sqrt = |check: &Check| check.run(|_, x| Ok([("y", x["x"].sqrt())].into()));
    sqrt(&check.clone().within("x", 0.0..)).unwrap().assert_verified();
    assert_eq!(
        sqrt(&check.clone().within("x", 1.0..)).unwrap_err().to_string(),
        "check: expected x[0] within 1 to inf, found 0.5"
    );
    assert_eq!(
        sqrt(&check.clone().within("y", 0.0..)).unwrap_err().to_string(),
        "check: expected one of x, found y"
    );
    // A point at which it is defined, and none around it.
    let error = check.run(|_, x| {
        let at = x["x"].value();
        if *at == Tensor::from([0.5, 2.0]) {
            Ok([("y", x["x"].sqrt())].into())
        } else {
            Err("not here".into())
        }
    });
    let error = error.unwrap_err().to_string();
    assert!(error.starts_with("check: the forward pass failed after x[0] = 5e-1 was moved by "), "{error}");
    assert!(error.ends_with(": not here: say with `within` which values it may take"), "{error}");
}

#[test]
fn an_input_takes_the_place_of_an_example() {
    let mut rnn = Rnn::new([2, 3, 4, 3], 0.9);
    let xs = normal([1, 7, 4], 1.0, &mut StdRng::seed_from_u64(2));
    let h0 = Tensor::zeros([1, 3]);
    let report = Check::new().input("xs", xs).input("h_prev", h0).layer(&mut rnn).unwrap();
    report.assert_ok();
    assert_eq!(report.rows().iter().filter(|row| row.name == "xs").count(), 7, "{report}");
}
