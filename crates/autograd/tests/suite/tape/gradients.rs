//! The gradients that a backward pass returns.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Tensor, assert_close};

#[test]
fn the_same_variable_as_both_operands() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([2.0_f64, -3.0]));
    let v = Tensor::from([5.0, 7.0]);
    let gradient = |y: Var<'_, f64>| y.backward_with(&v).unwrap().get(&x).cloned();
    assert_eq!(gradient(&x + &x), Some(&v * 2.0));
    assert_eq!(gradient(&x * &x), Some(Tensor::from([20.0, -42.0])));
    assert_eq!(gradient(&x - &x), Some(Tensor::zeros([2])));
    assert_eq!(gradient(&x / &x), Some(Tensor::zeros([2])));

    let a = tape.var(Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    let v = Tensor::from([[1.0, -1.0], [0.5, 2.0]]);
    let gradients = a.matmul(&a).backward_with(&v).unwrap();
    let expected = v.matmul(&a.value().t()) + a.value().t().matmul(&v);
    assert_close!(gradients.get(&a).unwrap(), expected, 1e-15, 0.0);
}

#[test]
fn a_parameter_is_on_the_tape_once_and_its_gradients_sum() {
    let w = Param::new("w", Tensor::from([2.0_f64, 3.0]));
    let tape = Tape::new();
    let x = tape.var(Tensor::from([5.0, 7.0]));
    let mut y = x.clone();
    for _ in 0..10 {
        y = y * &w.clone();
    }
    let gradients = y.sum().backward().unwrap();
    assert_eq!(tape.len(), 1 + 1 + 10 + 1);
    // y = x w¹⁰
    let expected = Tensor::from([10.0 * 5.0 * 2.0_f64.powi(9), 10.0 * 7.0 * 3.0_f64.powi(9)]);
    assert_close!(gradients.get(&w).unwrap(), expected, 1e-15, 0.0);
    assert_eq!(gradients.get(&tape.param(&w)), gradients.get(&w));
    let named: Vec<_> = gradients.params().map(|(param, _)| param.name().to_owned()).collect();
    assert_eq!(named, ["w"]);
}

#[test]
fn the_tape_keeps_the_value_of_a_parameter_that_is_changed_later() {
    let w = Param::new("w", Tensor::from([2.0_f64]));
    let tape = Tape::new();
    let y = (tape.param(&w) * &w).sum();
    w.update(|value| *value = Tensor::from([100.0]));
    assert_eq!(y.backward().unwrap().get(&w), Some(&Tensor::from([4.0])));
    assert_eq!(w.value(), Tensor::from([100.0]));
}

#[test]
fn a_gradient_is_absent_where_nothing_flowed() {
    let unused = Param::new("unused", Tensor::from([1.0_f64]));
    let (tape, other) = (Tape::new(), Tape::<f64>::new());
    let x = tape.var(Tensor::from([1.0_f64, 2.0]));
    let apart = tape.var(Tensor::from([3.0]));
    let constant = tape.constant(Tensor::from([4.0, 5.0]));
    let mask = x.gt(1.5);
    tape.param(&unused);
    let y = (&x * &constant * &mask).sum();
    let gradients = y.backward().unwrap();
    assert_eq!(gradients.get(&x), Some(&Tensor::from([0.0, 5.0])));
    assert_eq!(gradients.get(&apart), None);
    assert_eq!(gradients.get(&constant), None);
    assert_eq!(gradients.get(&unused), None);
    assert_eq!(gradients.get(&Param::new("not on the tape", Tensor::from([1.0]))), None);
    assert_eq!(gradients.params().count(), 0);
    assert!(gradients.try_get(&other.var(Tensor::from([1.0]))).is_err());
}

#[test]
fn a_second_sweep_gives_the_same_numbers() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([[0.3_f64, -0.8], [1.2, 0.1]]));
    let y = x.matmul(&x).tanh().softmax(1);
    let v = Tensor::from([[0.7, -1.1], [0.2, 0.9]]);
    let nodes = tape.len();
    let first = y.backward_with(&v).unwrap().get(&x).cloned();
    assert_eq!(y.backward_with(&v).unwrap().get(&x).cloned(), first);
    assert_eq!(y.backward_with(&(&v * 2.0)).unwrap().get(&x).cloned(), first.clone().map(|dx| dx * 2.0));
    assert_eq!(tape.len(), nodes, "a numeric sweep records nothing");

    // Nor does a recorded backward pass, or a Hessian-vector product, disturb a later one.
    y.sum().backward_recorded().unwrap();
    (&y * &y).sum().hvp(&[(&x, &v)]).unwrap();
    assert_eq!(y.backward_with(&v).unwrap().get(&x).cloned(), first);
}

