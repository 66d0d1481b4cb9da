//! Operations with a backward pass of their own.

use std::sync::Arc;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Error, Function, Op, Param, Plain, Result, Tape, Var};
use retrograde_derivation::DeriveVar;
use retrograde_tensor::{Tensor, assert_close};

/// The fault in the backward pass of [`Gated`].
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    Count,
    Shape,
}

/// `y = x0 ⊙ tanh(x1)` for two inputs of one shape.
struct Gated(Fault);

impl Function<f64> for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        if x[0].shape() != x[1].shape() {
            let (expected, found) = (Box::new(x[0].shape()), Box::new(x[1].shape()));
            return Err(Error::InputShape { op: self.name(), expected, found });
        }
        Ok(x[0] * &x[1].tanh())
    }

    fn backward(&self, x: &[&Tensor<f64>], y: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        let slope = 1.0 - x[1].tanh().square();
        let (d0, d1) = (dy * &x[1].tanh(), dy * &(x[0] * &slope));
        assert_eq!(y, &(x[0] * &x[1].tanh()));
        match self.0 {
            Fault::None => vec![Some(d0), Some(d1)],
            Fault::Count => vec![Some(d0)],
            Fault::Shape => vec![Some(d0), Some(d1.sum_axis(0, false))],
        }
    }
}

fn gated(fault: Fault) -> Arc<Gated> {
    Arc::new(Gated(fault))
}

fn normal<const R: usize>(shape: [usize; R], seed: u64) -> Tensor<f64> {
    Tensor::normal(shape, 0.0, 1.0, &mut StdRng::seed_from_u64(seed)).unwrap()
}

#[test]
fn its_gradients_over_numbers_that_are_given() {
    let tape = Tape::new();
    let (x, w) = (tape.var(normal([3, 2], 5)), tape.var(normal([3, 2], 6)));
    let y = tape.call(gated(Fault::None), &[&(&x * &w), &x]).square();
    let dy = normal([3, 2], 7);
    let expected = y.backward_with(&dy).unwrap();
    let found = tape.backward_in(&[(&y, &dy)], |x| x).unwrap();
    for x in [&x, &w] {
        assert_close!(found.get(x).unwrap(), expected.get(x).unwrap(), 1e-14, 1e-15);
    }
}

#[test]
fn its_gradients_are_those_of_the_composition() {
    let (x, c) = (normal([3, 2], 1), normal([3, 2], 2));
    let (w, dy) = (Param::new("w", normal([3, 2], 3)), normal([2, 3], 4));
    let gradients = |by_hand: bool| {
        let tape = Tape::new();
        let (x, c, w) = (tape.var(x.clone()), tape.constant(c.clone()), tape.param(&w));
        let gate = |a: &_, b: &_| {
            if by_hand { tape.call(gated(Fault::None), &[a, b]) } else { a * b.tanh() }
        };
        let inner = gate(&(&x + &w), &w).retain_grad(); // an input used twice, and in one call twice
        let y = gate(&gate(&c, &inner), &x).t();
        let grads = y.backward_with(&dy).unwrap();
        assert!(grads.get(&c).is_none());
        [grads.get(&x), grads.get(&w), grads.get(&inner)].map(|g| g.unwrap().clone())
    };
    for (by_hand, derived) in gradients(true).into_iter().zip(gradients(false)) {
        assert_close!(by_hand, derived, 1e-14, 1e-15);
    }
}

#[test]
fn a_tape_that_does_not_record_computes_it() {
    let tape = Tape::inference();
    let (x, c) = (normal([2, 3], 1), normal([2, 3], 2));
    let y = tape.call(gated(Fault::None), &[&tape.var(x.clone()), &tape.var(c.clone())]);
    assert_eq!(y.value(), &(x * c.tanh()));
    assert!(tape.is_empty());
}

