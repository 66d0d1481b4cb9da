//! Sizes that no shape can have, and shapes that no memory holds: errors of fallible functions, panics of the others.

use crate::common::panic_text;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand_distr::StandardUniform;
use retrograde_tensor::{Error, Shape, Tensor};

type T = Tensor<f64>;

/// Sizes whose bytes overflow `isize`, and that no address space has.
const SIZES: [usize; 2] = [1 << 60, 1 << 46];

/// A row of `n` elements that takes no memory.
fn long(n: usize) -> T {
    T::ones([1]).broadcast_to([n])
}

#[track_caller]
fn refuses<V>(result: Result<V, Error>, op: &str) {
    match result {
        Ok(_) => panic!("{op}: expected an error"),
        Err(error) => assert_eq!(
            error.to_string().split(", found").next().unwrap(),
            format!("{op}: expected a tensor that fits in memory")
        ),
    }
}

#[test]
fn what_memory_does_not_hold_is_an_error() {
    let small = T::ones([1]);
    let mut rng = StdRng::seed_from_u64(1);
    for n in SIZES {
        let x = long(n);
        let half = T::from([[1.0, 2.0]]).broadcast_to([n / 2, 2]);
        refuses(T::arange(0.0, n as f64, 1.0), "arange");
        refuses(T::uniform([n], 0.0, 1.0, &mut rng), "uniform");
        refuses(T::normal([n], 0.0, 1.0, &mut rng), "normal");
        refuses(half.try_reshape([n]), "reshape");
        refuses(x.try_zip(&small, f64::hypot), "zip");
        refuses(x.try_add(&small), "add");
        refuses(small.try_sub(&x), "sub");
        refuses(x.try_mul(&x), "mul");
        refuses(x.try_div(&x), "div");
        refuses(x.try_maximum(&small), "maximum");
        refuses(x.try_minimum(&small), "minimum");
        refuses(x.try_gt(&small), "gt");
        refuses(x.try_ne_mask(&small), "ne_mask");
        refuses(T::try_where_mask(&small, &small, &x), "where_mask");
        refuses(x.clone().try_add_assign(&small), "add_assign");
        refuses(x.clone().try_add_at(0, 0, &small), "add_at");
        refuses(x.clone().try_set_at(0, 0, &small), "set_at");
        refuses(x.clone().set(&[0], 2.0), "set");
        refuses(T::try_concat(&[&x, &small], 0), "concat");
        refuses(T::try_stack(&[&x, &x], 0), "stack");
        let rows = x.unsqueeze(0);
        refuses(rows.try_gather_rows(&Tensor::from([0_usize])), "gather_rows");
        refuses(rows.try_gather_rows(&Tensor::from([0_usize, 0])), "gather_rows");
        refuses(small.try_scatter_add_rows(n, &Tensor::from([0_usize])), "scatter_add_rows");
        refuses(rows.try_sum_to([n]), "sum_to");
        refuses(rows.try_sum_axes(&[0], false), "sum_axes");
        refuses(rows.try_mean_axis(0, true), "mean_axis");
        refuses(rows.try_max_axis(0, true), "max_axis");
        refuses(rows.try_min_axes(&[0], true), "min_axes");
        refuses(rows.try_argmax(0), "argmax");
        refuses(x.try_softmax(0), "softmax");
        refuses(x.try_log_softmax(0), "log_softmax");
        let column = x.unsqueeze(1);
        refuses(column.try_matmul(&T::ones([1, 1])), "matmul");
        refuses(column.try_matmul(&small), "matmul");
        refuses(T::ones([2, 1, 1]).try_matmul(&rows), "matmul");
        refuses(column.clone().try_matmul_acc(&column, &T::ones([1, 1])), "matmul_acc");
        let one = T::ones([1, 1]);
        refuses(
            column.clone().try_matmul_acc_sum(&[[column.as_matrix(), one.as_matrix()]]),
            "matmul_acc_sum",
        );
        refuses(rows.try_softmax(0), "softmax");
        refuses(rows.try_log_softmax(0), "log_softmax");
        refuses(rows.try_logsumexp(0, false), "logsumexp");
    }
}

