//! Flat sides: a cotangent that comes back to a side whose derivative is 0 is cut off there, also if it is infinite or
//! NaN, as of a root or a logarithm of what was cut off. By every reading of the rules, and forwards.

use std::collections::HashMap;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde_autograd::{Error, Op, Plain, Tape, Var};
use retrograde_derivation::DeriveTape;
use retrograde_tensor::Tensor;

struct Case {
    name: &'static str,
    apply: for<'t> fn(&[Var<'t, f64>]) -> Var<'t, f64>,
    /// Whether the derivative with respect to operand `i` is 0 at this place, from the elements of all operands there.
    flat: fn(i: usize, x: &[f64]) -> bool,
}

/// Operations of two operands `[3, 4]`, with a constant mask `x2`; those of one operand ignore the others.
const CASES: &[Case] = &[
    Case { name: "relu", apply: |x| x[0].relu(), flat: |i, x| i > 0 || x[0] <= 0.0 },
    Case { name: "abs", apply: |x| x[0].abs(), flat: |i, x| i > 0 || x[0] == 0.0 },
    Case { name: "clamp", apply: |x| x[0].clamp(-1.0, 1.0), flat: |i, x| i > 0 || x[0].abs() > 1.0 },
    Case { name: "maximum", apply: |x| x[0].maximum(&x[1]), flat: |i, x| x[i] < x[1 - i] },
    Case { name: "minimum", apply: |x| x[0].minimum(&x[1]), flat: |i, x| x[i] > x[1 - i] },
    Case { name: "maximum of a number", apply: |x| x[0].maximum(0.5), flat: |i, x| i > 0 || x[0] < 0.5 },
    Case {
        name: "where_mask",
        apply: |x| x[0].where_mask(&x[2], &x[1]),
        flat: |i, x| (x[2] != 0.0) == (i == 1),
    },
    Case {
        name: "masked where set",
        apply: |x| x[0].tape().apply(Op::Masked { when: true }, &[&x[2], &x[0]]).unwrap(),
        flat: |i, x| i > 0 || x[2] == 0.0,
    },
    Case {
        name: "masked where not set",
        apply: |x| x[0].tape().apply(Op::Masked { when: false }, &[&x[2], &x[0]]).unwrap(),
        flat: |i, x| i > 0 || x[2] != 0.0,
    },
    Case { name: "sign", apply: |x| x[0].sign() + &x[1] * 0.0, flat: |i, _| i == 0 },
];

/// Small whole numbers, among them every kink and ties.
fn operands(rng: &mut StdRng) -> Vec<Tensor<f64>> {
    let mut draw = |choices: &[f64]| Tensor::from_fn([3, 4], |_| choices[rng.random_range(0..choices.len())]);
    let values = [-2.0, -1.0, -0.0, 0.0, 0.5, 1.0, 2.0];
    vec![draw(&values), draw(&values), draw(&[0.0, 1.0, -2.0])]
}

/// Exactly 0 where flat, and not finite elsewhere.
#[track_caller]
fn cut(label: &str, gradient: Option<Tensor<f64>>, flat: &Tensor<bool>) {
    let gradient = gradient.unwrap_or_else(|| Tensor::zeros([3, 4]));
    for (i, (dx, flat)) in gradient.iter().zip(flat.iter()).enumerate() {
        assert!(if flat { dx == 0.0 } else { !dx.is_finite() }, "{label}: element {i}: {dx}, flat: {flat}");
    }
}

#[test]
fn a_flat_side_cuts_off_whatever_comes_back() {
    let mut rng = StdRng::seed_from_u64(11);
    for case in CASES.iter().filter(|case| case.name != "sign") {
        for wild in [f64::INFINITY, f64::NEG_INFINITY, f64::NAN].repeat(8) {
            let values = operands(&mut rng);
            let tape = Tape::new();
            let names = ["x0", "x1"];
            let mut x: Vec<_> = (0..2).map(|i| tape.var(values[i].clone()).named(names[i])).collect();
            x.push(tape.constant(values[2].clone()).named("x2"));
            let y = (case.apply)(&x).named("y");
            let v = Tensor::full([3, 4], wild);
            let fused = y.backward_with(&v).unwrap();
            let plain = tape.backward_over(&[(&y, Plain(v.clone()))], Plain).unwrap();
            let recorded = tape.backward_recorded(&[(&y, &tape.constant(v.clone()))]).unwrap();
            let mut known = HashMap::from([("y".to_owned(), y.value().clone()), ("dy".to_owned(), v)]);
            known.extend((0..3).map(|i| (format!("x{i}"), values[i].clone())));
            for line in tape.derivation(&[&y]).unwrap().lines {
                let lookup = |name: &str| known.get(name).cloned().ok_or(Error::NotRecorded { op: "lookup" });
                let value = line.formula.evaluate(&lookup).unwrap();
                known.insert(line.name, value);
            }
            for (i, x) in x.iter().take(2).enumerate() {
                let flat = Tensor::from_fn([3, 4], |at| (case.flat)(i, &[0, 1, 2].map(|k| values[k].at(at))));
                let label = |reading: &str| format!("{} of {wild}, operand {i}, {reading}", case.name);
                cut(&label("fused"), fused.get(x).cloned(), &flat);
                cut(&label("plain"), plain.get(x).map(|g| g.0.clone()), &flat);
                cut(&label("recorded"), recorded.get(x).map(|g| g.value().clone()), &flat);
                cut(&label("formula"), known.get(&format!("dx{i}")).cloned(), &flat);
            }
        }
    }
}

