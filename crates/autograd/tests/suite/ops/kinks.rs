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

/// Two, three and four equals share evenly, by the rule and by dual numbers, over any axes.
#[test]
fn equals_share_the_cotangent_of_the_largest() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([[5.0_f64, 1.0, 5.0, 5.0], [0.0, 7.0, 7.0, 2.0], [4.0, 4.0, 4.0, 4.0]]));
    let u = Tensor::from([[3.0_f64, 100.0, 6.0, -12.0], [50.0, 8.0, -2.0, 1.0], [4.0, 8.0, -16.0, 1.0]]);
    let y = x.max_axes(&[1], false);
    let gradients = y.backward_with(&Tensor::from([3.0, 8.0, 4.0])).unwrap();
    let shares = [[1.0, 0.0, 1.0, 1.0], [0.0, 4.0, 4.0, 0.0], [1.0; 4]];
    assert_eq!(gradients.get(&x), Some(&Tensor::from(shares)));
    let moved = |y: &Var<'_, f64>, u: &Tensor<f64>| tape.jvp(&[y], &[(&x, u)]).unwrap()[0].clone();
    assert_eq!(moved(&y, &u), Tensor::from([-1.0, 3.0, -0.75]));

    let y = x.min_axes(&[0], false);
    let gradients = y.backward_with(&Tensor::from([1.0, 2.0, 3.0, 4.0])).unwrap();
    let shares = [[0.0, 2.0, 0.0, 0.0], [1.0, 0.0, 0.0, 4.0], [0.0, 0.0, 3.0, 0.0]];
    assert_eq!(gradients.get(&x), Some(&Tensor::from(shares)));
    assert_eq!(moved(&y, &u), Tensor::from([50.0, 100.0, -16.0, 1.0]));
}

/// The rule and dual numbers agree on every element alone, also where infinities are equal.
#[test]
fn each_of_several_equals_has_its_share() {
    let tape = Tape::new();
    for (largest, axes) in [(2.0, &[0, 1][..]), (2.0, &[1]), (2.0, &[0]), (f64::INFINITY, &[1])] {
        let l = largest;
        let x = tape.var(Tensor::from([[l, 0.5, l, l, l], [-1.0, l, 0.0, l, 1.5], [l, l, -3.0, 0.25, l]]));
        let y = x.max_axes(axes, true);
        let v = Tensor::from_fn(y.shape(), |at| 1.0 + at[0] as f64 - 0.3 * at[1] as f64);
        let g = y.backward_with(&v).unwrap().get(&x).unwrap().to_vec();
        for (i, g) in g.into_iter().enumerate() {
            let mut u = vec![0.0; 15];
            u[i] = 1.0;
            let ju = tape.jvp(&[&y], &[(&x, &Tensor::from_vec(u, [3, 5]).unwrap())]).unwrap();
            let found: f64 = ju[0].iter().zip(v.iter()).map(|(a, b)| a * b).sum();
            if l.is_finite() {
                assert!((found - g).abs() < 1e-15, "{axes:?}, element {i}: {found} and {g}");
            } else {
                assert!(found.is_finite() && g.is_finite());
            }
        }
    }
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
