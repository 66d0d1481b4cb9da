//! All readings of a rule say the same: fused, plain, recorded, symbolic; and replaying gives what was recorded.

use std::collections::HashMap;

use retrograde_autograd::{Gradients, Plain, Tape, Var};
use retrograde_derivation::DeriveTape;
use retrograde_tensor::{Error, Tensor};

use super::table::{Case, each_case};

/// The gradient of each operand, `None` where nothing flowed.
type Found = Vec<Option<Tensor<f64>>>;

fn found<G>(x: &[Var<'_, f64>], gradients: &Gradients<f64, G>, value: impl Fn(&G) -> Tensor<f64>) -> Found {
    x.iter().map(|x| gradients.get(x).map(&value)).collect()
}

#[track_caller]
fn same(case: &Case, expected: &Found, found: &Found) {
    for (i, pair) in expected.iter().zip(found).enumerate() {
        match pair {
            (None, None) => {}
            (Some(expected), Some(found)) => {
                let largest = expected.iter().fold(0.0, |largest: f64, x| largest.max(x.abs()));
                if let Err(mismatch) = found.allclose(expected, 1e-13, 1e-13 * largest) {
                    panic!("{}: operand {i}: {mismatch}", case.label);
                }
            }
            (expected, found) => {
                panic!("{}: operand {i}: expected {expected:?}, found {found:?}", case.label)
            }
        }
    }
}

#[test]
fn fused_kernels_agree_with_the_plain_rules() {
    each_case(|mut case| {
        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        let v = case.direction(y.shape());
        let fused = y.backward_with(&v).unwrap();
        let plain = tape.backward_over(&[(&y, Plain(v))], Plain).unwrap();
        same(&case, &found(&x, &plain, |g| g.0.clone()), &found(&x, &fused, Clone::clone));
    });
}

/// Over the numbers of the tape itself, the same rules are read; over others, as exactly as these are.
#[test]
fn gradients_in_other_numbers_agree_with_the_plain_rules() {
    each_case(|mut case| {
        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        let v = case.direction(y.shape());
        let again = tape.backward_in(&[(&y, &v)], |x| x).unwrap();
        let plain = tape.backward_over(&[(&y, Plain(v))], Plain).unwrap();
        same(&case, &found(&x, &plain, |g| g.0.clone()), &found(&x, &again, Clone::clone));
    });
    let tape = Tape::new();
    let x = tape.var(Tensor::from([1.0_f64 / 3.0, 0.7]));
    let single = tape.backward_in(&[(&x.square(), &Tensor::from([1.0, 0.1]))], |x| x as f32).unwrap();
    assert_eq!(single.get(&x), Some(&Tensor::from([2.0 * (1.0_f32 / 3.0), 0.1 * (2.0 * 0.7_f32)])));
}

#[test]
fn a_plain_value_prints_its_tensor() {
    let x = Tensor::from([1.5, -2.0]);
    assert_eq!(format!("{:?}", Plain(x.clone())), format!("Plain({x:?})"));
}

#[test]
fn recorded_gradients_agree_with_numeric_ones() {
    each_case(|mut case| {
        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        let v = case.direction(y.shape());
        let numeric = y.backward_with(&v).unwrap();
        let recorded = tape.backward_recorded(&[(&y, &tape.constant(v))]).unwrap();
        same(&case, &found(&x, &numeric, Clone::clone), &found(&x, &recorded, |g| g.value().clone()));
    });
}

/// A value that no rule reads is not kept, and would show as NaN in a gradient that reads it after all.
#[test]
fn gradients_of_finite_values_are_finite() {
    each_case(|mut case| {
        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        let v = case.direction(y.shape());
        let gradients = y.backward_with(&v).unwrap();
        for dx in found(&x, &gradients, Clone::clone).iter().flatten() {
            assert!(dx.iter().all(f64::is_finite), "{}: {dx}", case.label);
        }
    });
}

#[test]
fn replaying_gives_what_was_recorded() {
    each_case(|mut case| {
        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        assert_eq!(&tape.replay(&[&y], &[]).unwrap()[0], y.value(), "{}", case.label);

        let other: Vec<_> =
            case.operands.clone().iter().map(|x| x + case.direction(x.shape()) * 1e-3).collect();
        let inputs: Vec<_> = x.iter().zip(&other).collect();
        let replayed = &tape.replay(&[&y], &inputs).unwrap()[0];
        assert_eq!(replayed, &case.value(&other), "{}, with other operands", case.label);
    });
}

/// Every line of the derivation, evaluated in order, is the gradient that it names.
#[test]
fn derived_formulas_have_the_value_of_the_gradient() {
    each_case(|mut case| {
        let tape = Tape::new();
        let (x, y) = case.record(&tape);
        let v = case.direction(y.shape());
        let gradients = y.backward_with(&v).unwrap();

        let mut known = HashMap::from([("y".to_owned(), y.value().clone()), ("dy".to_owned(), v)]);
        known.extend((0..).zip(&case.operands).map(|(i, x)| (format!("x{i}"), x.clone())));
        for line in tape.derivation(&[&y]).unwrap().lines {
            let lookup = |name: &str| Ok(known.get(name).ok_or(Error::NoTensors { op: "lookup" })?.clone());
            let value = line.formula.evaluate(&lookup).unwrap_or_else(|_| {
                panic!("{}: {line} has a name that is not known", case.label);
            });
            known.insert(line.name, value);
        }
        let formulas = (0..x.len()).map(|i| known.get(&format!("dx{i}")).cloned()).collect();
        same(&case, &found(&x, &gradients, Clone::clone), &formulas);
    });
}
