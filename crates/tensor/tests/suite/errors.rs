//! Every way to be wrong, word for word; and that the twin which panics says the same, at the caller's line.

use std::panic::Location;

use crate::common::{own, panic_text};
use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_tensor::{Error, MAX_RANK, Shape, Tensor};

type T = Tensor<f32>;

fn zeros<const R: usize>(dims: [usize; R]) -> T {
    T::zeros(dims)
}

#[track_caller]
fn fails<V>(result: Result<V, Error>, text: &str) {
    match result {
        Ok(_) => panic!("expected an error at {}", Location::caller()),
        Err(error) => assert_eq!(error.to_string(), text),
    }
}

/// The twins of an operation fail with the same text.
macro_rules! twins {
    ($($text:literal: $x:expr, $try_name:ident / $name:ident ($($arg:expr),* $(,)?);)*) => {$({
        fails($x.$try_name($($arg),*), $text);
        assert_eq!(panic_text(|| $x.$name($($arg),*)), $text);
    })*};
}

#[test]
fn shapes() {
    fails(Shape::new(&[1; 7]), "shape: expected at most 6 axes, found 7 in [1, 1, 1, 1, 1, 1, 1]");
    let large = 1 << 62;
    let text = "shape: expected a number of elements that fits in isize, found [4611686018427387904, 2]";
    fails(Shape::new(&[large, 2]), text);
    assert_eq!(panic_text(|| Shape::from([large, 2])), text);
    // Even where there are no elements: strides are products too.
    fails(
        Shape::new(&[0, large, 2]),
        "shape: expected a number of elements that fits in isize, found [0, 4611686018427387904, 2]",
    );
    fails(
        Shape::broadcast("add", &[2, 3].into(), &[4].into()),
        "add: expected shapes that broadcast together, found [2, 3] and [4]",
    );
    fails(
        Shape::broadcast("add", &[large, 1].into(), &[2].into()),
        "add: expected a number of elements that fits in isize, found [4611686018427387904, 2]",
    );
    let shape = Shape::from([2, 3]);
    assert_eq!(
        panic_text(|| shape.with_axis(2, 1)),
        "with_axis: expected an axis below 2, found 2 in [2, 3]"
    );
    assert_eq!(panic_text(|| shape.removed(2)), "removed: expected an axis below 2, found 2 in [2, 3]");
    assert_eq!(
        panic_text(|| shape.inserted(3, 1)),
        "inserted: expected a new axis at most at 2, found 3 in [2, 3]"
    );
    assert_eq!(
        panic_text(|| Shape::from([1; MAX_RANK]).inserted(0, 1)),
        "inserted: expected at most 6 axes, found 7 in [1, 1, 1, 1, 1, 1, 1]"
    );
}

#[test]
fn shapes_are_lists_of_sizes() {
    let shape = Shape::from([2, 3, 4]);
    assert_eq!((&shape[..], shape.rank(), shape.numel()), (&[2, 3, 4][..], 3, 24));
    assert_eq!(shape.with_axis(1, 7), Shape::from([2, 7, 4]));
    assert_eq!(shape.inserted(0, 7), Shape::from([7, 2, 3, 4]));
    assert_eq!(shape.inserted(3, 7), Shape::from([2, 3, 4, 7]));
    assert_eq!(shape.removed(0), Shape::from([3, 4]));
    assert_eq!(shape.removed(2), Shape::from([2, 3]));
    assert_eq!((Shape::from([]).numel(), Shape::from([3, 0]).numel()), (1, 0));
    let in_order = crate::common::indices(&shape);
    assert!(in_order.iter().enumerate().all(|(flat, index)| shape.unravel(flat) == *index));
    assert_eq!(Shape::from([]).unravel(0), []);
    assert_ne!(Shape::from([2]), Shape::from([2, 1]));
    assert_eq!(format!("{shape} {shape:?} {}", Shape::from([])), "[2, 3, 4] [2, 3, 4] []");
    assert_eq!(std::collections::HashSet::from([shape, Shape::from(&shape), shape.removed(1)]).len(), 2);
}

