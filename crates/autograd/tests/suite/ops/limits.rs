//! Where an operation meets the end of a number's range, or of memory.

use retrograde_autograd::{Error, Plain, Result, Tape, Var};
use retrograde_derivation::{Derivation, DeriveTape, DeriveVar};
use retrograde_tensor::{Float, Tensor};

/// The mean of equal numbers is that number, and its gradient is the nearest number to `g / n`.
fn means_are_exact<E: Float>() {
    for n in (1..200).chain([1000, 4999]) {
        let tape = Tape::new();
        let x = tape.var(Tensor::<E>::ones([n]));
        let columns = x.reshape([n, 1]).broadcast_to([n, 2]);
        let one = E::from_f64(1.0);
        let (y, z) = (x.mean(), columns.mean_axes(&[0], false));
        assert_eq!((y.value(), z.value()), (&Tensor::scalar(one), &Tensor::ones([2])), "{n}");
        let g = E::from_f64(-3.0);
        let dx = y.backward_with(&Tensor::scalar(g)).unwrap().get(&x).cloned();
        assert_eq!(dx, Some(Tensor::full([n], g / E::from_f64(n as f64))), "{n}");
        assert_eq!(tape.jvp(&[&y], &[(&x, &Tensor::ones([n]))]).unwrap()[0], Tensor::scalar(one));
        assert_eq!(tape.replay(&[&y], &[(&x, &Tensor::ones([n]))]).unwrap()[0], Tensor::scalar(one));
    }
}

#[test]
fn the_mean_of_ones_is_one() {
    means_are_exact::<f32>();
    means_are_exact::<f64>();
    let tape = Tape::<f64>::new();
    let none = tape.var(Tensor::zeros([2, 0]));
    assert!(none.mean().value().at(&[]).is_nan() && none.mean_axes(&[1], true).value().at(&[1, 0]).is_nan());
}

#[test]
fn the_derivative_of_a_mean_reads_as_a_division() {
    let tape = Tape::<f64>::new();
    let x = tape.var(Tensor::zeros([49])).named("x");
    let y = x.mean().named("y");
    let line = |derivation: Derivation| derivation.line("dx").unwrap().to_string();
    assert_eq!(line(tape.derivation(&[&y]).unwrap()), "dx = broadcast_to(dy / 49)");
    assert_eq!(line(y.derivation().unwrap()), "dx = broadcast_to(1 / 49)");
}

/// By every reading: all NaN along an axis where the greatest is not finite, nothing elsewhere.
#[test]
fn a_softmax_of_infinities_is_nan_in_every_reading() {
    type Softmax = for<'t> fn(&Var<'t, f64>, usize) -> Var<'t, f64>;
    let functions: [(&str, Softmax); 3] = [
        ("softmax", |x, axis| x.softmax(axis)),
        ("log_softmax", |x, axis| x.log_softmax(axis)),
        ("logsumexp", |x, axis| x.logsumexp(axis, true)),
    ];
    let infinity = f64::INFINITY;
    for special in
        [[infinity, 0.0, 1.0], [infinity, infinity, -infinity], [f64::NAN, 0.0, 1.0], [-infinity; 3]]
    {
        let rows = Tensor::from([special, [0.5, -infinity, 2.0]]);
        for (axis, x) in [(1, rows.clone()), (0, rows.t()), (0, rows.t().contiguous())] {
            for (name, f) in functions {
                let tape = Tape::new();
                let x = tape.var(x.clone());
                let y = f(&x, axis);
                let g = y.value().map(|_| 0.7);
                let fused = y.backward_with(&g).unwrap().get(&x).cloned().unwrap();
                let plain = tape.backward_over(&[(&y, Plain(g.clone()))], Plain).unwrap();
                let moved = tape.jvp(&[&y], &[(&x, &Tensor::ones(x.shape()))]).unwrap().remove(0);
                let twice = f(&tape.var(x.value().clone()), axis).value().clone();
                let limit = if special.contains(&infinity) { infinity } else { -infinity };
                for (what, found) in [
                    ("value", y.value()),
                    ("value again", &twice),
                    ("gradient", &fused),
                    ("plain gradient", &plain.get(&x).unwrap().0),
                    ("derivative forwards", &moved),
                ] {
                    let context = format!("{what} of {name} of {special:?} along {axis}: {found}");
                    let [special, finite] = [0, 1].map(|row| found.select(1 - axis, row));
                    if name == "logsumexp" && what.starts_with("value") && !x.value().at(&[0, 0]).is_nan() {
                        assert!(special.iter().all(|y| y == limit), "{context}");
                    } else if name == "logsumexp" && what == "derivative forwards" && limit == -infinity {
                        // Forwards, what does not move adds nothing: exp(-∞) moves by 0.
                        assert!(special.iter().all(|y| y.is_nan() || y == 0.0), "{context}");
                    } else {
                        assert!(special.iter().all(f64::is_nan), "{context}");
                    }
                    assert!(!finite.iter().any(f64::is_nan), "{context}");
                }
            }
        }
    }
}

fn refused<T>(result: Result<T>, text: &str) {
    match result {
        Ok(_) => panic!("expected the error {text:?}"),
        Err(error) => assert!(error.to_string().starts_with(text), "{error}"),
    }
}

