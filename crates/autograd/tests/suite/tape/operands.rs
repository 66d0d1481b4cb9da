//! Whatever an operation takes, mixed as a formula has it.

use retrograde_autograd::op::{Comparison, Unary};
use retrograde_autograd::{Op, Param, Tape, Var};
use retrograde_tensor::{Float, Tensor, assert_close};

macro_rules! mixed_operands {
    ($name:ident, $float:ty) => {
        #[test]
        fn $name() {
            let tape = Tape::<$float>::new();
            let x = tape.var(Tensor::from([2.0, 8.0]));
            let y = tape.var(Tensor::from([4.0, 1.0]));
            let p = Param::new("p", Tensor::from([4.0, 1.0]));
            let t: Tensor<$float> = Tensor::from([4.0, 1.0]);
            let c: $float = 4.0;

            let sum = Tensor::from([6.0, 9.0]);
            for found in [&x + &y, x.clone() + y.clone(), &x + y.clone(), x.clone() + &y, &x + &p, &x + &t] {
                assert_eq!(found.value(), &sum);
            }
            for found in [
                &p + &x,
                &t + &x,
                t.clone() + &x,
                t.clone() + x.clone(),
                &p + x.clone(),
                x.clone() + t.clone(),
            ] {
                assert_eq!(found.value(), &sum);
            }
            let wide = f64::from(c); // on the left a number is an `f64`, whatever the element type
            for found in [&x + c, x.clone() + c, wide + &x, wide + x.clone(), &x + wide, x.clone() + wide] {
                assert_eq!(found.value(), &Tensor::from([6.0, 12.0]));
            }
            for (found, expected) in [
                (&x - &p, [-2.0, 7.0]),
                (&p - &x, [2.0, -7.0]),
                (&t - x.clone(), [2.0, -7.0]),
                (&x - c, [-2.0, 4.0]),
                (4.0 - &x, [2.0, -4.0]),
                (4.0 - x.clone(), [2.0, -4.0]),
                (&x * &p, [8.0, 8.0]),
                (&p * &x, [8.0, 8.0]),
                (t.clone() * &x, [8.0, 8.0]),
                (&x * c, [8.0, 32.0]),
                (4.0 * &x, [8.0, 32.0]),
                (&x / &p, [0.5, 8.0]),
                (&p / &x, [2.0, 0.125]),
                (&t / &x, [2.0, 0.125]),
                (&x / c, [0.5, 2.0]),
                (4.0 / &x, [2.0, 0.5]),
                (-&x, [-2.0, -8.0]),
                (-x.clone(), [-2.0, -8.0]),
                (x.maximum(c), [4.0, 8.0]),
                (x.minimum(&p), [2.0, 1.0]),
                (x.where_mask(x.gt(c), &t), [4.0, 8.0]),
            ] {
                assert_eq!(found.value(), &Tensor::from(expected));
            }
            let matrix = Param::new("m", Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
            assert_eq!(x.matmul(&matrix).value(), &Tensor::from([26.0, 36.0]));
            assert_eq!(x.matmul(matrix.value()).value(), &Tensor::from([26.0, 36.0]));
            assert_eq!(x.matmul(&matrix.value()).value(), &Tensor::from([26.0, 36.0]));
            assert_eq!(tape.operand(&p).value(), &t);

            let gradients = ((&p * &x) / &y - &t * &x).sum().backward().unwrap();
            assert_eq!(gradients.get(&x), Some(&Tensor::from([-3.0, 0.0]))); // p / y - t
            assert_eq!(gradients.get(&p), Some(&Tensor::from([0.5, 8.0]))); // x / y
            assert_eq!(gradients.get(&y), Some(&Tensor::from([-0.5, -8.0]))); // -p x / y²
        }
    };
}

mixed_operands!(operands_of_single_precision, f32);
mixed_operands!(operands_of_double_precision, f64);

/// A formula in generic code, where the methods of its results can be called too.
fn gate<'t, E: Float>(z: &Var<'t, E>, n: &Var<'t, E>) -> Var<'t, E> {
    (1.0 - z).tanh() * n + z * 0.5 + (2.0 / (z + 1.0)).exp() - 3.0 * (z - 0.25) / 4.0
}

fn choice<'t, E: Float>(x: &Var<'t, E>) -> Var<'t, E> {
    (x + 0.5).where_mask(x.ge(0.0), x.minimum(-0.75)).maximum(-0.8)
}