#[test]
fn constructors() {
    fails(T::from_vec(vec![1.0; 5], [2, 3]), "from_vec: expected 6 elements for shape [2, 3], found 5");
    let text = "arange: expected finite bounds and a finite step other than 0, found";
    fails(T::arange(0.0, 1.0, 0.0), &format!("{text} 0, 1, 0"));
    fails(T::arange(0.0, f32::INFINITY, 1.0), &format!("{text} 0, inf, 1"));
    fails(T::arange(f32::NAN, 1.0, 1.0), &format!("{text} NaN, 1, 1"));
    fails(
        Tensor::<f64>::arange(0.0, 1e300, 1e-300),
        &format!(
            "arange: expected at most isize::MAX values, found more from {} to {} by {}",
            0.0, 1e300, 1e-300
        ),
    );
    let mut rng = StdRng::seed_from_u64(1);
    let text = "uniform: expected finite bounds with low < high, found";
    fails(T::uniform([2], 1.0, 0.0, &mut rng), &format!("{text} 1 and 0"));
    fails(T::uniform([2], 1.0, 1.0, &mut rng), &format!("{text} 1 and 1"));
    fails(T::uniform([2], 0.0, f32::NAN, &mut rng), &format!("{text} 0 and NaN"));
    let text = "normal: expected a finite mean and a finite std >= 0, found";
    fails(T::normal([2], 0.0, -1.0, &mut rng), &format!("{text} 0 and -1"));
    fails(T::normal([2], f32::NAN, 1.0, &mut rng), &format!("{text} NaN and 1"));
    fails(T::normal([2], 0.0, f32::INFINITY, &mut rng), &format!("{text} 0 and inf"));
}

#[test]
fn elements() {
    let mut x = zeros([2, 3]);
    fails(x.get(&[2, 0]), "get: expected an index within [2, 3], found [2, 0]");
    fails(x.get(&[1]), "get: expected an index within [2, 3], found [1]");
    assert_eq!(panic_text(|| x.at(&[0, 3])), "at: expected an index within [2, 3], found [0, 3]");
    fails(x.set(&[0, 0, 0], 1.0), "set: expected an index within [2, 3], found [0, 0, 0]");
    fails(x.item(), "item: expected exactly one element, found [2, 3]");
}

#[test]
fn views() {
    let x = zeros([2, 4]);
    let six = zeros([1; 6]);
    twins! {
        "reshape: expected a shape of 8 elements for [2, 4], found [3, 3]": x, try_reshape / reshape([3, 3]);
        "permute: expected each axis of [2, 4] once, found [0, 0]": x, try_permute / permute(&[0, 0]);
        "permute: expected each axis of [2, 4] once, found [0]": x, try_permute / permute(&[0]);
        "permute: expected each axis of [2, 4] once, found [0, 2]": x, try_permute / permute(&[0, 2]);
        "transpose: expected an axis below 2, found 2 in [2, 4]": x, try_transpose / transpose(0, 2);
        "transpose: expected an axis below 2, found 5 in [2, 4]": x, try_transpose / transpose(5, 0);
        "t: expected at least 2 axes, found [3]": zeros([3]), try_t / t();
        "narrow: expected an axis below 2, found 2 in [2, 4]": x, try_narrow / narrow(2, 0, 1);
        "narrow: expected start + length within axis 1 of size 4, found 3 + 2 in [2, 4]":
            x, try_narrow / narrow(1, 3, 2);
        "narrow: expected start + length within axis 0 of size 2, found 18446744073709551615 + 2 in [2, 4]":
            x, try_narrow / narrow(0, usize::MAX, 2);
        "select: expected an axis below 2, found 2 in [2, 4]": x, try_select / select(2, 0);
        "select: expected an index below 4 along axis 1, found 4 in [2, 4]": x, try_select / select(1, 4);
        "squeeze: expected an axis below 2, found 2 in [2, 4]": x, try_squeeze / squeeze(2);
        "squeeze: expected axis 1 to have size 1, found [2, 4]": x, try_squeeze / squeeze(1);
        "unsqueeze: expected a new axis at most at 2, found 3 in [2, 4]": x, try_unsqueeze / unsqueeze(3);
        "unsqueeze: expected at most 6 axes, found 7 in [1, 1, 1, 1, 1, 1, 1]": six, try_unsqueeze / unsqueeze(0);
        "broadcast_to: expected a shape that broadcasts to [2, 3], found [2, 4]":
            x, try_broadcast_to / broadcast_to([2, 3]);
        "broadcast_to: expected a shape that broadcasts to [4], found [2, 4]": x, try_broadcast_to / broadcast_to([4]);
        "flip: expected an axis below 2, found 2 in [2, 4]": x, try_flip / flip(2);
    }
}