#[test]
fn what_does_not_depend_on_a_variable_is_not_kept() {
    let tape = Tape::new();
    let c = tape.constant(normal([2], 1));
    let before = tape.kept_bytes();
    let y = tape.call(gated(Fault::None), &[&c, &c]);
    assert_eq!(tape.kept_bytes(), before);
    let x = tape.var(normal([2], 2));
    assert!((&x * &y).sum().backward_recorded().is_ok());
}

#[test]
fn it_is_printed_by_its_name() {
    let tape = Tape::new();
    let (x, c) = (tape.var(normal([2], 1)).named("x"), tape.var(normal([2], 2)).named("c"));
    let _y = tape.call(gated(Fault::None), &[&x, &c]).named("y").square();
    let expected = "\
#  name  op        operands  shape  kept
0  x     variable            [2]    16 B
1  c     variable            [2]    16 B
2  y     gated     x, c      [2]    16 B
3        square    y         [2]
4 nodes, 48 B kept
";
    assert_eq!(tape.to_string(), expected);
    assert_eq!(tape.ops(), [Op::Unary(retrograde_autograd::op::Unary::Square)]);
}

#[test]
fn a_replay_computes_it_again() {
    let tape = Tape::new();
    let (x, c) = (tape.var(normal([2], 1)), tape.var(normal([2], 2)));
    let y = tape.call(gated(Fault::None), &[&x, &c]).square();
    let moved = normal([2], 3);
    let expected = (&moved * &c.value().tanh()).square();
    assert_eq!(tape.replay(&[&y], &[(&x, &moved)]).unwrap(), [expected]);
}

#[test]
fn the_first_value_that_is_not_finite_is_found_in_it() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0, f64::MAX])).named("x");
    let c = tape.var(Tensor::from([0.5, 0.3])).named("c");
    let y = tape.call(gated(Fault::None), &[&x, &c]).named("y");
    let error = y.square().sum().check_finite().unwrap_err().to_string();
    assert!(error.starts_with("forward: expected finite values, found inf at [1] of v3"), "{error}");
    let dy = Tensor::from([1.0, 1e10]);
    let error = tape.check_finite(&[(&y, &dy)]).unwrap_err().to_string();
    let expected =
        "backward: expected finite values, found inf at [1] of dc in y = gated(x, c), [2], [2] -> [2]";
    assert!(error.starts_with(expected), "{error}");
}

#[test]
fn a_leaf_is_not_what_it_returns() {
    let tape = Tape::new();
    let x = tape.var(normal([2], 1));
    let y = tape.call(gated(Fault::None), &[&x, &x]);
    let refused = Err(Error::NotALeaf { op: "replay" });
    assert_eq!(tape.replay(&[&y], &[(&y, &normal([2], 1))]), refused);
}

#[track_caller]
fn refused<T>(result: Result<T>, text: &str) {
    match result {
        Ok(_) => panic!("expected the error {text:?}"),
        Err(error) => assert_eq!(error.to_string(), text),
    }
}

#[test]
fn cotangents_that_do_not_fit_are_refused() {
    let tape = Tape::new();
    let (x, c) = (tape.var(normal([3, 2], 1)), tape.var(normal([3, 2], 2)));
    let y = |fault| tape.call(gated(fault), &[&x, &c]).sum();
    let text = "gated: expected 2 cotangents, one for each input, found 1";
    refused(y(Fault::Count).backward(), text);
    refused(y(Fault::Count).check_finite(), text);
    let text = "gated: expected a cotangent of shape [3, 2] for input 1, found [2]";
    refused(y(Fault::Shape).backward(), text);
    refused(y(Fault::Shape).check_finite(), text);
}