#[test]
fn what_memory_does_not_hold_is_a_clear_panic() {
    let n = SIZES[0];
    let text = |op: &str| format!("{op}: expected a tensor that fits in memory, found [{n}] of 8 bytes each");
    let mut rng = StdRng::seed_from_u64(1);
    macro_rules! panics {
        ($($op:literal: $f:expr;)*) => {$( assert_eq!(panic_text(|| $f), text($op)); )*};
    }
    let x = long(n);
    panics! {
        "zeros": T::zeros([n]);
        "ones": T::ones([n]);
        "full": T::full([n], 2.0);
        "empty": T::empty([n]);
        "from_fn": T::from_fn([n], |_| 0.0);
        "linspace": T::linspace(0.0, 1.0, n);
        "random": T::random([n], &StandardUniform, &mut rng);
        "map": x.map(|x| x);
        "neg": x.neg();
        "neg": -&x;
        "tanh": x.tanh();
        "relu": x.relu();
        "clamp": x.clamp(0.0, 1.0);
        "mul": &x * 2.0;
        "mul": x.clone() * 2.0;
        "sub": 1.0 - &x;
        "add": &x + &x;
        "contiguous": x.contiguous();
        "to_vec": x.to_vec();
        "as_mut_slice": x.clone().as_mut_slice().len();
    }
    let text = "eye: expected a tensor that fits in memory, found [1073741824, 1073741824] of 8 bytes each";
    assert_eq!(panic_text(|| T::eye(1 << 30)), text);
}

#[test]
fn sizes_that_no_shape_has_are_errors() {
    let x = T::ones([2]);
    let mut rng = StdRng::seed_from_u64(1);
    let sizes = [usize::MAX, 2];
    let text = |op: &str| {
        format!("{op}: expected a number of elements that fits in isize, found [{}, 2]", usize::MAX)
    };
    let fails = |result: Result<T, Error>, op: &str| assert_eq!(result.unwrap_err().to_string(), text(op));
    fails(x.try_reshape(sizes), "reshape");
    let borrowed: &[usize; 2] = &sizes;
    fails(x.try_reshape(borrowed), "reshape");
    fails(x.try_reshape(&sizes[..]), "reshape");
    fails(x.try_broadcast_to(sizes), "broadcast_to");
    fails(x.try_sum_to(sizes), "sum_to");
    fails(T::from_vec(vec![1.0], sizes), "from_vec");
    fails(T::uniform(sizes, 0.0, 1.0, &mut rng), "uniform");
    fails(T::normal(sizes, 0.0, 1.0, &mut rng), "normal");
    assert_eq!(panic_text(|| T::zeros(sizes)), text("zeros"));
    assert_eq!(panic_text(|| x.reshape(sizes)), text("reshape"));
    let wide = x.unsqueeze(1).broadcast_to([2, 1 << 61]);
    let columns = long(1 << 62).unsqueeze(0);
    assert!(T::ones([4, 1]).try_add(&columns).is_err());
    assert!(T::try_concat(&[&wide, &wide], 0).is_err());
    assert!(T::try_stack(&[&wide, &wide], 0).is_err());
    assert!(T::ones([4, 1]).try_matmul(&columns).is_err());
    assert!(columns.try_gather_rows(&Tensor::zeros([4])).is_err());
    assert!(
        x.unsqueeze(1).broadcast_to([2, 4]).try_scatter_add_rows(usize::MAX, &Tensor::zeros([2])).is_err()
    );
    for (size, fits) in [(1 << 20, true), (SIZES[1], false), (SIZES[0], false)] {
        assert_eq!(Shape::from([size]).require_memory::<f64>("pad").is_ok(), fits);
    }
    // A slice is a shape, too, whose rank is checked when running.
    assert_eq!(x.try_reshape(&[2, 1][..]).unwrap().shape(), Shape::from([2, 1]));
    let text = "reshape: expected at most 6 axes, found 7 in [2, 1, 1, 1, 1, 1, 1]";
    assert_eq!(x.try_reshape(&[2, 1, 1, 1, 1, 1, 1][..]).unwrap_err().to_string(), text);
}
