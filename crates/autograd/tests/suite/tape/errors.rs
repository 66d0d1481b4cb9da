//! Every error, word for word: as a value from a `try_` method, and as the panic of its twin.

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::{Arc, Mutex};
use std::thread::current;

use retrograde_autograd::{Error, Param, Result, Tape, Var};
use retrograde_derivation::{DeriveTape, DeriveVar};
use retrograde_tensor::Tensor;

/// A method that panics, by its text and its `try_` twin by its error.
fn both<T, U>(text: &str, checked: impl FnOnce() -> Result<T>, panicking: impl FnOnce() -> U) {
    match checked() {
        Ok(_) => panic!("expected the error {text:?}"),
        Err(error) => assert_eq!(error.to_string(), text),
    }
    match catch_unwind(AssertUnwindSafe(panicking)) {
        Ok(_) => panic!("expected a panic with {text:?}"),
        Err(payload) => assert_eq!(payload.downcast_ref::<String>().map(String::as_str), Some(text)),
    }
}

#[track_caller]
fn refused<T>(result: Result<T>, text: &str) {
    match result {
        Ok(_) => panic!("expected the error {text:?}"),
        Err(error) => assert_eq!(error.to_string(), text),
    }
}

#[test]
fn operands_that_do_not_broadcast() {
    let tape = Tape::<f64>::new();
    let (a, b) = (&tape.var(Tensor::zeros([2, 3])), &tape.var(Tensor::zeros([4])));
    let text = |op| format!("{op}: expected shapes that broadcast together, found [2, 3] and [4]");
    both(&text("add"), || a.try_add(b), || a + b);
    both(&text("sub"), || a.try_sub(b), || a - b);
    both(&text("mul"), || a.try_mul(b), || a * b);
    both(&text("div"), || a.try_div(b), || a / b);
    both(&text("maximum"), || a.try_maximum(b), || a.maximum(b));
    both(&text("minimum"), || a.try_minimum(b), || a.minimum(b));
    both(&text("gt"), || a.try_gt(b), || a.gt(b));
    both(&text("ge"), || a.try_ge(b), || a.ge(b));
    both(&text("lt"), || a.try_lt(b), || a.lt(b));
    both(&text("le"), || a.try_le(b), || a.le(b));
    both(&text("eq_mask"), || a.try_eq_mask(b), || a.eq_mask(b));
    both(&text("ne_mask"), || a.try_ne_mask(b), || a.ne_mask(b));
    both(&text("where_mask"), || a.try_where_mask(a, b), || a.where_mask(a, b));
}

#[test]
fn operands_that_do_not_multiply() {
    let tape = Tape::<f64>::new();
    let of = |dims: &[usize]| tape.var(Tensor::zeros(retrograde_tensor::Shape::new(dims).unwrap()));
    let product = |a: &[usize], b: &[usize], text: &str| {
        let (a, b) = (of(a), of(b));
        both(text, || a.try_matmul(&b), || a.matmul(&b));
    };
    product(&[2, 3], &[4, 5], "matmul: expected inner dimensions to agree, found [2, 3] and [4, 5]");
    product(&[3], &[4, 5], "matmul: expected inner dimensions to agree, found [3] and [4, 5]");
    product(&[2, 3], &[4], "matmul: expected inner dimensions to agree, found [2, 3] and [4]");
    product(&[3], &[4], "matmul: expected inner dimensions to agree, found [3] and [4]");
    product(
        &[2, 3, 4],
        &[5, 4, 6],
        "matmul: expected shapes that broadcast together, found [2, 3, 4] and [5, 4, 6]",
    );
    product(&[], &[4, 5], "matmul: expected at least 1 axes, found []");
    product(&[4], &[], "matmul: expected at least 1 axes, found []");
}

#[test]
fn axes_that_are_not_there() {
    let tape = Tape::<f64>::new();
    let x = &tape.var(Tensor::zeros([2, 3]));
    let text = |op| format!("{op}: expected an axis below 2, found 2 in [2, 3]");
    both(&text("softmax"), || x.try_softmax(2), || x.softmax(2));
    both(&text("log_softmax"), || x.try_log_softmax(2), || x.log_softmax(2));
    both(&text("logsumexp"), || x.try_logsumexp(2, true), || x.logsumexp(2, true));
    both(&text("sum_axes"), || x.try_sum_axes(&[2], true), || x.sum_axes(&[2], true));
    both(&text("mean_axes"), || x.try_mean_axes(&[2], true), || x.mean_axes(&[2], true));
    both(&text("max_axes"), || x.try_max_axes(&[2], true), || x.max_axes(&[2], true));
    both(&text("min_axes"), || x.try_min_axes(&[2], true), || x.min_axes(&[2], true));
    both(&text("narrow"), || x.try_narrow(2, 0, 1), || x.narrow(2, 0, 1));
    both(&text("pad"), || x.try_pad(2, 0, 9), || x.pad(2, 0, 9));
    both(&text("select"), || x.try_select(2, 0), || x.select(2, 0));
    both(&text("squeeze"), || x.try_squeeze(2), || x.squeeze(2));
    both(&text("transpose"), || x.try_transpose(0, 2), || x.transpose(0, 2));
    let one = [x.clone()];
    both(&text("concat"), || Var::try_concat(&one, 2), || Var::concat(&one, 2));
    let text = |op| format!("{op}: expected a new axis at most at 2, found 3 in [2, 3]");
    both(&text("unsqueeze"), || x.try_unsqueeze(3), || x.unsqueeze(3));
    both(&text("stack"), || Var::try_stack(&one, 3), || Var::stack(&one, 3));
    let text = |op| format!("{op}: expected distinct axes, found [1, 1] in [2, 3]");
    both(&text("sum_axes"), || x.try_sum_axes(&[1, 1], true), || x.sum_axes(&[1, 1], true));
    both(&text("max_axes"), || x.try_max_axes(&[1, 1], true), || x.max_axes(&[1, 1], true));
    let text = "permute: expected each axis of [2, 3] once, found [0, 0]";
    both(text, || x.try_permute(&[0, 0]), || x.permute(&[0, 0]));
    let scalar = x.sum();
    both("t: expected at least 2 axes, found []", || scalar.try_t(), || scalar.t());
}

