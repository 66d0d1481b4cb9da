//! Why a check could not be carried out, word for word.

use retrograde_autograd::{Param, Tape};
use retrograde_check::{Check, Named};
use retrograde_tensor::Tensor;

fn x() -> Tensor<f64> {
    Tensor::from([[0.5, -0.25, 1.0], [0.1, 0.2, 0.3]])
}

/// The error of a check whose forward pass is `tanh` of `x`.
fn refused(check: Check) -> String {
    check.run(|_, x| Ok([("y", x["x"].tanh())].into())).unwrap_err().to_string()
}

#[test]
fn of_what_is_listed() {
    let w = Param::new("w", Tensor::ones([2]));
    assert_eq!(
        Check::new().run(|tape, _| Ok([("y", tape.var(x()))].into())).unwrap_err().to_string(),
        "check: expected at least one input or parameter with at least one element, found none"
    );
    assert_eq!(
        refused(Check::new().input("x", x()).input("x", x())),
        "check: expected distinct names, found x twice among the inputs and parameters"
    );
    assert_eq!(
        refused(Check::new().input("x", x()).param("u", &w).param("v", &w)),
        "check: expected each parameter once, found one as u and as v"
    );
    assert_eq!(
        refused(Check::new().input("x", x()).time_axis("xs", 1)),
        "check: expected one of x, y, found xs"
    );
    assert_eq!(
        refused(Check::new().input("x", x()).time_axis("x", 2)),
        "check: expected a time axis below 2 for x of shape [2, 3], found 2"
    );
    assert_eq!(
        refused(Check::new().input("x", Tensor::from([1.0, f64::NAN]))),
        "check: expected finite values, found x[1] = NaN"
    );
}

#[test]
fn of_settings() {
    let check = Check::new().input("x", x());
    assert_eq!(
        refused(check.clone().directions(0)),
        "check: expected at least one random direction, found 0"
    );
    for directions in [1001, usize::MAX] {
        let expected = format!("check: expected at most 1000 random directions, found {}", directions as f64);
        assert_eq!(refused(check.clone().directions(directions)), expected);
    }
    assert_eq!(
        refused(check.clone().tolerance(-1.0)),
        "check: expected a tolerance between 0 and 1, found -1"
    );
    assert_eq!(
        refused(check.exact_tolerance(f64::NAN)),
        "check: expected a tolerance between 0 and 1, found NaN"
    );
}