#[test]
fn joins() {
    let (a, b, six) = (zeros([2, 3]), zeros([2, 4]), zeros([1; 6]));
    fails(T::try_stack(&[], 0), "stack: expected at least one tensor, found none");
    assert_eq!(panic_text(|| T::stack(&[], 0)), "stack: expected at least one tensor, found none");
    fails(T::try_stack(&[&a, &b], 0), "stack: expected shape [2, 3], found [2, 4]");
    fails(T::try_stack(&[&a], 3), "stack: expected a new axis at most at 2, found 3 in [2, 3]");
    fails(T::try_stack(&[&six], 0), "stack: expected at most 6 axes, found 7 in [1, 1, 1, 1, 1, 1, 1]");
    fails(T::try_concat(&[], 0), "concat: expected at least one tensor, found none");
    let text = "concat: expected shapes that differ only in axis 0, found [2, 3] and [2, 4]";
    fails(T::try_concat(&[&a, &b], 0), text);
    assert_eq!(panic_text(|| T::concat(&[&a, &b], 0)), text);
    fails(
        T::try_concat(&[&a, &zeros([2])], 1),
        "concat: expected shapes that differ only in axis 1, found [2, 3] and [2]",
    );
    fails(T::try_concat(&[&a], 2), "concat: expected an axis below 2, found 2 in [2, 3]");
    let large = zeros([0]).broadcast_to([1 << 62, 0]);
    fails(
        T::try_concat(&[&large, &large], 0),
        "concat: expected a number of elements that fits in isize, found [9223372036854775808, 0]",
    );
}

#[test]
fn elementwise() {
    let (a, b) = (zeros([2, 3]), zeros([4]));
    macro_rules! operator {
        ($($op:tt $try_name:ident $text:literal;)*) => {$(
            fails(a.$try_name(&b), $text);
            assert_eq!(panic_text(|| &a $op &b), $text);
            assert_eq!(panic_text(|| a.clone() $op &b), $text);
            assert_eq!(panic_text(|| &a $op b.clone()), $text);
            assert_eq!(panic_text(|| own(&a) $op b.clone()), $text);
        )*};
    }
    operator! {
        + try_add "add: expected shapes that broadcast together, found [2, 3] and [4]";
        - try_sub "sub: expected shapes that broadcast together, found [2, 3] and [4]";
        * try_mul "mul: expected shapes that broadcast together, found [2, 3] and [4]";
        / try_div "div: expected shapes that broadcast together, found [2, 3] and [4]";
    }
    twins! {
        "zip: expected shapes that broadcast together, found [2, 3] and [4]": a, try_zip / zip(&b, |x, _| x);
        "maximum: expected shapes that broadcast together, found [2, 3] and [4]": a, try_maximum / maximum(&b);
        "minimum: expected shapes that broadcast together, found [2, 3] and [4]": a, try_minimum / minimum(&b);
        "gt: expected shapes that broadcast together, found [2, 3] and [4]": a, try_gt / gt(&b);
        "ge: expected shapes that broadcast together, found [2, 3] and [4]": a, try_ge / ge(&b);
        "lt: expected shapes that broadcast together, found [2, 3] and [4]": a, try_lt / lt(&b);
        "le: expected shapes that broadcast together, found [2, 3] and [4]": a, try_le / le(&b);
        "eq_mask: expected shapes that broadcast together, found [2, 3] and [4]": a, try_eq_mask / eq_mask(&b);
        "ne_mask: expected shapes that broadcast together, found [2, 3] and [4]": a, try_ne_mask / ne_mask(&b);
    }
    let text = "where_mask: expected shapes that broadcast together, found [2, 3] and [4]";
    fails(T::try_where_mask(&a, &a, &b), text);
    fails(T::try_where_mask(&a, &b, &b), text);
    assert_eq!(panic_text(|| T::where_mask(&a, &a, &b)), text);

    let mut c = zeros([2, 3]);
    let text = "add_assign: expected a shape that broadcasts to [2, 3], found [4]";
    fails(c.try_add_assign(&b), text);
    assert_eq!(panic_text(|| c.add_assign(&b)), text);
    assert_eq!(panic_text(|| c += &b), text);
    fails(zeros([3]).try_add_assign(&a), "add_assign: expected a shape that broadcasts to [3], found [2, 3]");
    fails(c.try_add_at(2, 0, &a), "add_at: expected an axis below 2, found 2 in [2, 3]");
    fails(c.try_add_at(0, 0, &b), "add_at: expected shape [3], found [4]");
    fails(
        c.try_add_at(0, 2, &zeros([3])),
        "add_at: expected an index below 2 along axis 0, found 2 in [2, 3]",
    );
    fails(c.try_add_at(0, 0, &zeros([])), "add_at: expected 2 axes, found []");
    fails(c.try_set_at(0, 0, &zeros([1, 1, 3])), "set_at: expected 2 axes, found [1, 1, 3]");
    fails(c.try_add_at(0, 0, &zeros([1, 4])), "add_at: expected shape [1, 3], found [1, 4]");
    let text = "add_at: expected start + length within axis 1 of size 3, found 1 + 3 in [2, 3]";
    fails(c.try_add_at(1, 1, &a), text);
    assert_eq!(panic_text(|| c.add_at(1, 1, &a)), text);
    fails(c.try_set_at(0, 0, &zeros([1, 4])), "set_at: expected shape [1, 3], found [1, 4]");
    let text = "set_at: expected start + length within axis 1 of size 3, found 1 + 3 in [2, 3]";
    fails(c.try_set_at(1, 1, &a), text);
    assert_eq!(panic_text(|| c.set_at(1, 1, &a)), text);
}

