//! Elementwise operations, in all ownership combinations, against loops over indices.

use std::ops::{Add, Div, Mul, Sub};

use crate::common::{self, Dice, Naive, build, build_with, check, check_near, dims, own, pair};
use retrograde_tensor::{Element, Scalar, Tensor, assert_close};

/// Values that are positive and not 0, to divide by: powers of 2, so that quotients are exact.
fn divisors<E: retrograde_tensor::Float>(dims: &[usize], seed: u64) -> (Tensor<E>, Naive<E>) {
    build_with(dims, seed, |dice| E::from_f64([0.25, 0.5, 1.0, 2.0, 4.0][dice.roll(5)]))
}

/// All forms of one operator.
macro_rules! operator {
    ($x:ident $y:ident $expected:expr, $op:tt $try_op:ident $function:path) => {{
        let expected = $expected;
        check(&(&$x $op &$y), &expected);
        check(&($x.clone() $op &$y), &expected);
        check(&(&$x $op $y.clone()), &expected);
        check(&($x.clone() $op $y.clone()), &expected);
        // With storage of their own, operands may be reused.
        check(&(own(&$x) $op &$y), &expected);
        check(&(&$x $op own(&$y)), &expected);
        check(&(own(&$x) $op own(&$y)), &expected);
        check(&$function(own(&$x), $y.clone()), &expected);
        check(&$x.$try_op(&$y).unwrap(), &expected);
    }};
}

