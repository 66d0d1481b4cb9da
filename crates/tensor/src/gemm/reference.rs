//! The matrix product by its definition: what kernels are tested against, and what types without kernels compute with.

use std::ops::{Add, AddAssign, Mul};

use super::matrix::{Matrix, MatrixMut};
use crate::loops::strided::{row, steps};

/// Computes `c = alpha · a·b + beta · c`; where `beta` is zero, `c` is not read.
pub(crate) fn gemm<E>(alpha: E, a: Matrix<'_, E>, b: Matrix<'_, E>, beta: E, mut c: MatrixMut<'_, E>)
where
    E: Copy + Default + PartialEq + Add<Output = E> + Mul<Output = E> + AddAssign,
{
    let [m, k, n] = product_dims(&a, &b, &c);
    let ([rsa, csa], [rsb, csb], [rsc, csc]) = (a.strides(), b.strides(), c.strides());
    let ((a, a_start), (b, b_start), (c, c_start)) = (a.parts(), b.parts(), c.parts());
    for (a_row, c_row) in steps(a_start, rsa, m).zip(steps(c_start, rsc, m)) {
        for (b_col, c_place) in steps(b_start, csb, n).zip(steps(c_row, csc, n)) {
            let mut sum = E::default();
            row(a, a_row, csa, k).zip(row(b, b_col, rsb, k)).for_each(|(a, b)| sum += a * b);
            let old = &mut c[c_place];
            *old = if beta == E::default() { alpha * sum } else { alpha * sum + beta * *old };
        }
    }
}

/// Returns the sizes `m, k, n` of `c[m, n] = a[m, k] · b[k, n]`.
pub(crate) fn product_dims<E>(a: &Matrix<'_, E>, b: &Matrix<'_, E>, c: &MatrixMut<'_, E>) -> [usize; 3] {
    let ([m, k], [rows, n]) = (a.dims(), b.dims());
    assert!(
        rows == k && c.dims() == [m, n],
        "gemm: expected sizes [m, k], [k, n] and [m, n], found {:?}, {:?} and {:?}",
        a.dims(),
        b.dims(),
        c.dims()
    );
    [m, k, n]
}
