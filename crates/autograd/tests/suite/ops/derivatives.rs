//! First and second derivatives, against oracles that never look at the table of rules.

use retrograde_autograd::{Error, Tape};
use retrograde_tensor::{Tensor, assert_close};

use super::table::{Case, each_case};

/// `⟨a, b⟩`, and `Σ |a b|`, to which its rounding errors are relative.
fn dot(a: &Tensor<f64>, b: &Tensor<f64>) -> (f64, f64) {
    let product = a * b;
    (product.sum().item().unwrap(), product.abs().sum().item().unwrap())
}

/// `df/dh` at 0 of a function of a number, from four values: an error of order h⁴.
///
/// # Source
/// B. Fornberg, *Generation of finite difference formulas on arbitrarily spaced grids* (1988), table 1.
fn slope(h: f64, f: impl Fn(f64) -> Tensor<f64>) -> Tensor<f64> {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// The operands moved by `h` along the directions.
fn moved(case: &Case, directions: &[Tensor<f64>], h: f64) -> Vec<Tensor<f64>> {
    case.operands.iter().zip(directions).map(|(x, u)| x + u * h).collect()
}

/// `⟨v, J u⟩ = ⟨Jᵀ v, u⟩`, with `J u` from dual numbers.
#[test]
fn rules_are_the_adjoint_of_the_dual_numbers() {
    each_case(|mut case| {
        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        let v = case.direction(y.shape());
        let u = case.directions();
        let gradients = y.backward_with(&v).unwrap();
        let tangents: Vec<_> = x.iter().zip(&u).collect();
        let moved = &tape.jvp(&[&y], &tangents).unwrap()[0];

        let (forward, mut size) = dot(&v, moved);
        let mut backward = 0.0;
        for (x, u) in x.iter().zip(&u) {
            if let Some(dx) = gradients.get(x) {
                let (part, part_size) = dot(dx, u);
                (backward, size) = (backward + part, size + part_size);
            }
        }
        assert!((forward - backward).abs() <= 1e-12 * size, "{}: {forward} and {backward}", case.label);
    });
}

/// Every element of every operand, by central differences.
#[test]
fn rules_agree_with_finite_differences() {
    each_case(|mut case| {
        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        let v = case.direction(y.shape());
        let gradients = y.backward_with(&v).unwrap();
        for (i, x) in x.iter().enumerate() {
            let numeric = Tensor::from_fn(x.shape(), |at| {
                let loss = |h: f64| {
                    let mut operands = case.operands.clone();
                    let moved = operands[i].at(at) + h;
                    operands[i].set(at, moved).unwrap();
                    (case.value(&operands) * &v).sum()
                };
                slope(1e-3, loss).item().unwrap()
            });
            let analytic = gradients.get(x).cloned().unwrap_or_else(|| Tensor::zeros(x.shape()));
            if let Err(mismatch) = analytic.allclose(&numeric, 1e-8, 1e-9) {
                panic!("{}: operand {i}: {mismatch}", case.label);
            }
        }
    });
}

/// The derivative of the recorded gradient along a direction, against differences of the numeric gradient.
#[test]
fn second_derivatives_agree_with_finite_differences_of_the_gradient() {
    each_case(|mut case| {
        let directions = case.directions();
        let y = case.value(&case.operands);
        let v = case.direction(y.shape());

        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        let recorded = tape.backward_recorded(&[(&y, &tape.constant(v.clone()))]).unwrap();
        let outputs: Vec<_> =
            x.iter().zip(&directions).filter_map(|(x, u)| Some((recorded.get(x)?, u))).collect();
        // A gradient that is constant does not move.
        let products = match tape.backward(&outputs) {
            Err(Error::Untracked { .. }) => None,
            products => Some(products.unwrap()),
        };

        for (i, x) in x.iter().enumerate() {
            let gradient = |h: f64| {
                let tape = Tape::new();
                let x: Vec<_> =
                    moved(&case, &directions, h).into_iter().map(|operand| tape.var(operand)).collect();
                let gradients = (case.apply)(&x).backward_with(&v).unwrap();
                gradients.get(&x[i]).cloned().unwrap_or_else(|| Tensor::zeros(x[i].shape()))
            };
            let numeric = slope(1e-3, gradient);
            let product = products
                .as_ref()
                .and_then(|products| products.get(x))
                .cloned()
                .unwrap_or_else(|| Tensor::zeros(x.shape()));
            if let Err(mismatch) = product.allclose(&numeric, 1e-7, 1e-8) {
                panic!("{}: operand {i}: {mismatch}", case.label);
            }
        }
    });
}

/// A composition in which most rules meet: the whole Jacobian, column by column and row by row.
#[test]
fn the_jacobian_of_a_composition_is_the_same_from_both_sides() {
    let tape = Tape::<f64>::new();
    let x = tape.var(Tensor::from([[0.3, -0.7, 1.1], [0.9, 0.2, -0.4]]));
    let w = tape.constant(Tensor::from([[0.5, -1.2], [0.8, 0.3], [-0.6, 0.7]]));
    let h = x.matmul(&w).tanh();
    let y = (h.softmax(1) * &h + h.sigmoid().sum_axes(&[0], false)).exp();
    let mut columns = Tensor::zeros([4, 6]);
    let mut rows = Tensor::zeros([4, 6]);
    for k in 0..6 {
        let mut u = Tensor::zeros([6]);
        u.set(&[k], 1.0).unwrap();
        let column = tape.jvp(&[&y], &[(&x, &u.reshape([2, 3]))]).unwrap()[0].reshape([4]);
        (0..4).for_each(|i| columns.set(&[i, k], column.at(&[i])).unwrap());
    }
    for i in 0..4 {
        let mut v = Tensor::zeros([4]);
        v.set(&[i], 1.0).unwrap();
        let gradients = y.backward_with(&v.reshape([2, 2])).unwrap();
        let row = gradients.get(&x).unwrap().reshape([6]);
        (0..6).for_each(|k| rows.set(&[i, k], row.at(&[k])).unwrap());
    }
    assert_close!(rows, columns, 1e-12, 1e-14);
}