#[test]
fn sizes_beyond_any_memory_are_errors() {
    let tape = Tape::<f64>::new();
    let x = &tape.var(Tensor::ones([1]));
    refused(x.try_pad(0, 0, usize::MAX), "pad: expected a number of elements that fits in isize");
    refused(x.try_reshape([usize::MAX, 2]), "reshape: expected a number of elements that fits in isize");
    refused(
        x.try_broadcast_to([usize::MAX, 2]),
        "broadcast_to: expected a number of elements that fits in isize",
    );
    refused(x.try_sum_to([usize::MAX, 2]), "sum_to: expected a number of elements that fits in isize");
    for n in [isize::MAX as usize, 1 << 60, 1 << 46] {
        let text = |op: &str| format!("{op}: expected a tensor that fits in memory");
        let long = &x.broadcast_to([n]);
        let row = &long.reshape([1, n]);
        refused(x.try_pad(0, 0, n), &text("pad"));
        refused(long.try_add(x), &text("add"));
        refused(x.try_mul(long), &text("mul"));
        refused(long.try_div(2.0), &text("div"));
        refused(long.try_maximum(x), &text("maximum"));
        refused(long.try_gt(x), &text("gt"));
        refused(x.try_where_mask(long, x), &text("where_mask"));
        refused(long.try_softmax(0), &text("softmax"));
        refused(row.try_logsumexp(0, false), &text("logsumexp"));
        let rows = &x.broadcast_to([2, n / 2]);
        refused(rows.try_sum_axes(&[0], false), &text("sum_to"));
        refused(rows.try_mean_axes(&[0], false), &text("sum_to"));
        refused(rows.try_max_axes(&[0], false), &text("max_axes"));
        refused(rows.try_min_axes(&[0], false), &text("neg"));
        assert_eq!(row.sum_axes(&[0], false).shape(), [n].into(), "a sum of one row is that row");
        refused(long.try_sum_to([n]).and_then(|y| y.try_add(1.0)), &text("shift"));
        refused(long.reshape([n, 1]).try_matmul(tape.var(Tensor::ones([1, 1]))), &text("matmul"));
        refused(row.try_gather_rows(&Tensor::from([0_usize])), &text("gather_rows"));
        refused(x.try_scatter_add_rows(n, &Tensor::from([0_usize])), &text("scatter_add_rows"));
        let pairs = tape.var(Tensor::from([[1.0, 2.0]])).broadcast_to([n / 2, 2]);
        refused(pairs.try_reshape([n / 2 * 2]), &text("reshape"));
        assert_eq!(long.reshape([n, 1]).shape()[0], n, "a view takes no memory");
    }
    assert!(matches!(x.try_pad(0, 2, 2), Err(Error::Tensor(_))));
}

/// Where a function saturates, its terms vanish in rounding: dual numbers take the branch that the values take.
fn saturated<E: Float>() {
    let ends = [0.1, 15.0, 16.7, 20.0, 36.0, 36.8, 37.5, 40.0, 87.0, 112.5, 700.0, 800.0];
    let both = ends.into_iter().flat_map(|x| [E::from_f64(x), E::from_f64(-x)]).collect::<Vec<_>>();
    let count = both.len();
    let tape = Tape::new();
    let x = tape.var(Tensor::from_vec(both, [count]).unwrap());
    let direction = Tensor::from_fn([count], |at| E::from_f64(0.5 + at[0] as f64));
    let sides = Var::stack(&[x.clone(), x.neg()], 1); // [count, 2]
    for (name, y) in [
        ("softplus", x.softplus()),
        ("sigmoid", x.sigmoid()),
        ("tanh", x.tanh()),
        ("logsumexp", sides.logsumexp(1, false)),
        ("log_softmax", sides.log_softmax(1).select(1, 0)),
        ("softmax", sides.softmax(1).select(1, 0)),
    ] {
        let moved = &tape.jvp(&[&y], &[(&x, &direction)]).unwrap()[0];
        let slope = y.backward_with(&Tensor::ones([count])).unwrap().get(&x).unwrap().clone();
        let expected = slope * &direction;
        let small = E::EPSILON.to_f64() * 100.0;
        assert!(moved.allclose(&expected, small, small).is_ok(), "{name}: {moved}, expected {expected}");
    }
}

#[test]
fn dual_numbers_where_a_function_saturates() {
    saturated::<f32>();
    saturated::<f64>();
}

/// Values that are equal and move apart.
#[test]
fn dual_numbers_are_compared_by_value() {
    let tape = Tape::new();
    let (x, y) = (tape.var(Tensor::from([1.0, 2.0, 3.0])), tape.var(Tensor::from([1.0, 5.0, 3.0])));
    let (dx, dy) = (Tensor::from([10.0, 20.0, 30.0]), Tensor::from([-1.0, -2.0, -3.0]));
    for (mask, expected) in [
        (x.eq_mask(&y), [10.0, -2.0, 30.0]),
        (x.ne_mask(&y), [-1.0, 20.0, -3.0]),
        (x.ge(&y), [10.0, -2.0, 30.0]),
        (x.lt(&y), [-1.0, 20.0, -3.0]),
    ] {
        let chosen = x.where_mask(&mask, &y);
        let moved = &tape.jvp(&[&chosen], &[(&x, &dx), (&y, &dy)]).unwrap()[0];
        assert_eq!(moved, &Tensor::from(expected));
    }
}