/// Forwards: operands that move without bound where the operation is flat move nothing.
#[test]
fn what_moves_on_a_flat_side_moves_nothing() {
    let mut rng = StdRng::seed_from_u64(12);
    for case in CASES {
        for wild in [f64::INFINITY, f64::NAN].repeat(8) {
            let values = operands(&mut rng);
            let tape = Tape::new();
            let mut x: Vec<_> = (0..2).map(|i| tape.var(values[i].clone())).collect();
            x.push(tape.constant(values[2].clone()));
            let y = (case.apply)(&x);
            let tangent = |i: usize| {
                Tensor::from_fn([3, 4], |at| {
                    let flat = (case.flat)(i, &[0, 1, 2].map(|k| values[k].at(at)));
                    if flat { wild } else { 0.0 }
                })
            };
            // A tie is a mean of both sides, and flat for neither.
            let moved = &tape.jvp(&[&y], &[(&x[0], &tangent(0)), (&x[1], &tangent(1))]).unwrap()[0];
            assert!(moved.iter().all(|dy| dy == 0.0), "{} of {wild}: {moved}", case.name);
        }
    }
}

#[test]
fn what_is_not_the_largest_gets_nothing() {
    let values = Tensor::from([[1.0_f64, 4.0, -3.0], [7.0, 7.0, 0.0]]);
    for wild in [f64::INFINITY, f64::NAN] {
        let tape = Tape::new();
        let x = tape.var(values.clone());
        let y = x.max_axes(&[1], false);
        let z = x.min_axes(&[1], false);
        let v = Tensor::full([2], wild);
        let dy = y.backward_with(&v).unwrap().get(&x).unwrap().map(|dx| dx == 0.0);
        assert_eq!(dy, Tensor::from([[true, false, true], [false, false, true]]));
        let dz = z.backward_with(&v).unwrap().get(&x).unwrap().map(|dx| dx == 0.0);
        assert_eq!(dz, Tensor::from([[true, true, false], [true, true, false]]));
        let u = dy.map(|flat| if flat { wild } else { 0.0 });
        assert_eq!(tape.jvp(&[&y], &[(&x, &u)]).unwrap()[0], Tensor::zeros([2]));
    }
}

/// The gradients of PyTorch: the derivative of the outer function is infinite where the inner one is flat.
#[test]
fn roots_and_logarithms_of_what_was_cut_off() {
    type Function = for<'t> fn(&Var<'t, f64>) -> Var<'t, f64>;
    let cases: [(Function, [f64; 2]); 7] = [
        (|x| x.relu().sqrt(), [0.0, 0.25]),
        (|x| x.maximum(0.0).sqrt(), [0.0, 0.25]),
        (|x| x.clamp(0.0, 9.0).sqrt(), [0.0, 0.25]),
        (|x| (-x).minimum(0.0).abs().sqrt(), [0.0, 0.25]),
        (|x| x.relu().ln().where_mask(x.gt(0.0), 0.0), [0.0, 0.25]),
        (|x| 1.0 / x.relu(), [0.0, -0.0625]),
        (|x| x.relu().sqrt().ln().where_mask(x.gt(0.0), 0.0), [0.0, 0.125]),
    ];
    for (i, (f, expected)) in cases.into_iter().enumerate() {
        let tape = Tape::new();
        let x = tape.var(Tensor::from([-1.0, 4.0]));
        let y = f(&x);
        let ones = Tensor::ones([2]);
        assert_eq!(y.backward_with(&ones).unwrap().get(&x), Some(&Tensor::from(expected)), "case {i}");
        let plain = tape.backward_over(&[(&y, Plain(ones.clone()))], Plain).unwrap();
        assert_eq!(plain.get(&x).unwrap().0, Tensor::from(expected), "case {i}, plain");
        let recorded = tape.backward_recorded(&[(&y, &tape.constant(ones.clone()))]).unwrap();
        assert_eq!(recorded.get(&x).unwrap().value(), &Tensor::from(expected), "case {i}, recorded");
        assert_eq!(tape.jvp(&[&y], &[(&x, &ones)]).unwrap()[0], Tensor::from(expected), "case {i}, forwards");
    }
}

/// The second derivative of `x^½` is `-x^(-3/2) / 4`, and 0 where `x` was cut off.
#[test]
fn the_second_derivative_is_cut_off_too() {
    let tape = Tape::new();
    let x = tape.var(Tensor::from([-1.0, 4.0]));
    let products = x.relu().sqrt().sum().hvp(&[(&x, &Tensor::from([3.0, 2.0]))]).unwrap();
    assert_eq!(products.get(&x), Some(&Tensor::from([0.0, -0.0625])));
}