#[test]
fn shapes_and_ranges_that_do_not_fit() {
    let tape = Tape::<f64>::new();
    let (x, empty) = (&tape.var(Tensor::zeros([2, 3])), &tape.var(Tensor::zeros([2, 0])));
    let text = "reshape: expected a shape of 6 elements for [2, 3], found [4]";
    both(text, || x.try_reshape([4]), || x.reshape([4]));
    let text = "broadcast_to: expected a shape that broadcasts to [2, 4], found [2, 3]";
    both(text, || x.try_broadcast_to([2, 4]), || x.broadcast_to([2, 4]));
    let text = "sum_to: expected a shape that broadcasts to [2, 3], found [4]";
    both(text, || x.try_sum_to([4]), || x.sum_to([4]));
    let text = "narrow: expected start + length within axis 1 of size 3, found 2 + 2 in [2, 3]";
    both(text, || x.try_narrow(1, 2, 2), || x.narrow(1, 2, 2));
    let text = "pad: expected start + length within axis 1 of size 4, found 2 + 3 in [2, 4]";
    both(text, || x.try_pad(1, 2, 4), || x.pad(1, 2, 4));
    let text = "select: expected an index below 3 along axis 1, found 3 in [2, 3]";
    both(text, || x.try_select(1, 3), || x.select(1, 3));
    both("squeeze: expected axis 0 to have size 1, found [2, 3]", || x.try_squeeze(0), || x.squeeze(0));
    let text = "max_axes: expected at least one element along the reduced axes, found [2, 0]";
    both(text, || empty.try_max_axes(&[1], true), || empty.max_axes(&[1], true));
    let text = "min_axes: expected at least one element along the reduced axes, found [2, 0]";
    both(text, || empty.try_min_axes(&[1], true), || empty.min_axes(&[1], true));

    let other = tape.var(Tensor::zeros([4, 4]));
    let parts = [x.clone(), other];
    let text = "concat: expected shapes that differ only in axis 0, found [2, 3] and [4, 4]";
    both(text, || Var::try_concat(&parts, 0), || Var::concat(&parts, 0));
    let text = "stack: expected shape [2, 3], found [4, 4]";
    both(text, || Var::try_stack(&parts, 0), || Var::stack(&parts, 0));
    let none: [Var<'_, f64>; 0] = [];
    let text = |op| format!("{op}: expected at least one tensor, found none");
    both(&text("concat"), || Var::try_concat(&none, 0), || Var::concat(&none, 0));
    both(&text("stack"), || Var::try_stack(&none, 0), || Var::stack(&none, 0));

    let indices = Tensor::from([1, 2]);
    let text = "gather_rows: expected an index below 2, found 2 at [1] of [2]";
    both(text, || x.try_gather_rows(&indices), || x.gather_rows(&indices));
    let text = "scatter_add_rows: expected an index below 2, found 2 at [1] of [2]";
    both(text, || x.try_scatter_add_rows(2, &indices), || x.scatter_add_rows(2, &indices));
    let indices = Tensor::from([1, 2, 3]);
    let text = "scatter_add_rows: expected a shape that starts with [3], found [2, 3]";
    both(text, || x.try_scatter_add_rows(9, &indices), || x.scatter_add_rows(9, &indices));
}

#[test]
fn bounds_that_exclude_every_number() {
    let tape = Tape::<f64>::new();
    let x = &tape.var(Tensor::zeros([2]));
    let text = "clamp: expected a lower bound that is at most the upper bound, found 1 and -1";
    both(text, || x.try_clamp(1.0, -1.0), || x.clamp(1.0, -1.0));
    let text = "clamp: expected a lower bound that is at most the upper bound, found NaN and 1";
    both(text, || x.try_clamp(f64::NAN, 1.0), || x.clamp(f64::NAN, 1.0));
}

#[test]
fn variables_of_another_tape() {
    let (tape, other) = (Tape::<f64>::new(), Tape::<f64>::new());
    let (x, y) = (&tape.var(Tensor::zeros([2])), &other.var(Tensor::zeros([2])));
    let v = &Tensor::zeros([2]);
    let text = |op| format!("{op}: expected a variable of this tape, found one of another tape");
    both(&text("add"), || x.try_add(y), || x + y);
    both(&text("mul"), || x.try_mul(y), || x * y);
    let parts = [x.clone(), y.clone()];
    both(&text("stack"), || Var::try_stack(&parts, 0), || Var::stack(&parts, 0));
    let gradients = x.backward_with(v).unwrap();
    both(&text("gradients"), || gradients.try_get(y), || gradients.get(y).cloned());
    refused(tape.backward(&[(y, v)]), &text("backward"));
    refused(tape.backward_recorded(&[(y, &x.clone())]), &text("backward"));
    refused(tape.backward_recorded(&[(x, y)]), &text("backward"));
    refused(tape.jvp(&[y], &[]), &text("jvp"));
    refused(tape.jvp(&[x], &[(y, v)]), &text("jvp"));
    refused(tape.replay(&[y], &[]), &text("replay"));
    refused(tape.derivation(&[y]), &text("derivation"));
    refused(tape.check_finite(&[(y, v)]), &text("backward"));
    refused(x.sum().hvp(&[(y, v)]), &text("hvp"));
}

#[test]
fn outputs_and_directions_of_the_wrong_shape() {
    let tape = Tape::<f64>::new();
    let x = &tape.var(Tensor::zeros([2, 3]));
    let y = &x.tanh();
    let text = "backward: expected a scalar, or a cotangent of the output's shape, \
                found an output of shape [2, 3] and none";
    refused(y.backward(), text);
    refused(y.backward_recorded(), text);
    refused(y.check_finite(), text);
    refused(y.hvp(&[]), text);
    let v = &Tensor::zeros([3, 2]);
    let text = "backward: expected a cotangent of shape [2, 3], found [3, 2]";
    refused(y.backward_with(v), text);
    refused(tape.backward_recorded(&[(y, &tape.constant(v.clone()))]), text);
    refused(tape.check_finite(&[(y, v)]), text);
    let text = |op| format!("{op}: expected a tensor of the input's shape [2, 3], found [3, 2]");
    refused(tape.jvp(&[y], &[(x, v)]), &text("jvp"));
    refused(tape.replay(&[y], &[(x, v)]), &text("replay"));
    refused(y.sum().hvp(&[(x, v)]), &text("hvp"));
    let u = &Tensor::zeros([2, 3]);
    let text =
        |op| format!("{op}: expected a variable, parameter or constant, found the result of an operation");
    refused(tape.jvp(&[y], &[(y, u)]), &text("jvp"));
    refused(tape.replay(&[y], &[(y, u)]), &text("replay"));
    refused(y.sum().hvp(&[(y, u)]), &text("hvp"));
}

#[test]
fn a_tape_that_does_not_record() {
    let tape = Tape::<f64>::inference();
    let x = &tape.var(Tensor::zeros([]));
    let text = |op| format!("{op}: expected a tape that records, found an inference tape");
    refused(x.backward(), &text("backward"));
    refused(x.backward_recorded(), &text("backward"));
    refused(x.check_finite(), &text("backward"));
    refused(x.derivation(), &text("derivation"));
    refused(x.hvp(&[]), &text("hvp"));
    refused(tape.jvp(&[x], &[]), &text("jvp"));
    refused(tape.replay(&[x], &[]), &text("replay"));
    let (a, b) = (&tape.var(Tensor::zeros([3])), &tape.var(Tensor::zeros([2])));
    both("add: expected shapes that broadcast together, found [3] and [2]", || a.try_add(b), || a + b);
}

#[test]
fn a_parameter_that_changes_shape() {
    let w = Param::new("Wx", Tensor::<f64>::zeros([2, 3]));
    let error = w.set(Tensor::zeros([3, 2])).unwrap_err();
    assert_eq!(error.to_string(), "parameter Wx: expected a value of shape [2, 3], found [3, 2]");
    assert!(matches!(error, Error::ParamShape { .. }));
}

/// The panic of an operator is at the line of the caller, not within the crate.
#[test]
fn a_panic_is_at_the_line_of_the_caller() {
    let tape = Tape::<f64>::new();
    let (a, b) = (tape.var(Tensor::zeros([2])), tape.var(Tensor::zeros([3])));
    let seen = Arc::new(Mutex::new(None));
    let default = Arc::new(take_hook());
    let (sink, otherwise, here) = (Arc::clone(&seen), Arc::clone(&default), current().id());
    set_hook(Box::new(move |info| match info.location() {
        Some(at) if current().id() == here => *sink.lock().unwrap() = Some((at.file().to_owned(), at.line())),
        _ => otherwise(info),
    }));
    let line = line!() + 1;
    let result = catch_unwind(AssertUnwindSafe(|| &a + &b));
    set_hook(Box::new(move |info| default(info)));
    assert!(result.is_err());
    assert_eq!(*seen.lock().unwrap(), Some((file!().to_owned(), line)));
}