for_floats! {
    fn operators(dims in dims(0..=4), seed) {
        let (a, b) = pair(&dims, seed);
        let ((x, nx), (y, ny)) = (build::<E>(&a, seed), divisors::<E>(&b, seed ^ 1));
        operator!(x y nx.zip(&ny, |x, y| x + y), + try_add Add::add);
        operator!(x y nx.zip(&ny, |x, y| x - y), - try_sub Sub::sub);
        operator!(x y nx.zip(&ny, |x, y| x * y), * try_mul Mul::mul);
        operator!(x y nx.zip(&ny, |x, y| x / y), / try_div Div::div);
        // Neither operand was written to.
        check(&x, &nx);
        check(&y, &ny);
    }

    fn operators_with_scalars(dims in dims(0..=4), seed) {
        let (x, naive) = divisors::<E>(&dims, seed);
        let c: E = 1.5;
        check(&(&x + c), &naive.map(|x| x + c));
        check(&(own(&x) - c), &naive.map(|x| x - c));
        check(&(x.clone() * c), &naive.map(|x| x * c));
        check(&(&x / c), &naive.map(|x| x / c));
        check(&(c + &x), &naive.map(|x| c + x));
        check(&(c - own(&x)), &naive.map(|x| c - x));
        check(&(c * x.clone()), &naive.map(|x| c * x));
        check(&(c / &x), &naive.map(|x| c / x));
        check(&-&x, &naive.map(|x| -x));
        check(&-own(&x), &naive.map(|x| -x));
        check(&-x.clone(), &naive.map(|x| -x));
        check(&x, &naive);
    }

    fn unary(dims in dims(0..=4), seed) {
        let (x, naive) = build::<E>(&dims, seed);
        let wide = naive.map(E::to_f64);
        check(&Tensor::neg(&x), &naive.map(|x| -x));
        check(&x.relu(), &naive.map(|x| x.max(0.0)));
        check(&x.sign(), &naive.map(|x| if x == 0.0 { 0.0 } else { x.signum() }));
        check_near(&x.softplus(), &wide.map(|x| x.exp().ln_1p()), 4.0);
        check_near(&x.abs().ln_1p(), &wide.map(|x| (1.0 + x.abs()).ln()), 8.0);
        check_near(&x.exp_m1(), &wide.map(|x| x.sinh() * 2.0 / (1.0 + (-x).exp())), 8.0);
        check(&x.floor(), &naive.map(|x| x.floor()));
        check(&x.round(), &naive.map(|x| x.round_ties_even()));
        check(&x.square(), &naive.map(|x| x * x));
        check(&x.abs(), &naive.map(|x| x.abs()));
        check(&x.clamp(-1.0, 2.5), &naive.map(|x| x.clamp(-1.0, 2.5)));
        check(&x.abs().sqrt(), &naive.map(|x| x.abs().sqrt()));
        check(&x.map(|x| x > 0.0), &naive.map(|x| x > 0.0));
        check_near(&x.tanh(), &wide.map(f64::tanh), 4.0);
        check_near(&x.sigmoid(), &wide.map(|x| 1.0 / (1.0 + (-x).exp())), 4.0);
        check_near(&x.exp(), &wide.map(f64::exp), 4.0);
        check_near(&x.abs().ln(), &wide.map(|x| x.abs().ln()), 4.0);
        check_near(&x.sin(), &wide.map(f64::sin), 4.0);
        check_near(&x.cos(), &wide.map(f64::cos), 4.0);
        check(&x, &naive);
    }

    fn pairs(dims in dims(0..=4), seed) {
        let (a, b) = pair(&dims, seed);
        let ((x, nx), (y, ny)) = (build::<E>(&a, seed), build::<E>(&b, seed ^ 1));
        let mask = |holds: bool| if holds { 1.0 } else { 0.0 };
        check(&x.maximum(&y), &nx.zip(&ny, |x, y| x.max(y)));
        check(&x.minimum(&y), &nx.zip(&ny, |x, y| x.min(y)));
        check(&x.gt(&y), &nx.zip(&ny, |x, y| mask(x > y)));
        check(&x.ge(&y), &nx.zip(&ny, |x, y| mask(x >= y)));
        check(&x.lt(&y), &nx.zip(&ny, |x, y| mask(x < y)));
        check(&x.le(&y), &nx.zip(&ny, |x, y| mask(x <= y)));
        check(&x.eq_mask(&y), &nx.zip(&ny, |x, y| mask(x == y)));
        check(&x.ne_mask(&y), &nx.zip(&ny, |x, y| mask(x != y)));
        check(&x.zip(&y, |x, y| (x + 10.0) as usize * 100 + (y + 10.0) as usize),
            &nx.zip(&ny, |x, y| (x + 10.0) as usize * 100 + (y + 10.0) as usize));
    }

    fn where_mask(dims in dims(0..=3), seed) {
        let (a, b) = pair(&dims, seed);
        let third = common::broadcast(&a, &b);
        let [m, x, y] = match Dice(seed).roll(3) {
            0 => [&third, &a, &b],
            1 => [&a, &b, &third],
            _ => [&b, &third, &a],
        };
        let (mask, nm) = build_with::<E>(m, seed, |dice| [0.0, 0.0, 1.0, -2.0][dice.roll(4)]);
        // Not a number where it is not taken.
        let (x, nx) = build_with::<E>(x, seed ^ 1, |dice| dice.roll(9) as E);
        let (y, ny) = build_with::<E>(y, seed ^ 2, |dice| dice.roll(9) as E - 20.0);
        let indices = nm.zip(&nx, |m, x| (m, x));
        let expected = indices.zip(&ny, |(m, x), y| if m != 0.0 { x } else { y });
        check(&Tensor::where_mask(&mask, &x, &y), &expected);
    }

    fn add_assign(dims in dims(0..=4), seed) {
        let (a, b) = pair(&dims, seed);
        let dims = common::broadcast(&a, &b);
        let ((mut x, nx), (y, ny)) = (build::<E>(&dims, seed), build::<E>(&b, seed ^ 1));
        let (shared, expected) = (x.clone(), nx.zip(&ny, |x, y| x + y));
        x.add_assign(&y);
        check(&x, &expected);
        check(&shared, &nx);
        x += &y;
        check(&x, &expected.zip(&ny, |x, y| x + y));
        let mut own = nx.tensor();
        own.add_assign(&y);
        check(&own, &expected);
        // A tensor may be added to itself.
        let copy = own.clone();
        own += &copy;
        check(&own, &expected.map(|x| x + x));
    }

    fn add_at_and_set_at(dims in dims(1..=4), seed) {
        let (mut x, nx) = build::<E>(&dims, seed);
        let mut dice = Dice(seed ^ 1);
        let axis = dice.roll(dims.len());
        let start = dice.roll(dims[axis] + 1);
        let mut part = dims.clone();
        part[axis] = dice.roll(dims[axis] - start + 1);
        let (y, ny) = build::<E>(&part, seed ^ 2);
        let expected = |f: fn(E, E) -> E| Naive::from_fn(&dims, |index| {
            let mut from = index.to_vec();
            let inside = index[axis] >= start && index[axis] < start + part[axis];
            from[axis] = from[axis].wrapping_sub(start);
            if inside { f(nx.at(index), ny.at(&from)) } else { nx.at(index) }
        });
        let (shared, mut other) = (x.clone(), x.clone());
        x.add_at(axis, start, &y);
        check(&x, &expected(|x, y| x + y));
        other.set_at(axis, start, &y);
        check(&other, &expected(|_, y| y));
        check(&shared, &nx);
        // An entry may lack the axis.
        if part[axis] > 0 {
            let (mut entry, mut row) = (shared.clone(), shared.clone());
            entry.add_at(axis, start, &y.select(axis, 0));
            row.add_at(axis, start, &y.narrow(axis, 0, 1));
            assert_eq!(entry, row);
            entry.set_at(axis, start, &y.select(axis, 0));
            row.set_at(axis, start, &y.narrow(axis, 0, 1));
            assert_eq!(entry, row);
        }
    }

    fn set_and_as_mut_slice(dims in dims(0..=4), seed) {
        let (mut x, mut naive) = build::<E>(&dims, seed);
        let (shared, before) = (x.clone(), naive.clone());
        let all = common::indices(&dims);
        if let Some(index) = all.get(Dice(seed).roll(all.len().max(1))) {
            x.set(index, 77.0).unwrap();
            let flat = all.iter().position(|other| other == index).unwrap();
            naive.data[flat] = 77.0;
        }
        check(&x, &naive);
        x.as_mut_slice().iter_mut().for_each(|x| *x *= 2.0);
        check(&x, &naive.map(|x| x * 2.0));
        check(&shared, &before);
    }
}