#[test]
fn inputs_that_it_refuses() {
    let (tape, other) = (Tape::new(), Tape::new());
    let (x, c) = (tape.var(normal([2], 1)), tape.var(normal([3], 2)));
    let text = "gated: expected a tensor of the input's shape [2], found [3]";
    refused(tape.try_call(gated(Fault::None), &[&x, &c]), text);
    let foreign = other.var(normal([2], 1));
    let text = "gated: expected a variable of this tape, found one of another tape";
    refused(tape.try_call(gated(Fault::None), &[&x, &foreign]), text);
    assert_eq!(tape.len(), 2);
    let call = std::panic::AssertUnwindSafe(|| tape.call(gated(Fault::None), &[&x, &c]));
    let panic = std::panic::catch_unwind(call).unwrap_err();
    let text = "gated: expected a tensor of the input's shape [2], found [3]";
    assert_eq!(panic.downcast_ref::<String>().map(String::as_str), Some(text));
}

/// Every reading that needs a rule says so; none panics, and none gives a number.
#[test]
fn it_has_a_first_derivative_and_no_more() {
    let tape = Tape::new();
    let (x, c) = (tape.var(normal([2], 1)), tape.var(normal([2], 2)));
    let y = tape.call(gated(Fault::None), &[&x, &c]).sum();
    let before = tape.len();
    let text = |op| {
        format!(
            "{op}: expected operations of the table of rules, found gated, which has a backward pass of its own"
        )
    };
    refused(y.hvp(&[(&x, &normal([2], 3))]), &text("backward_recorded"));
    assert_eq!(tape.len(), before);
    refused(y.backward_recorded(), &text("backward_recorded"));
    refused(y.derivation(), &text("derivation"));
    refused(tape.backward_over(&[(&y, Plain(Tensor::scalar(1.0)))], Plain), &text("backward_over"));
    refused(tape.jvp(&[&y], &[(&x, &normal([2], 3))]), &text("jvp"));
    // Where nothing moves through it, the derivative is zero whatever it is.
    let b = tape.var(normal([2], 4));
    let (u, z) = (normal([2], 5), &y * &b);
    assert_eq!(tape.jvp(&[&z], &[(&b, &u)]).unwrap(), [y.value() * &u]);
}

/// As [`Gated`], and says so in operations.
struct Composed(Gated);

impl Function<f64> for Composed {
    fn name(&self) -> &'static str {
        "composed"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        self.0.forward(x)
    }
    fn backward(&self, x: &[&Tensor<f64>], y: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        self.0.backward(x, y, dy)
    }
    fn expand<'t>(&self, x: &[&Var<'t, f64>]) -> Option<Result<Var<'t, f64>>> {
        Some(x[0].try_mul(x[1].tanh()))
    }
}

/// Squares [`Composed`], with a constant in between: an expansion within an expansion.
struct Outer;

impl Function<f64> for Outer {
    fn name(&self) -> &'static str {
        "outer"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        Ok((Gated(Fault::None).forward(&[x[1], x[0]])? * 3.0).square())
    }
    fn backward(&self, x: &[&Tensor<f64>], _: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        let inner = Gated(Fault::None).forward(&[x[1], x[0]]).unwrap();
        let mut d = Gated(Fault::None).backward(&[x[1], x[0]], &inner, &(dy * &(&inner * 18.0)));
        d.reverse();
        d
    }
    fn expand<'t>(&self, x: &[&Var<'t, f64>]) -> Option<Result<Var<'t, f64>>> {
        let three = x[0].tape().constant(Tensor::scalar(3.0));
        let inner = x[0].tape().call(Arc::new(Composed(Gated(Fault::None))), &[x[1], x[0]]);
        Some(Ok((inner * three).square()))
    }
}

