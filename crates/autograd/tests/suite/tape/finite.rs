//! The first value that is not finite, named.

use retrograde_autograd::{Direction, Error, Param, Tape, Var};
use retrograde_tensor::Tensor;

/// Steps `h = tanh(x_t·Wx + h·Wh)` over slices of `xs`, and the line that records `tanh`.
fn rnn<'t>(tape: &'t Tape<f64>, xs: Tensor<f64>, wh: f64) -> (Var<'t, f64>, u32) {
    let wx = Param::new("Wx", Tensor::from([[0.5, -0.5], [0.1, 0.2]]));
    let wh = Param::new("Wh", Tensor::from([[wh, 0.1], [-0.2, 0.3]]));
    let steps = xs.dims()[1];
    let xs = tape.var(xs).named("xs");
    let mut h = tape.constant(Tensor::zeros([1, 2])).named("h");
    let mut line = 0;
    for step in 0..steps {
        tape.set_step(Some(step));
        let x = xs.select(1, step).named("x");
        line = line!() + 1;
        h = (x.matmul(&wx) + h.matmul(&wh)).tanh().named("h");
    }
    tape.set_step(None);
    (h, line)
}

/// The column of `part` in a line of this file.
fn column(line: u32, part: &str) -> usize {
    let line = include_str!("finite.rs").lines().nth(line as usize - 1).unwrap();
    line.find(part).unwrap_or_else(|| panic!("{part} is not in {line}")) + 1
}

#[test]
fn finite_values_are_left_in_peace() {
    let tape = Tape::new();
    let (h, _) = rnn(&tape, Tensor::from_fn([1, 5, 2], |at| at[1] as f64 - at[2] as f64), 0.4);
    let nodes = tape.len();
    assert_eq!(h.sum().check_finite(), Ok(()));
    assert_eq!(tape.check_finite(&[(&h, &Tensor::from([[1.0, -2.0]]))]), Ok(()));
    assert_eq!(tape.len(), nodes + 1);
}

/// An input that is NaN at step 3 is itself the first.
#[test]
fn an_input_that_is_nan() {
    let tape = Tape::new();
    let mut xs = Tensor::from_fn([1, 5, 2], |at| at[1] as f64);
    xs.set(&[0, 3, 1], f64::NAN).unwrap();
    let (h, _) = rnn(&tape, xs, 0.4);
    let error = h.sum().check_finite().unwrap_err();
    let Error::NonFinite(found) = &error else { panic!("{error}") };
    assert_eq!(
        (found.direction, found.name.as_str(), &found.index[..]),
        (Direction::Forward, "xs", &[0, 3, 1][..])
    );
    let expected = format!(
        "forward: expected finite values, found NaN at [0, 3, 1] of xs in variable xs, [1, 5, 2], recorded at {}",
        found.location
    );
    assert_eq!(error.to_string(), expected);
    assert_eq!(found.location.file(), file!());
}

/// Something that becomes NaN at step 2 is named with its step, and with the line that recorded it.
#[test]
fn a_value_that_becomes_nan_at_a_step() {
    let tape = Tape::new();
    let xs = tape.var(Tensor::from([[1.0_f64, 4.0, -1.0, -9.0]])).named("xs");
    let mut y = tape.constant(Tensor::zeros([1]));
    let mut line = 0;
    for step in 0..4 {
        tape.set_step(Some(step));
        let x = xs.select(1, step).named("x");
        line = line!() + 1;
        y = (y + x.ln()).named("y");
    }
    let error = y.sum().check_finite().unwrap_err();
    let Error::NonFinite(found) = &error else { panic!("{error}") };
    assert_eq!(found.step, Some(2));
    let node = found.name.clone();
    let expected = format!(
        "forward: expected finite values, found NaN at [0] of {node} in {node} = ln(x_2), [1] -> [1], at step 2, \
         recorded at {}:{line}:{}",
        file!(),
        column(line, "ln()")
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_exponential_that_overflows() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 800.0]])).named("x");
    let line = line!() + 1;
    let y = x.exp().named("y");
    let loss = (&y / &y).sum();
    let expected = format!(
        "forward: expected finite values, found inf at [1, 1] of y in y = exp(x), [2, 2] -> [2, 2], \
         recorded at {}:{line}:{}",
        file!(),
        column(line, "exp()")
    );
    assert_eq!(loss.check_finite().unwrap_err().to_string(), expected);
}

/// The values are finite, and so is the loss: only the way back is not.
#[test]
fn a_square_root_at_zero_on_the_way_back() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([4.0_f64, 0.0, 1.0])).named("x");
    let line = line!() + 1;
    let y = x.square().sqrt().named("y");
    let loss = y.sum();
    assert!(loss.value().item().unwrap().is_finite());
    let expected = format!(
        "backward: expected finite values, found inf at [1] of dv1 in y = sqrt(v1), [3] -> [3], \
         recorded at {}:{line}:{}",
        file!(),
        column(line, "sqrt()")
    );
    assert_eq!(loss.check_finite().unwrap_err().to_string(), expected);
}

/// Cotangents that grow at each step: the first step at which they overflow, counted from the end, is found.
#[test]
fn a_gradient_that_explodes() {
    let tape = Tape::<f64>::new();
    let w = tape.constant(Tensor::from([[1e100]])).named("w");
    let mut h = tape.var(Tensor::from([[1e-300]])).named("h");
    let mut line = 0;
    for step in 0..5 {
        tape.set_step(Some(step));
        line = line!() + 1;
        h = (h.matmul(&w) * 1e-90).named("h");
    }
    let y = h.sum() * 1e290;
    let error = y.check_finite().unwrap_err();
    let Error::NonFinite(found) = &error else { panic!("{error}") };
    assert_eq!((found.direction, found.step), (Direction::Backward, Some(3)));
    let expected = format!(
        "backward: expected finite values, found inf at [0, 0] of dh_2 in {} = matmul(h_2, w), \
         [1, 1], [1, 1] -> [1, 1], at step 3, recorded at {}:{line}:{}",
        found.source.split(' ').next().unwrap(),
        file!(),
        column(line, "matmul")
    );
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_cotangent_that_is_given() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0_f64, 2.0])).named("x");
    let line = line!() + 1;
    let y = x.tanh().named("y");
    let error = tape.check_finite(&[(&y, &Tensor::from([1.0, f64::NEG_INFINITY]))]).unwrap_err();
    let expected = format!(
        "backward: expected finite values, found -inf at [1] of dy in y = tanh(x), [2] -> [2], \
         recorded at {}:{line}:{}",
        file!(),
        column(line, "tanh()")
    );
    assert_eq!(error.to_string(), expected);
}
