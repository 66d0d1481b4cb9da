//! Functions with a backward pass of their own, in formulas.

use std::sync::Arc;

use retrograde_autograd::{Function, Param, Result, Tape, Var};
use retrograde_derivation::DeriveVar;
use retrograde_tensor::Tensor;

/// `x tanh(x) + 2`, which says so if it is open.
struct Gate {
    open: bool,
}

impl Gate {
    fn of<'t>(x: &Var<'t, f64>) -> Var<'t, f64> {
        x * x.tanh() + x.tape().constant(Tensor::scalar(2.0))
    }
}

impl Function<f64> for Gate {
    fn name(&self) -> &'static str {
        "gate"
    }
    fn forward(&self, x: &[&Tensor<f64>]) -> Result<Tensor<f64>> {
        Ok(x[0] * x[0].tanh() + 2.0)
    }
    fn backward(&self, _: &[&Tensor<f64>], _: &Tensor<f64>, dy: &Tensor<f64>) -> Vec<Option<Tensor<f64>>> {
        vec![Some(dy.clone())]
    }
    fn expand<'t>(&self, x: &[&Var<'t, f64>]) -> Option<Result<Var<'t, f64>>> {
        self.open.then(|| Ok(Gate::of(x[0])))
    }
}

/// A recurrence whose steps apply the gate as a function, or as its operations.
fn recurrence<'t>(tape: &'t Tape<f64>, gate: impl Fn(&Var<'t, f64>) -> Var<'t, f64>) -> Var<'t, f64> {
    let wh = Param::new("Wh", Tensor::ones([4, 4]));
    let xs = tape.var(Tensor::ones([2, 5, 4])).named("xs");
    let mut h = tape.var(Tensor::zeros([2, 4])).named("h_prev");
    let mut hs = Vec::new();
    for step in 0..5 {
        tape.set_step(Some(step));
        let t = (h.matmul(&wh) + xs.select(1, step)).named("t");
        h = gate(&t).named("h");
        hs.push(h.clone());
    }
    tape.set_step(None);
    Var::stack(&hs, 1).named("hs")
}

/// A step with a function folds into the loop that its operations would make, in every form.
#[test]
fn a_step_with_a_function_is_a_loop() {
    let printed = |open: bool| {
        let tape = Tape::new();
        let call = |x: &Var<'_, f64>| tape.call(Arc::new(Gate { open }), &[x]);
        let y = if open { recurrence(&tape, call) } else { recurrence(&tape, Gate::of) };
        let derivation = y.derivation().unwrap();
        [
            derivation.to_string(),
            derivation.latex(),
            derivation.numpy("Layer").unwrap(),
            derivation.rust("Layer").unwrap(),
        ]
    };
    let (found, expected) = (printed(true), printed(false));
    assert!(expected[0].contains("for t = T-1 .. 0:\n") && !expected[0].contains("h_4"), "{}", expected[0]);
    assert_eq!(found, expected);
}

/// A function that does not say what it stands for stops a derivation only where a cotangent meets it.
#[test]
fn a_closed_function_is_refused_where_it_is_met() {
    let tape = Tape::new();
    let closed = |x: &Var<'_, f64>| tape.call(Arc::new(Gate { open: false }), &[x]);
    let (x, c) = (tape.var(Tensor::ones([2])).named("x"), tape.constant(Tensor::ones([2])).named("c"));
    let error = closed(&x).derivation().unwrap_err().to_string();
    let text = "derivation: expected operations of the table of rules, found gate, which has a backward pass of its own";
    assert_eq!(error, text);
    let y = (&x * closed(&c)).named("y");
    let derivation = y.derivation().unwrap();
    assert_eq!(derivation.to_string(), "dx = dy ⊙ v3\n");
    let error = derivation.numpy("Layer").unwrap_err().to_string();
    assert!(error.starts_with("numpy: ") && error.contains("found gate"), "{error}");
}
