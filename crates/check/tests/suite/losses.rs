//! Losses, and a step of an optimizer as a part of what is differentiated.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_check::{Check, Report, Verdict};
use retrograde_nn::{Adam, CrossEntropy, Optimizer, Result, Sgd, binary_cross_entropy, cross_entropy, mse};
use retrograde_tensor::{Tensor, assert_close};

fn normal<const R: usize>(shape: [usize; R], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut StdRng::seed_from_u64(seed)).unwrap()
}

/// A loss of predictions `y [2, 3, 4]`, of first and second order, for several seeds.
/// The report of one with a time axis is returned.
#[track_caller]
fn right(loss: impl for<'t> Fn(&Var<'t, f64>) -> Result<Var<'t, f64>>) -> Report {
    for seed in 0..5 {
        let check = Check::new().seed(seed).input("y", normal([2, 3, 4], seed)).second_order(true);
        check.run(|_, x| Ok([("loss", loss(&x["y"])?)].into())).unwrap().assert_ok();
    }
    let check = Check::new().input("y", normal([2, 3, 4], 9)).time_axis("y", 1);
    check.run(|_, x| Ok([("loss", loss(&x["y"])?)].into())).unwrap()
}

#[test]
fn losses_with_and_without_a_mask() {
    let labels = Tensor::from([[0, 3, 2], [1, 1, 0]]);
    let mask = Tensor::from([[true, false, true], [true, false, false]]);
    let (targets, shares) = (normal([2, 3, 4], 7), normal([2, 3, 4], 8).sigmoid());
    right(|y| cross_entropy(y, &labels)).assert_ok();
    right(|y| mse(y, &targets, None)).assert_ok();
    right(|y| binary_cross_entropy(y, &shares, None)).assert_ok();
    let weighted = CrossEntropy::new().ignored(3).weights(Tensor::from([0.5, 2.0, 1.0, 1.0])).unwrap();
    right(|y| Ok(weighted.forward(y, &labels, Some(&mask))?.loss)).assert_ok();
    let masked = [
        right(|y| Ok(CrossEntropy::new().forward(y, &labels, Some(&mask))?.loss)),
        right(|y| mse(y, &targets, Some(&mask))),
        right(|y| binary_cross_entropy(y, &shares, Some(&mask))),
    ];
    for report in masked {
        report.assert_ok();
        // No row counts at step 1: that nothing was tested there is said.
        let verdicts: Vec<_> = report.rows().iter().map(|row| row.verdict).collect();
        assert_eq!(verdicts, [Verdict::Verified, Verdict::NotVerifiable, Verdict::Verified], "{report}");
    }
}

/// The loss that is learned from: `mean (x w - y)²`, small enough for a derivative of a derivative by hand.
fn inner<'t>(w: &Var<'t, f64>, x: &Var<'t, f64>) -> Var<'t, f64> {
    (x.matmul(w).tanh() - normal([3, 2], 4)).square().mean()
}

fn data() -> (Tensor<f64>, Tensor<f64>) {
    (normal([3, 4], 1), normal([4, 2], 2))
}

/// One step of gradient descent within the forward pass, as in learning to learn: the outer loss is that after the step,
/// and its gradient leads through the inner gradient.
#[test]
fn a_step_of_gradient_descent() {
    let (x, w) = data();
    let check = Check::new().input("x", x.clone()).input("w", w.clone()).input("lr", Tensor::scalar(0.3));
    let report = check.run(|_, p| {
        let dw = inner(&p["w"], &p["x"]).backward_recorded()?.get(&p["w"]).unwrap().clone();
        let w = &p["w"] - dw * &p["lr"];
        Ok([("w", w.clone()), ("loss", inner(&w, &p["x"]))].into())
    });
    let report = report.unwrap();
    report.assert_ok();
    assert!(report.rows().iter().all(|row| row.verdict == Verdict::Verified), "{report}");
    // Without the second derivative, as "first order" methods leave it out, the same step is wrong.
    let report = check.run(|tape, p| {
        let dw = inner(&p["w"], &p["x"]).backward_recorded()?.get(&p["w"]).unwrap().clone();
        let w = &p["w"] - tape.constant(dw.detach()) * &p["lr"];
        Ok([("loss", inner(&w, &p["x"]))].into())
    });
    assert_eq!(report.unwrap().wrong(), ["x", "w"]);
    // The step is that of the optimizer.
    let (tape, param) = (Tape::new(), Param::new("w", w.clone()));
    let grads = inner(&tape.param(&param), &tape.var(x)).backward().unwrap();
    Sgd::new(0.3).step(&grads).unwrap();
    assert_close!(param.value(), w - grads.get(&param).unwrap() * 0.3, 1e-12, 1e-15);
}

/// The first step of Adam, from its formula: both running means are corrected to `dw` and `dw²`.
#[test]
fn a_step_of_adam() {
    let (x, w) = data();
    let step = |w: &Var<'_, f64>, dw: &Var<'_, f64>| w.value() - dw.value() * 0.1 / (dw.value().abs() + 1e-8);
    let check = Check::new().input("x", x.clone()).input("w", w.clone());
    let report = check.run(|_, p| {
        let dw = inner(&p["w"], &p["x"]).backward_recorded()?.get(&p["w"]).unwrap().clone();
        // The eps of 1e-8 would make a step function of it; a smooth one has derivatives to be compared.
        let moved = &p["w"] - &dw * 0.1 / ((dw.square() + 1e-4).sqrt());
        Ok([("loss", inner(&moved, &p["x"])), ("w", moved)].into())
    });
    report.unwrap().assert_ok();
    let (tape, param) = (Tape::new(), Param::new("w", w));
    let (wv, xv) = (tape.param(&param), tape.var(x));
    let loss = inner(&wv, &xv);
    let expected = step(&wv, loss.backward_recorded().unwrap().get(&wv).unwrap());
    Adam::new(0.1).step(&loss.backward().unwrap()).unwrap();
    assert_close!(param.value(), expected, 1e-12, 0.0);
}