/// Every reading sees through it to the operations: the same as if they had been recorded.
#[test]
fn it_may_say_what_it_stands_for() {
    let (w, u) = (Param::new("w", normal([3, 2], 3)), normal([3, 2], 4));
    for segments in [false, true] {
        let of = |expanded: bool| {
            let tape = Tape::new();
            let (x, c) = (tape.var(normal([3, 2], 1)).named("x"), tape.constant(normal([3, 2], 2)));
            let record = || {
                let t = (&x * &w).named("t");
                let z = match expanded {
                    true => tape.call(Arc::new(Outer), &[&t, &x]),
                    false => ((&x * t.tanh()) * tape.constant(Tensor::scalar(3.0))).square(),
                };
                (z * &c).sum()
            };
            let y = if segments { tape.recompute(record) } else { record() };
            let nodes = (tape.len(), tape.kept_bytes());
            let directions = [(&x, &u)];
            let hvp = y.hvp(&directions).unwrap();
            let plain = tape.backward_over(&[(&y, Plain(Tensor::scalar(1.0)))], Plain).unwrap();
            let jvp = tape.jvp(&[&y], &directions).unwrap();
            y.check_finite().unwrap();
            assert_eq!((tape.len(), tape.kept_bytes()), nodes);
            let lines = y.derivation().unwrap();
            assert!(lines.numpy("Layer").is_ok() && lines.rust("Layer").is_ok());
            let recorded = y.backward_recorded().unwrap();
            let second = recorded.get(&x).unwrap().square().sum().backward().unwrap();
            let mut all = jvp;
            for gradients in [hvp, y.backward().unwrap(), second] {
                all.extend([gradients.get(&x).unwrap().clone(), gradients.get(&w).unwrap().clone()]);
            }
            all.extend([plain.get(&x).unwrap().0.clone(), plain.get(&w).unwrap().0.clone()]);
            (all, lines.to_string())
        };
        let ((found, lines), (expected, _)) = (of(true), of(false));
        for (found, expected) in found.iter().zip(&expected) {
            assert_close!(found, expected, 1e-12, 1e-13);
        }
        assert!(lines.contains("dt = ") && lines.contains("dw = "), "{lines}");
        assert!(lines.contains("tanh(t)"), "{lines}");
    }
}

/// A function that fails or gives another shape from the second time on.
struct Moody(std::sync::atomic::AtomicUsize, bool);

impl Function<f64> for Moody {
    fn name(&self) -> &'static str {
        "moody"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        match (self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed), self.1) {
            (0, _) => Ok(x[0].clone()),
            (_, true) => Err(Error::NotALeaf { op: "moody" }),
            (_, false) => Ok(Tensor::zeros([7])),
        }
    }
    fn backward(&self, _: &[&Tensor<f64>], _: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        vec![Some(dy.clone())]
    }
    fn expand<'t>(&self, x: &[&Var<'t, f64>]) -> Option<Result<Var<'t, f64>>> {
        Some(Ok(x[0] * 1.0))
    }
}

#[test]
fn its_failure_the_second_time_is_an_error() {
    for fails in [true, false] {
        let tape = Tape::new();
        let x = tape.var(normal([2], 1));
        let y = tape.recompute(|| tape.call(Arc::new(Moody(0.into(), fails)), &[&x]).exp()).square().sum();
        let (nodes, one) = ((tape.len(), tape.kept_bytes()), Tensor::scalar(1.0));
        let text = if fails {
            "moody: expected a variable, parameter or constant, found the result of an operation"
        } else {
            "moody: expected an output of shape [2], as when it was recorded, found [7]"
        };
        refused(y.backward(), text);
        refused(y.backward(), text);
        refused(tape.backward_observed(&[(&y, &one)], |_| {}), text);
        refused(tape.backward_over(&[(&y, Plain(one.clone()))], Plain), text);
        refused(y.hvp(&[(&x, &normal([2], 2))]), text);
        refused(tape.replay(&[&y], &[]), text);
        refused(tape.jvp(&[&y], &[]), text);
        refused(y.check_finite(), text);
        assert_eq!((tape.len(), tape.kept_bytes()), nodes);
        refused(y.backward_recorded(), text);
    }
}

/// Operations of a segment can be swept before the segment ends.
#[test]
fn a_backward_pass_within_a_segment_has_its_values() {
    let tape = Tape::new();
    let x = tape.var(normal([2], 1));
    let expected = x.tanh().exp().sum().backward().unwrap();
    let found = tape.recompute(|| x.tanh().exp().sum().backward().unwrap());
    assert_eq!(found.get(&x), expected.get(&x));
}