#[test]
fn intermediate_gradients_on_request() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0_f64, 2.0]));
    let h = (&x * 3.0).retain_grad();
    let unasked = h.square();
    let y = (&unasked + &h).retain_grad();
    let v = Tensor::from([10.0, 0.5]);
    let gradients = y.backward_with(&v).unwrap();
    // d/dh (h² + h) = 2 h + 1
    assert_eq!(gradients.get(&h), Some(&Tensor::from([70.0, 6.5])));
    assert_eq!(gradients.get(&y), Some(&v));
    assert_eq!(gradients.get(&unasked), None);
    assert_eq!(gradients.get(&x), Some(&Tensor::from([210.0, 19.5])));
}

#[test]
fn several_outputs_at_once() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0_f64, 2.0]));
    let h = x.tanh();
    let y = (&h * 2.0).exp();
    let (dh, dy) = (Tensor::from([0.3, -0.7]), Tensor::from([1.5, 0.2]));
    let together = tape.backward(&[(&h, &dh), (&y, &dy)]).unwrap();
    let apart =
        h.backward_with(&dh).unwrap().get(&x).unwrap() + y.backward_with(&dy).unwrap().get(&x).unwrap();
    assert_close!(together.get(&x).unwrap(), apart, 1e-15, 0.0);

    // An output may be an input, or given twice.
    let twice = tape.backward(&[(&x, &dh), (&x, &dy)]).unwrap();
    assert_eq!(twice.get(&x), Some(&(&dh + &dy)));
    let none = tape.backward(&[]).unwrap();
    assert_eq!(none.get(&x), None);
}

#[test]
fn no_gradient_flows_through_what_was_detached() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([2.0_f64, 3.0]));
    let cut = tape.constant(x.square().detach());
    let y = (&x * &cut).sum();
    assert_eq!(y.backward().unwrap().get(&x), Some(&Tensor::from([4.0, 9.0])));
}

#[test]
fn gradients_of_gradients_of_gradients() {
    let tape = Tape::new();
    let x = tape.var(Tensor::scalar(0.5_f64));
    let y = x.sin();
    let first = y.backward_recorded().unwrap().get(&x).unwrap().clone();
    let second = first.backward_recorded().unwrap().get(&x).unwrap().clone();
    let third = second.backward().unwrap().get(&x).unwrap().item().unwrap();
    assert_close!(first.value(), Tensor::scalar(0.5_f64.cos()), 1e-15, 0.0);
    assert_close!(second.value(), Tensor::scalar(-0.5_f64.sin()), 1e-15, 0.0);
    assert!((third + 0.5_f64.cos()).abs() < 1e-15);
}

#[test]
fn an_inference_tape_computes_and_keeps_nothing() {
    let w = Param::new("w", Tensor::from([[0.5_f64, -0.2], [0.1, 0.9]]));
    let run = |tape: &Tape<f64>| {
        let mut h = tape.var(Tensor::from([[1.0, 2.0]])).named("h").retain_grad();
        for step in 0..100 {
            tape.set_step(Some(step));
            h = (h.matmul(&w) + 0.1).tanh().named("h");
        }
        h.detach()
    };
    let (recorded, inference) = (Tape::new(), Tape::inference());
    assert_eq!(run(&inference), run(&recorded));
    assert!(!inference.is_recording() && inference.is_empty());
    assert_eq!((inference.len(), inference.kept_bytes()), (0, 0));
    assert_eq!(inference.to_string(), "#  name  op  operands  shape  kept\n0 nodes, 0 B kept\n");
    assert_eq!(recorded.len(), 2 + 3 * 100);
}

