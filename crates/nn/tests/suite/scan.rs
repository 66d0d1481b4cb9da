//! Scans, against the loop that they stand for.

use crate::common::{normal, seeded};
use retrograde_autograd::{Tape, Var};
use retrograde_check::Check;
use retrograde_nn::{linear_scan, scan};
use retrograde_tensor::{Shape, Tensor, assert_close};

#[test]
fn a_linear_recurrence_is_its_loop() {
    for (seed, (n, steps, rest)) in [
        (1, 1, &[3][..]),
        (2, 2, &[1]),
        (1, 3, &[2]),
        (3, 7, &[]),
        (2, 8, &[2, 3]),
        (1, 33, &[2]),
        (2, 64, &[1]),
        (1, 300, &[2]),
        (0, 5, &[2]),
        (2, 0, &[3]),
    ]
    .into_iter()
    .enumerate()
    {
        let rng = &mut seeded(seed as u64);
        let dims = [&[n, steps], rest].concat();
        let shape = Shape::new(&dims).unwrap();
        let (a, b): (Tensor<f64>, Tensor<f64>) = (normal(shape, 0.7, rng), normal(shape, 1.0, rng));
        let h_prev: Tensor<f64> = normal(Shape::new(&[&[n], rest].concat()).unwrap(), 1.0, rng);
        for given in [None, Some(&h_prev)] {
            let tape = Tape::new();
            let [a, b] = [&a, &b].map(|x| tape.var(x.clone()));
            let start = given.map(|h| tape.var(h.clone()));
            let hs = linear_scan(&a, &b, start.as_ref()).unwrap();
            assert_eq!(hs.shape(), shape);
            let mut h = start.clone().unwrap_or_else(|| tape.constant(Tensor::zeros(h_prev.shape())));
            let mut loops = Vec::new();
            for t in 0..steps {
                h = a.select(1, t) * &h + b.select(1, t);
                loops.push(h.clone());
            }
            if steps == 0 {
                continue;
            }
            let looped = Var::stack(&loops, 1);
            assert_close!(hs.value(), looped.value(), 1e-11, 1e-11);
            // The same gradients, from a random cotangent.
            let dhs = normal(shape, 1.0, rng);
            let [by_scan, by_loop] = [&hs, &looped].map(|hs| hs.backward_with(&dhs).unwrap());
            for x in [Some(&a), Some(&b), start.as_ref()].into_iter().flatten() {
                let zeros = || Tensor::zeros(x.shape());
                let [found, expected] =
                    [&by_scan, &by_loop].map(|grads| grads.get(x).cloned().unwrap_or_else(zeros));
                assert_close!(found, expected, 1e-10, 1e-10);
            }
        }
    }
}

#[test]
fn its_gradients_are_those_of_finite_differences() {
    for (seed, steps) in [(1, 2), (2, 5), (3, 6), (4, 9)] {
        let rng = &mut seeded(seed);
        let mut check = Check::new();
        for (name, shape) in [("a", &[2, steps, 2][..]), ("b", &[2, steps, 2]), ("h", &[2, 2])] {
            check = check.input(name, normal(Shape::new(shape).unwrap(), 0.8, rng));
        }
        let report =
            check.run(|_, x| Ok([("hs".to_owned(), linear_scan(&x["a"], &x["b"], Some(&x["h"]))?)].into()));
        report.unwrap().assert_ok();
    }
}

/// A product of 2 x 2 matrices neither commutes nor is element by element in the last axes.
#[test]
fn operations_that_do_not_commute() {
    for steps in 1..20 {
        let rng = &mut seeded(steps as u64);
        let tape = Tape::new();
        let x = tape.var(normal::<f64>([steps, 2, 2], 0.8, rng)); // [T, 2, 2]
        let found = scan(&x, 0, |a: &Var<'_, f64>, b| a.matmul(b)).unwrap();
        let mut product = x.select(0, 0);
        for t in 0..steps {
            if t > 0 {
                product = product.matmul(x.select(0, t));
            }
            assert_close!(found.value().select(0, t), product.value(), 1e-11, 1e-12);
        }
    }
}

#[test]
fn the_number_of_calls_is_a_square_root() {
    for steps in [1_usize, 2, 7, 8, 63, 64, 1000, 4096, 8191] {
        let (calls, elements) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
        let tape = Tape::inference();
        let x = tape.constant(Tensor::<f64>::ones([steps]));
        let sums = scan(&x, 0, |a: &Var<'_, f64>, b| {
            calls.set(calls.get() + 1);
            elements.set(elements.get() + b.shape()[0]);
            a + b
        });
        assert_eq!(sums.unwrap().value().to_vec(), (1..=steps).map(|t| t as f64).collect::<Vec<_>>());
        assert!(
            calls.get() <= 4 * steps.isqrt() && elements.get() <= 2 * steps + 4 * steps.isqrt(),
            "{} calls on {}",
            calls.get(),
            elements.get()
        );
    }
}

#[test]
fn what_is_no_scan_is_refused() {
    let tape = Tape::new();
    let var = |shape: &[usize]| tape.var(Tensor::<f64>::ones(Shape::new(shape).unwrap()));
    fn plus<'t>(a: &Var<'t, f64>, b: &Var<'t, f64>) -> Var<'t, f64> {
        a + b
    }
    fn text<T>(result: retrograde_nn::Result<T>) -> String {
        result.err().unwrap().to_string()
    }
    let expected =
        "scan: expected elements of at most 5 axes, of one length along the axis of the scan, found";
    assert_eq!(text(scan(&var(&[2]), 1, plus)), format!("{expected} [2] for axis 1"));
    assert_eq!(text(scan(&var(&[1; 6]), 1, plus)), format!("{expected} [1, 1, 1, 1, 1, 1] for axis 1"));
    let uneven = [var(&[2, 3]), var(&[2, 4])];
    assert_eq!(
        text(scan(&uneven, 1, |a: &[Var<'_, f64>; 2], _| a.clone())),
        format!("{expected} [2, 4] for axis 1")
    );
    let other = scan(&var(&[2, 3]), 1, |a: &Var<'_, f64>, _: &Var<'_, f64>| a.sum());
    assert_eq!(text(other), "scan: expected an output of the operation of shape [2, 1], found []");
    assert_eq!(
        text(linear_scan(&var(&[2, 3]), &var(&[2, 4]), None)),
        "scan: expected b of shape [2, 3], found [2, 4]"
    );
    assert_eq!(
        text(linear_scan(&var(&[2]), &var(&[2]), None)),
        "scan: expected a of shape [N, T, ..], found [2]"
    );
    let h = var(&[3, 1]);
    assert_eq!(
        text(linear_scan(&var(&[2, 3, 1]), &var(&[2, 3, 1]), Some(&h))),
        "scan: expected h_prev of shape [2, 1], found [3, 1]"
    );
    assert!(scan::<f64, ()>(&(), 0, |_, _| ()).is_ok());
}