fn numbers_in_generic_code<E: Float>(tolerance: f64) {
    let tape = Tape::<E>::new();
    let values = [0.5, -0.25, 2.0, -0.9];
    let x = tape.var(Tensor::from_fn([4], |at| E::from_f64(values[at[0]])));
    let [gates, choices] = [gate(&x, &x.square()), choice(&x)].map(|y| y.value().map(E::to_f64).to_vec());
    for (i, z) in values.into_iter().enumerate() {
        let gate = (1.0 - z).tanh() * z * z + z / 2.0 + (2.0 / (z + 1.0)).exp() - 0.75 * (z - 0.25);
        assert!((gates[i] - gate).abs() <= tolerance * gate.abs(), "{z}: {} and {gate}", gates[i]);
        let choice = if z >= 0.0 { z + 0.5 } else { z.clamp(-0.8, -0.75) };
        assert!((choices[i] - choice).abs() <= tolerance, "{z}: {} and {choice}", choices[i]);
    }
    assert!((&x * 0.1).value().iter().zip(values).all(|(y, x)| y == E::from_f64(x) * E::from_f64(0.1)));
}

#[test]
fn numbers_stand_in_code_for_every_element_type() {
    numbers_in_generic_code::<f64>(1e-14);
    numbers_in_generic_code::<f32>(1e-5);
    // Where the element type is known, methods of a result can be called too.
    let tape = Tape::<f32>::new();
    let x = tape.var(Tensor::from([1.0]));
    assert_eq!((1.0 - &x).tanh().value(), &Tensor::zeros([1]));
}

/// A number needs no node of its own where an operation with a constant says the same.
#[test]
fn numbers_become_attributes() {
    let tape = Tape::<f64>::new();
    let x = tape.var(Tensor::from([1.0, 2.0]));
    let _ = 1.0 - &x * 2.0 + 3.0;
    assert_eq!(tape.ops(), [Op::Scale(2.0), Op::Unary(Unary::Neg), Op::Shift(1.0), Op::Shift(3.0)]);
    assert_eq!(tape.len(), 5);
    let _ = x.ge(1.0);
    assert_eq!(tape.ops().last(), Some(&Op::Compare(Comparison::Ge)));
}

/// A sum takes the place of its first term only where nobody can tell.
#[test]
fn a_sum_overwrites_nothing_that_is_still_held() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0, 2.0]));
    let h = x.tanh(); // its rule reads its value
    let (tanh, held) = (h.value().clone(), x.square());
    let (sum, squares) = (h + &x, held.clone() + &held);
    let view = x.exp().reshape([2, 1]);
    let exps = view.value().clone();
    let wide = view + &x; // [2, 1] + [2] -> [2, 2]
    assert_eq!(sum.value(), &(&tanh + x.value()));
    assert_eq!((held.value(), squares.value()), (&Tensor::from([1.0, 4.0]), &Tensor::from([2.0, 8.0])));
    assert_eq!(wide.value(), &(&exps + x.value()));
    let dx = sum.sum().backward().unwrap().get(&x).unwrap().clone();
    assert_close!(dx, tanh.map(|y: f64| 2.0 - y * y), 1e-15, 0.0);
    let again = tape.recompute(|| (x.sin() + &x) + x.cos()).sum().backward().unwrap();
    assert_close!(again.get(&x).unwrap(), x.value().map(|x| x.cos() + 1.0 - x.sin()), 1e-15, 1e-15);
    let c = Tape::inference();
    assert_eq!((c.var(Tensor::from([1.0])).exp() * 0.0 + Tensor::from([3.0])).value(), &Tensor::from([3.0]));
}