#[test]
fn of_a_parameter_that_nobody_listed() {
    let [wx, wh, b] = ["Wx", "Wh", "b"].map(|name| Param::new(name, Tensor::ones([3])));
    let check = Check::new().input("x", x()).params([&wx]);
    let error = check.run(|_, x| Ok([("y", &x["x"] * &wx * &wh + &b)].into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "check: expected every parameter of the forward pass to be listed, found also Wh, b"
    );
}

#[test]
fn of_outputs() {
    let check = Check::new().input("x", x());
    let none = "check: expected at least one output with at least one element, found none";
    assert_eq!(check.run(|_, _| Ok(Vec::<(&str, _)>::new().into())).unwrap_err().to_string(), none);
    let empty = check.run(|_, x| Ok([("y", x["x"].narrow(0, 0, 0))].into()));
    assert_eq!(empty.unwrap_err().to_string(), none);
    assert_eq!(
        check.run(|_, x| Ok([("y", x["x"].exp()), ("y", x["x"].tanh())].into())).unwrap_err().to_string(),
        "check: expected distinct names, found y twice among the outputs"
    );
    assert_eq!(
        check.run(|_, x| Ok([("y", x["x"].ln())].into())).unwrap_err().to_string(),
        "check: expected finite values, found y[0, 1] = NaN"
    );
    let other = Tape::new();
    let error = {
        let other: &'static Tape<f64> = Box::leak(Box::new(other));
        check.run(|_, _| Ok([("y", other.var(x()))].into())).unwrap_err()
    };
    assert_eq!(error.to_string(), "backward: expected a variable of this tape, found one of another tape");
}

#[test]
fn of_passes_that_fail() {
    let check = Check::new().input("x", x());
    assert_eq!(
        check.run(|_, x| Ok([("y", x.get("xs")?.tanh())].into())).unwrap_err().to_string(),
        "check: call 1 of the forward pass failed: check: expected one of x, found xs"
    );
    assert_eq!(
        check.run(|_, x| Ok([("y", x["x"].try_matmul(&x["x"])?)].into())).unwrap_err().to_string(),
        "check: call 1 of the forward pass failed: matmul: expected inner dimensions to agree, found [2, 3] and [2, 3]"
    );
    let error = check.compare(|_, x| Ok([("y", x["x"].tanh())].into()), |_, _| Err("no time".into()));
    assert_eq!(error.unwrap_err().to_string(), "check: call 1 of the explicit backward pass failed: no time");
}

#[test]
fn of_a_layer_that_is_not_repeatable() {
    let check = Check::new().input("x", x());
    let mut calls = 0.0;
    let error = check.run(|_, x| {
        calls += 1.0;
        Ok([("y", &x["x"] * calls)].into())
    });
    assert_eq!(
        error.unwrap_err().to_string(),
        "check: expected two runs to agree bit for bit, found y[0, 0] = 5e-1, then 1e0: \
         the layer is random or keeps state between calls"
    );

    let mut calls = 0;
    let error = check.run(|_, x| {
        calls += 1;
        Ok([("y", &x["x"] * if calls > 20 { 2.0 } else { 1.0 })].into())
    });
    assert_eq!(
        error.unwrap_err().to_string(),
        "check: expected two runs to agree bit for bit, found y[0, 0] = 5e-1, then 1e0: \
         the layer is random or keeps state between calls"
    );

    let mut calls = 0;
    let error = check.run(|_, x| {
        calls += 1;
        Ok([("y", x["x"].narrow(1, 0, if calls > 1 { 2 } else { 3 }))].into())
    });
    assert_eq!(
        error.unwrap_err().to_string(),
        "check: expected the outputs y [2, 3] of the first run, found y [2, 2]"
    );

    let mut calls = 0.0;
    let error = check.compare(
        |_, x| Ok([("y", &x["x"] * 2.0)].into()),
        |_, dy| {
            calls += 1.0;
            Ok([("x", Tensor::full(dy["y"].shape(), calls))].into())
        },
    );
    assert_eq!(
        error.unwrap_err().to_string(),
        "check: expected two runs to agree bit for bit, found the gradient of x[0, 0] = 1e0, then 2e0: \
         the layer is random or keeps state between calls"
    );
}

type Listed = Vec<(&'static str, Tensor<f64>)>;

#[test]
fn of_explicit_gradients() {
    let b = Param::new("b", Tensor::zeros([3]));
    let w = Param::new("w", Tensor::ones([3, 2]));
    let refused = |backward: fn(Tensor<f64>) -> Listed| {
        let check = Check::new().input("x", x()).params([&b, &w]);
        let forward = check.compare(
            |_, x| Ok([("y", (&x["x"] + &b).matmul(&w))].into()),
            |_, dy| Ok(Named::from(backward(dy["y"].clone()))),
        );
        forward.unwrap_err().to_string()
    };
    assert_eq!(
        refused(|dy| vec![("x", dy.matmul(&Tensor::ones([2, 3]))), ("b", Tensor::zeros([3]))]),
        "check: expected a gradient for w from the explicit backward pass, found none"
    );
    assert_eq!(
        refused(|dy| vec![("x", dy.matmul(&Tensor::ones([2, 3]))), ("x", dy)]),
        "check: expected distinct names, found x twice among the gradients"
    );
    assert_eq!(refused(|dy| vec![("dx", dy)]), "check: expected one of x, b, w, found dx");
    assert_eq!(
        refused(|dy| vec![("x", dy)]),
        "check: expected a gradient of shape [2, 3] for x, found [2, 2]"
    );
    assert_eq!(
        refused(|dy| {
            let dx = dy.matmul(&Tensor::ones([2, 3]));
            vec![("x", dx.clone()), ("b", dx)]
        }),
        "check: expected a gradient of shape [3] for b, found [2, 3]: is the sum over the batch missing?"
    );
    assert_eq!(
        refused(|dy| {
            let dx = dy.matmul(&Tensor::ones([2, 3]));
            vec![("x", dx), ("b", Tensor::zeros([3])), ("w", Tensor::zeros([2, 3]))]
        }),
        "check: expected a gradient of shape [3, 2] for w, found [2, 3]: is it transposed?"
    );
}

/// All entries of a Jacobian that no memory holds, where the same layer is checked without it.
#[test]
fn of_a_jacobian_too_large() {
    let w = Param::new("w", Tensor::ones([1]));
    let wide = Check::new().params([&w]).full_jacobian(true);
    let error = wide.run(|tape, _| Ok([("y", tape.param(&w).broadcast_to([5000]))].into())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "check: expected a full Jacobian of at most 16777216 entries, found one of 5000 x 1: \
         leave it out, or check a smaller layer"
    );
}