#[test]
fn reductions() {
    let (x, empty) = (zeros([2, 3]), zeros([0, 3]));
    twins! {
        "sum_axes: expected an axis below 2, found 2 in [2, 3]": x, try_sum_axes / sum_axes(&[2], false);
        "sum_axes: expected distinct axes, found [0, 1, 0] in [2, 3]": x, try_sum_axes / sum_axes(&[0, 1, 0], false);
        "sum_axis: expected an axis below 2, found 2 in [2, 3]": x, try_sum_axis / sum_axis(2, false);
        "mean_axes: expected distinct axes, found [1, 1] in [2, 3]": x, try_mean_axes / mean_axes(&[1, 1], true);
        "mean_axis: expected an axis below 2, found 9 in [2, 3]": x, try_mean_axis / mean_axis(9, true);
        "max_axes: expected distinct axes, found [1, 1] in [2, 3]": x, try_max_axes / max_axes(&[1, 1], true);
        "max_axes: expected at least one element along the reduced axes, found [0, 3]":
            empty, try_max_axes / max_axes(&[1, 0], true);
        "max_axis: expected at least one element along the reduced axes, found [0, 3]":
            empty, try_max_axis / max_axis(0, true);
        "min_axes: expected an axis below 2, found 3 in [2, 3]": x, try_min_axes / min_axes(&[3], true);
        "min_axis: expected at least one element along the reduced axes, found [0, 3]":
            empty, try_min_axis / min_axis(0, false);
        "max: expected at least one element along the reduced axes, found [0, 3]": empty, try_max / max();
        "min: expected at least one element along the reduced axes, found [0, 3]": empty, try_min / min();
        "argmax: expected an axis below 2, found 2 in [2, 3]": x, try_argmax / argmax(2);
        "argmax: expected at least one element along the reduced axes, found [0, 3]": empty, try_argmax / argmax(0);
        "sum_to: expected a shape that broadcasts to [2, 3], found [2]": x, try_sum_to / sum_to([2]);
        "sum_to: expected a shape that broadcasts to [2, 3], found [1, 2, 3]": x, try_sum_to / sum_to([1, 2, 3]);
        "softmax: expected an axis below 2, found 2 in [2, 3]": x, try_softmax / softmax(2);
        "log_softmax: expected an axis below 2, found 2 in [2, 3]": x, try_log_softmax / log_softmax(2);
        "logsumexp: expected an axis below 2, found 2 in [2, 3]": x, try_logsumexp / logsumexp(2, false);
    }
}

