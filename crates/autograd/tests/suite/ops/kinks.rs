//! Where a derivative does not exist: the convention that the documentation states, and that dual numbers share it.

use retrograde_autograd::{Error, Tape, Var};
use retrograde_tensor::Tensor;

/// The gradient by the rule and, where the operand is one vector, the diagonal of the Jacobian by dual numbers.
fn slopes(x: &[f64], f: impl for<'t> Fn(&Var<'t, f64>) -> Var<'t, f64>) -> (Vec<f64>, Vec<f64>) {
    let tape = Tape::new();
    let x = tape.var(Tensor::from_vec(x.to_vec(), [x.len()]).unwrap());
    let y = f(&x);
    let v = Tensor::full([x.value().numel()], 3.0);
    let rule = y.backward_with(&v).unwrap().get(&x).unwrap().to_vec();
    let dual = tape.jvp(&[&y], &[(&x, &v)]).unwrap()[0].to_vec();
    (rule, dual)
}

#[test]
fn relu_is_flat_at_zero() {
    let (rule, dual) = slopes(&[-1.0, 0.0, -0.0, 2.0], |x| x.relu());
    assert_eq!(rule, [0.0, 0.0, 0.0, 3.0]);
    assert_eq!(dual, rule);
}

#[test]
fn abs_is_flat_at_zero() {
    let (rule, dual) = slopes(&[-1.0, 0.0, -0.0, 2.0], |x| x.abs());
    assert_eq!(rule, [-3.0, 0.0, 0.0, 3.0]);
    assert_eq!(dual, rule);
}

#[test]
fn clamp_lets_its_bounds_through() {
    let (rule, dual) = slopes(&[-1.5, -1.0, 0.0, 2.0, 2.5], |x| x.clamp(-1.0, 2.0));
    assert_eq!(rule, [0.0, 3.0, 3.0, 3.0, 0.0]);
    assert_eq!(dual, rule);
}

#[test]
fn a_sign_has_no_derivative_anywhere() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([-1.0, 0.0, 2.0]));
    let y = x.sign();
    assert_eq!(y.value(), &Tensor::from([-1.0, 0.0, 1.0]));
    assert_eq!(y.sum().backward().err(), Some(Error::Untracked { op: "backward" }));
    assert_eq!((y.sum() + x.sum()).backward().unwrap().get(&x), Some(&Tensor::ones([3])));
    assert_eq!(tape.jvp(&[&y], &[(&x, &Tensor::from([1.0, 2.0, 3.0]))]).unwrap()[0], Tensor::zeros([3]));
}

#[test]
fn equals_share_the_cotangent_of_maximum_and_minimum() {
    for minimum in [false, true] {
        let tape = Tape::new();
        let a = tape.var(Tensor::from([1.0_f64, 2.0, 3.0]));
        let b = tape.var(Tensor::from([1.0, 5.0, 0.0]));
        let y = if minimum { a.minimum(&b) } else { a.maximum(&b) };
        let v = Tensor::from([4.0, 6.0, 8.0]);
        let gradients = y.backward_with(&v).unwrap();
        let (larger, smaller) = (Tensor::from([2.0, 0.0, 8.0]), Tensor::from([2.0, 6.0, 0.0]));
        let (da, db) = if minimum { (smaller, larger) } else { (larger, smaller) };
        assert_eq!(gradients.get(&a), Some(&da));
        assert_eq!(gradients.get(&b), Some(&db));

        let moved = |x, u| tape.jvp(&[&y], &[(x, u)]).unwrap()[0].clone();
        assert_eq!(moved(&a, &v), da);
        assert_eq!(moved(&b, &v), db);
    }
}

/// A variable that is both operands is its own maximum: the halves add up.
#[test]
fn the_maximum_of_a_variable_and_itself_is_itself() {
    let (rule, dual) = slopes(&[-1.0, 0.0, 2.0], |x| x.maximum(x));
    assert_eq!(rule, [3.0, 3.0, 3.0]);
    assert_eq!(dual, rule);
}

/// Among three equals the rule gives thirds; dual numbers, which meet two at a time, give what a tree of halves gives,
/// so only the sum is compared.
#[test]
fn equals_share_the_cotangent_of_the_largest() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([[5.0_f64, 1.0, 5.0, 5.0], [0.0, 7.0, 7.0, 2.0]]));
    let y = x.max_axes(&[1], false);
    let gradients = y.backward_with(&Tensor::from([3.0, 8.0])).unwrap();
    assert_eq!(gradients.get(&x), Some(&Tensor::from([[1.0, 0.0, 1.0, 1.0], [0.0, 4.0, 4.0, 0.0]])));
    let moved = tape.jvp(&[&y], &[(&x, &Tensor::full([2, 4], 3.0))]).unwrap();
    assert_eq!(moved[0], Tensor::from([3.0, 3.0]));

    let y = x.min_axes(&[0], false);
    let gradients = y.backward_with(&Tensor::from([1.0, 2.0, 3.0, 4.0])).unwrap();
    assert_eq!(gradients.get(&x), Some(&Tensor::from([[0.0, 2.0, 3.0, 0.0], [1.0, 0.0, 0.0, 4.0]])));
}

#[test]
fn what_a_mask_does_not_take_is_not_read() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([4.0_f64, -1.0]));
    let y = x.sqrt().where_mask(x.gt(0.0), &x);
    assert_eq!(y.value(), &Tensor::from([2.0, -1.0]));
    let mask = tape.constant(Tensor::from([1.0, 0.0]));
    let a = tape.var(Tensor::from([1.0, f64::NAN]));
    let b = tape.var(Tensor::from([f64::INFINITY, 2.0]));
    let gradients = a.where_mask(&mask, &b).backward_with(&Tensor::from([3.0, 5.0])).unwrap();
    assert_eq!(gradients.get(&a), Some(&Tensor::from([3.0, 0.0])));
    assert_eq!(gradients.get(&b), Some(&Tensor::from([0.0, 5.0])));
}