/// A value that no rule reads is not kept: sums, masks and views read no values at all, and `tanh` its output only.
#[test]
fn only_what_some_rule_reads_is_kept() {
    let tape = Tape::new();
    let x = tape.var(Tensor::<f64>::zeros([10, 10]));
    let leaf = tape.kept_bytes();
    assert_eq!(leaf, 800);
    let y = (&x + 1.0).reshape([100]).narrow(0, 0, 50) * 2.0;
    assert_eq!(tape.kept_bytes(), leaf);
    let h = y.tanh();
    assert_eq!(tape.kept_bytes(), leaf + 400);
    let _ = h.sum();
    assert_eq!(tape.kept_bytes(), leaf + 400);
    // A constant's side of a product is read for nothing, so only one side is kept, and both are there already.
    let mask = tape.constant(Tensor::ones([50]));
    let _ = &h * &mask;
    assert_eq!(tape.kept_bytes(), leaf + 800);
    // Both operands of a product of variables are kept.
    let _ = (&h + 1.0) * (&h - 1.0);
    assert_eq!(tape.kept_bytes(), leaf + 1600);
    // A mask that depends on a variable has no derivative, so the other side is not kept for its sake.
    let _ = h.gt(&h) * (&h + 2.0);
    assert_eq!(tape.kept_bytes(), leaf + 2000);
}

/// The states of a sequence are kept once: as parts of what they were stacked to. Leaves keep storage of their own.
#[test]
fn what_was_stacked_is_kept_as_views_on_the_stack() {
    let tape = Tape::new();
    let x = tape.var(Tensor::<f64>::zeros([3, 5]));
    let hs: Vec<_> = (0..4).map(|i| (&x + f64::from(i)).tanh()).collect();
    assert_eq!(tape.kept_bytes(), (1 + 4) * 120);
    let stack = Var::stack(&hs, 1);
    let _ = stack.square();
    assert_eq!(tape.kept_bytes(), (1 + 4) * 120);
    drop(Var::stack(&[x.clone(), x.clone()], 0).square());
    assert_eq!(tape.kept_bytes(), (1 + 4 + 2) * 120);
}

/// Parts of a batch may meet other parameters, each in its own order.
#[test]
fn parameters_that_only_some_parts_reach_are_added_too() {
    let [a, b, c] = ["a", "b", "c"].map(|name| Param::new(name, Tensor::from([1.0, 2.0])));
    let part = |of: &[(&Param<f64>, f64)]| {
        let tape = Tape::new();
        let x = tape.constant(Tensor::from([3.0, 5.0]));
        let terms = of.iter().map(|&(param, factor)| &x * param * factor);
        terms.reduce(|sum, term| sum + term).unwrap().sum().backward().unwrap()
    };
    let mut grads = part(&[(&a, 1.0)]);
    grads.add_params(&part(&[(&c, 10.0), (&a, 1.0)]));
    grads.add_params(&part(&[(&b, 1.0), (&c, 1.0)]));
    for (param, factor) in [(&a, 2.0), (&b, 1.0), (&c, 11.0)] {
        assert_eq!(grads.get(param), Some(&Tensor::from([3.0 * factor, 5.0 * factor])), "{}", param.name());
    }
    let names: Vec<_> = grads.params().map(|(param, _)| param.name().to_owned()).collect();
    assert_eq!(names, ["a", "c", "b"]);
}

#[test]
fn gradients_are_changed_in_place_set_and_counted() {
    let [a, b] = ["a", "b"].map(|name| Param::new(name, Tensor::from([1.0, 2.0])));
    let tape = Tape::new();
    let x = tape.var(Tensor::from([3.0, 5.0]));
    let mut grads = (&x * &a + &x * &x).sum().backward().unwrap();
    let mut met = Vec::new();
    grads.update_params(|param, gradient| {
        met.push(param.name().to_owned());
        *gradient = &*gradient * 0.5;
    });
    assert_eq!((met, grads.get(&a)), (vec!["a".to_owned()], Some(&Tensor::from([1.5, 2.5]))));
    assert_eq!(format!("{grads:?}"), "Gradients { nodes: 2, params: 1, .. }");

    grads.insert(&b, Tensor::from([7.0, -1.0])).unwrap();
    grads.insert(&a, Tensor::from([0.0, 4.0])).unwrap();
    assert_eq!(grads.get(&b), Some(&Tensor::from([7.0, -1.0])));
    assert_eq!(grads.get(&a), Some(&Tensor::from([0.0, 4.0])));
    assert_eq!(grads.params().map(|(param, _)| param.name()).collect::<Vec<_>>(), ["a", "b"]);
    let refused = grads.insert(&a, Tensor::from([1.0])).unwrap_err();
    assert_eq!(refused.to_string(), "gradients: expected a tensor of the input's shape [2], found [1]");
    assert_eq!(grads.get(&a), Some(&Tensor::from([0.0, 4.0])));
}