#[test]
fn products() {
    let (a, b) = (zeros([2, 3]), zeros([4, 5]));
    twins! {
        "matmul: expected inner dimensions to agree, found [2, 3] and [4, 5]": a, try_matmul / matmul(&b);
        "matmul: expected inner dimensions to agree, found [2, 3] and [2]": a, try_matmul / matmul(&zeros([2]));
        "matmul: expected inner dimensions to agree, found [2] and [3]": zeros([2]), try_matmul / matmul(&zeros([3]));
        "matmul: expected inner dimensions to agree, found [3] and [2, 3]": zeros([3]), try_matmul / matmul(&a);
        "matmul: expected at least 1 axes, found []": a, try_matmul / matmul(&zeros([]));
        "matmul: expected at least 1 axes, found []": zeros([]), try_matmul / matmul(&a);
        "matmul: expected shapes that broadcast together, found [2, 1, 3] and [4, 3, 2]":
            zeros([2, 1, 3]), try_matmul / matmul(&zeros([4, 3, 2]));
    }
    let mut c = zeros([2, 5]);
    fails(
        c.try_matmul_acc(&a, &b),
        "matmul_acc: expected inner dimensions to agree, found [2, 3] and [4, 5]",
    );
    fails(c.try_matmul_acc(&zeros([2]), &b), "matmul_acc: expected 2 axes, found [2]");
    fails(c.try_matmul_acc(&zeros([3, 4]), &b), "matmul_acc: expected shape [3, 5], found [2, 5]");
    assert_eq!(
        panic_text(|| c.matmul_acc(&zeros([3, 4]), &b)),
        "matmul_acc: expected shape [3, 5], found [2, 5]"
    );
    let (left, right, tall) = (Tensor::ones([2, 3]), Tensor::ones([3, 5]), zeros([3, 4]));
    let terms = |other| [[left.as_matrix(), right.as_matrix()], [other, b.as_matrix()]];
    let text = "matmul_acc_sum: expected shape [3, 5], found [2, 5]";
    fails(c.try_matmul_acc_sum(&terms(tall.as_matrix())), text);
    assert_eq!(panic_text(|| c.matmul_acc_sum(&terms(tall.as_matrix()))), text);
    let text = "matmul_acc_sum: expected inner dimensions to agree, found [4, 3] and [4, 5]";
    fails(c.try_matmul_acc_sum(&terms(tall.as_matrix().t())), text);
    fails(zeros([2]).try_matmul_acc_sum(&[]), "matmul_acc_sum: expected 2 axes, found [2]");
    assert_eq!(c, zeros([2, 5]), "nothing is added where one of the terms does not fit");
}

#[test]
fn indices() {
    let x = zeros([3, 2]);
    let at = Tensor::from([[0_usize, 1], [2, 3]]);
    twins! {
        "gather_rows: expected an index below 3, found 3 at [1, 1] of [2, 2]": x, try_gather_rows / gather_rows(&at);
        "gather_rows: expected at least 1 axes, found []": zeros([]), try_gather_rows / gather_rows(&at);
        "gather_rows: expected at most 6 axes, found 7 in [1, 1, 1, 1, 1, 1, 2]":
            x, try_gather_rows / gather_rows(&Tensor::zeros([1; 6]));
        "scatter_add_rows: expected a shape that starts with [2, 2], found [3, 2]":
            x, try_scatter_add_rows / scatter_add_rows(4, &at);
        "scatter_add_rows: expected an index below 3, found 3 at [1, 1] of [2, 2]":
            zeros([2, 2]), try_scatter_add_rows / scatter_add_rows(3, &at);
    }
}

#[test]
fn panics_point_at_the_caller() {
    use std::sync::{Arc, Mutex};
    let places = Arc::new(Mutex::new(Vec::new()));
    let (seen, before) = (Arc::clone(&places), std::panic::take_hook());
    std::panic::set_hook(Box::new(move |info| {
        let place = info.location().map(|at| (at.file().to_owned(), at.line()));
        seen.lock().unwrap().push((std::thread::current().id(), place));
    }));
    let x = zeros([2]);
    let line = line!();
    panic_text(|| &x + &zeros([3]));
    panic_text(|| x.clone() - zeros([3]));
    panic_text(|| x.matmul(&zeros([3])));
    panic_text(|| x.at(&[2]));
    panic_text(|| x.max_axis(1, false));
    std::panic::set_hook(before);
    let own = std::thread::current().id();
    let places: Vec<_> =
        places.lock().unwrap().iter().filter(|(id, _)| *id == own).map(|(_, at)| at.clone()).collect();
    let expected: Vec<_> = (1..=5).map(|i| Some((file!().to_owned(), line + i))).collect();
    assert_eq!(places, expected);
}

#[test]
fn errors_are_small() {
    // A `Result` that is passed on everywhere.
    assert!(size_of::<Error>() <= 64, "{}", size_of::<Error>());
}