#[test]
fn nan_does_not_leak_from_the_branch_not_taken() {
    let mask = Tensor::from([1.0_f64, 0.0]);
    let (a, b) = (Tensor::from([1.0, f64::NAN]), Tensor::from([f64::NAN, 2.0]));
    assert_eq!(Tensor::where_mask(&mask, &a, &b), Tensor::from([1.0, 2.0]));
}

#[test]
fn nan_propagates() {
    let nan = f32::NAN;
    let (x, y) = (Tensor::from([nan, 1.0, nan]), Tensor::from([1.0_f32, nan, nan]));
    assert!(x.maximum(&y).iter().all(f32::is_nan));
    assert!(x.minimum(&y).iter().all(f32::is_nan));
    let nan = Tensor::scalar(nan);
    for y in [nan.relu(), nan.sign(), nan.softplus(), nan.clamp(0.0, 1.0), nan.sigmoid(), nan.tanh()] {
        assert!(y.item().unwrap().is_nan());
    }
    assert_eq!(nan.eq_mask(&nan).item().unwrap(), 0.0);
    assert_eq!(nan.ne_mask(&nan).item().unwrap(), 1.0);
}

#[test]
fn sigmoid_does_not_overflow() {
    let x = Tensor::from([-1e4, -800.0, -40.0, 0.0, 40.0, 800.0, 1e4]);
    let y = x.sigmoid().to_vec();
    assert_eq!(y[..2], [0.0, 0.0]);
    assert!((y[2] / (-40.0_f64).exp() - 1.0).abs() < 1e-15);
    assert_eq!(y[3..], [0.5, 1.0, 1.0, 1.0]);
}

/// Rows longer than what strided elements are brought together by, in all combinations of strides.
#[test]
fn long_rows_in_odd_layouts() {
    for n in [127, 128, 129, 257, 300] {
        let base = Tensor::<f32>::from_fn([2, 2 * n], |index| (index[0] * 1000 + index[1]) as f32);
        let side_by_side = base.narrow(1, 3, n);
        let strided = base.reshape([2, n, 2]).select(2, 1);
        let backwards = side_by_side.flip(1);
        let repeated = base.narrow(1, 5, 1).broadcast_to([2, n]);
        let forms = [side_by_side, strided, backwards, repeated, base.select(0, 1).narrow(0, 0, n)];
        for x in &forms {
            check(&x.map(|x| x + 0.5), &Naive::from_fn(x.dims(), |index| x.at(index) + 0.5));
            for y in &forms {
                let (nx, ny) = (naive(x), naive(y));
                let difference = nx.zip(&ny, |x, y| x - y);
                check(&(x - y), &difference);
                check(&(own(x) - y), &difference);
                check(&(x - own(y)), &difference);
            }
        }
        let mut wide = Tensor::<f32>::zeros([n, 3]);
        wide.add_at(1, 1, &forms[1].select(0, 1).unsqueeze(1));
        check(
            &wide,
            &Naive::from_fn(&[n, 3], |index| if index[1] == 1 { forms[1].at(&[1, index[0]]) } else { 0.0 }),
        );
    }
}

