//! A first look at each part.
use retrograde_tensor::{Tensor, assert_close};

#[test]
fn nested_arrays_infer_their_type() {
    let x = Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]);
    assert_eq!(x.matmul(&x), Tensor::from([[7.0, 10.0], [15.0, 22.0]]));
    assert_eq!((&x + Tensor::from([1.0, 2.0])).to_vec(), [2.0, 4.0, 4.0, 6.0]);
    assert_eq!((1.0 - x.clone() * 2.0).to_vec(), [-1.0, -3.0, -5.0, -7.0]);
    assert_eq!(x.t().reshape([4]).to_vec(), [1.0, 3.0, 2.0, 4.0]);
    assert_eq!(x.flip(1).sum_axes(&[0], false).to_vec(), [6.0, 4.0]);
    assert_eq!(Tensor::from(2.0_f32).item().unwrap(), 2.0);
}

#[test]
fn softmax_rows_sum_to_one() {
    let x = Tensor::<f64>::from_fn([3, 4, 2], |i| (i[0] * 7 + i[1] * 3 + i[2]) as f64 * 100.0);
    for axis in 0..3 {
        let sums = x.softmax(axis).sum_axis(axis, false);
        assert_close!(sums, Tensor::ones(sums.shape()), 1e-14, 0.0);
        assert_close!(x.log_softmax(axis).exp(), x.softmax(axis), 1e-12, 1e-300);
    }
}

#[test]
fn rows_gathered_and_scattered() {
    let table = Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]);
    let indices = Tensor::from([[2_usize, 0], [2, 1]]);
    let rows = table.gather_rows(&indices);
    assert_eq!(rows.to_vec(), [5.0, 6.0, 1.0, 2.0, 5.0, 6.0, 3.0, 4.0]);
    assert_eq!(rows.scatter_add_rows(3, &indices).to_vec(), [1.0, 2.0, 3.0, 4.0, 10.0, 12.0]);
    let message = table.try_gather_rows(&Tensor::from([0_usize, 3])).unwrap_err().to_string();
    assert_eq!(message, "gather_rows: expected an index below 3, found 3 at [1] of [2]");
}

#[test]
fn joined_and_added_in_place() {
    let x = Tensor::from([[1.0_f32, 2.0], [3.0, 4.0]]);
    let mut y = Tensor::concat(&[&x, &x.t()], 1);
    assert_eq!(y.to_vec(), [1.0, 2.0, 1.0, 3.0, 3.0, 4.0, 2.0, 4.0]);
    y.add_at(1, 1, &x);
    assert_eq!(y.to_vec(), [1.0, 3.0, 3.0, 3.0, 3.0, 7.0, 6.0, 4.0]);
    y += &Tensor::from([[1.0], [0.0]]);
    assert_eq!(y.select(0, 0).to_vec(), [2.0, 4.0, 4.0, 4.0]);
    assert_eq!(Tensor::stack(&[&x, &x.t()], 1).shape().to_string(), "[2, 2, 2]");
}

#[test]
fn batches_of_products() {
    let a = Tensor::<f64>::from_fn([4, 5, 9], |i| (i[0] * 45 + i[1] * 9 + i[2]) as f64);
    let b = Tensor::<f64>::from_fn([9, 8], |i| (i[0] + 2 * i[1]) as f64);
    let y = a.matmul(&b);
    for i in 0..4 {
        assert_eq!(y.select(0, i), a.select(0, i).matmul(&b));
    }
    assert_eq!(a.at(&[1, 2, 3]), 66.0);
    assert_eq!(y.at(&[0, 0, 1]), (0..9).map(|k| (k * (k + 2)) as f64).sum::<f64>());
}

#[test]
fn printed() {
    let x = Tensor::from([[1.0, -2.5], [10.0, 4.0]]);
    assert_eq!(x.to_string(), "[[   1, -2.5],\n [  10,    4]]");
    assert_eq!(format!("{x:.1}"), "[[ 1.0, -2.5],\n [10.0,  4.0]]");
    assert_eq!(format!("{x:?}"), "Tensor<f64> [2, 2] [[1.0, -2.5], [10.0, 4.0]]");
}

#[test]
fn literals_need_no_suffix() {
    let x = Tensor::from([[1.0, 2.0]]);
    assert_eq!(x.at(&[0, 1]), 2.0);
}
