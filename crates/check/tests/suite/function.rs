//! Functions with a backward pass of their own, held against the oracles that can speak of them.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Function, Param, Result};
use retrograde_check::{Check, Oracle, Report, Verdict};
use retrograde_tensor::Tensor;

/// The fault of the backward pass of [`Gated`].
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Value,
}

/// `y = x0 ⊙ tanh(x1)` for two inputs of one shape.
struct Gated(Fault);

impl Function<f64> for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        Ok(x[0] * &x[1].tanh())
    }

    fn backward(&self, x: &[&Tensor<f64>], _y: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        let slope = 1.0 - x[1].tanh().square();
        let (d0, d1) = (dy * &x[1].tanh(), dy * &(x[0] * &slope));
        match self.0 {
            Fault::None => vec![Some(d0), Some(d1)],
            Fault::Value => vec![Some(d0), Some(d1 * 1.001)],
        }
    }
}

fn gated(fault: Fault) -> Arc<Gated> {
    Arc::new(Gated(fault))
}

fn normal<const R: usize>(shape: [usize; R], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut StdRng::seed_from_u64(seed)).unwrap()
}

fn check(fault: Fault, second_order: bool) -> Report {
    let v = Param::new("v", normal([4, 2], 3));
    let check = Check::new().input("x", normal([3, 2], 1)).input("w", normal([3, 4], 2)).params([&v]);
    check
        .second_order(second_order)
        .run(|tape, x| {
            let c = x["w"].matmul(&v);
            let y = tape.call(gated(fault), &[&x["x"], &c]);
            Ok([("y", y * &c)].into())
        })
        .unwrap()
}

#[test]
fn a_check_holds_it_against_finite_differences() {
    let report = check(Fault::None, true);
    report.assert_ok();
    assert!(report.rows().iter().all(|row| row.verdict == Verdict::Verified), "{report}");
    assert!(
        report.rows().iter().all(|row| row.measures[0].0 == Oracle::Differences && row.measures.len() == 1)
    );
    let silent: Vec<_> = report.not_applicable().iter().map(|found| (found.oracle, &*found.name)).collect();
    let [adjoint, second] = [Oracle::Adjoint, Oracle::SecondOrder];
    assert_eq!(
        silent,
        [(adjoint, "x"), (adjoint, "w"), (adjoint, "v"), (second, "x"), (second, "w"), (second, "v")]
    );
    let text = report.to_string();
    let expected = "adjoint identity not applicable: x, w, v\n  gated has a backward pass of its own\n";
    assert!(text.contains(expected), "{text}");
    assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
}

#[test]
fn a_check_finds_its_wrong_gradient() {
    let report = check(Fault::Value, false);
    assert_eq!(report.wrong(), ["w", "v"]);
    assert_eq!(report.caught_by(), [Oracle::Differences]);
}

/// The adjoint identity still speaks for what does not pass through it.
#[test]
fn a_check_asks_the_adjoint_where_it_can() {
    let b = Param::new("b", normal([2], 6));
    let report = Check::new()
        .input("x", normal([3, 2], 1))
        .params([&b])
        .run(|tape, x| Ok([("y", (tape.call(gated(Fault::None), &[&x["x"], &x["x"]]) + &b).tanh())].into()))
        .unwrap();
    report.assert_ok();
    let silent: Vec<_> = report.not_applicable().iter().map(|found| &*found.name).collect();
    assert_eq!(silent, ["x"]);
    let row = report.rows().iter().find(|row| row.name == "b").unwrap();
    assert!(row.measures.iter().any(|(oracle, _)| *oracle == Oracle::Adjoint), "{report}");
}