fn naive(x: &Tensor<f32>) -> Naive<f32> {
    Naive::from_fn(x.dims(), |index| x.at(index))
}

#[test]
fn softplus_does_not_overflow_nor_vanish() {
    let inf = f64::INFINITY;
    let x = Tensor::from([-inf, -1e4, -700.0, -40.0, -1e-300, 0.0, 40.0, 800.0, 1e300, inf]);
    let expected = [
        0.0,
        0.0,
        (-700.0_f64).exp(),
        (-40.0_f64).exp(),
        2.0_f64.ln(),
        2.0_f64.ln(),
        40.0,
        800.0,
        1e300,
        inf,
    ];
    assert_close!(x.softplus(), Tensor::from(expected), 2e-16, 0.0);
    // Of an `e` that 1 + e loses half of.
    for x in [-20.0_f64, -30.0, -34.0, -36.5] {
        assert_close!(Tensor::scalar(x).softplus(), Tensor::scalar(x.exp().ln_1p()), 4e-16, 0.0);
    }
}

#[test]
fn signs_of_zero() {
    for zero in [0.0_f32, -0.0] {
        let x = Tensor::scalar(zero);
        for y in [x.relu(), x.sign()] {
            assert_eq!(y.item().unwrap().to_bits(), 0);
        }
    }
}

#[test]
fn owned_operands_lend_their_storage() {
    let place = |x: &Tensor<f64>| x.as_slice().unwrap().as_ptr();
    let (x, row) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([1.0, 2.0]));
    let y = own(&x);
    let at = place(&y);
    let y = -((y - &row) * &x / 2.0 + 1.0);
    assert_eq!(place(&y), at);
    let y = 1.0 / (&row + (&x * y));
    assert_eq!(place(&y), at);
    assert_eq!(place(&(row.clone() + y)), at);
    // Not if it is shared, nor if the result is larger.
    let shared = own(&x);
    let other = shared.clone();
    assert_ne!(place(&(shared + 1.0)), place(&other));
    assert_eq!(other, x);
    assert_eq!((own(&row) + &x).dims(), [2, 2]);
}

#[test]
fn in_place_writes_do_not_move() {
    let mut x = Tensor::<f32>::zeros([3, 4]);
    let at = x.as_slice().unwrap().as_ptr();
    x.add_assign(&Tensor::ones([4]));
    x.add_at(1, 2, &Tensor::ones([3, 2]));
    x.set(&[2, 3], 5.0).unwrap();
    assert_eq!(x.as_mut_slice().as_ptr(), at.cast_mut());
    assert_eq!(x.to_vec(), [1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 2.0, 1.0, 1.0, 2.0, 5.0]);
}

#[test]
fn tensors_are_sent_and_shared_between_threads() {
    fn check<T: Send + Sync>() {}
    fn generic<E: Element>() {
        check::<Tensor<E>>();
    }
    generic::<f32>();
    generic::<usize>();
    check::<retrograde_tensor::Error>();
    assert_eq!(f32::from_f64(0.5).to_f64(), 0.5);
}

/// Against the integral by Simpson's rule, whose error is far below that of the numbers.
#[test]
fn the_error_function_is_its_integral() {
    for x in [-5.9, -2.5, -1.0, -1e-3, 0.0, 1e-9, 0.3, 1.7, 3.0, 4.4] {
        let bell = |i: i32| (-(x * f64::from(i) / 4000.0_f64).powi(2)).exp();
        let inner: f64 = (1..4000).map(|i| bell(i) * f64::from(2 + 2 * (i % 2))).sum();
        let integral = x / 12000.0 * (bell(0) + inner + bell(4000)) * 2.0 / std::f64::consts::PI.sqrt();
        assert_close!(Tensor::scalar(x).erf(), Tensor::scalar(integral), 1e-13, 0.0);
        assert_close!(Tensor::scalar(x as f32).erf(), Tensor::scalar(integral as f32), 1e-6, 0.0);
    }
    let far = Tensor::from([6.0, 100.0, f64::INFINITY, -7.0, f64::NEG_INFINITY]);
    assert_eq!(far.erf(), Tensor::from([1.0, 1.0, 1.0, -1.0, -1.0]));
    assert!(Tensor::scalar(f64::NAN).erf().item().unwrap().is_nan());
}
