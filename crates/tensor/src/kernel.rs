use crate::walk::{row, steps};
use crate::{Matrix, MatrixMut, Scalar};

/// Below this many multiplications, a plain loop is faster than preparing a blocked product.
const SMALL: usize = 256;

/// `c = alpha · a·b + beta · c` by the definition.
pub(crate) fn gemm_loop<E: Scalar>(
    alpha: E,
    a: Matrix<'_, E>,
    b: Matrix<'_, E>,
    beta: E,
    mut c: MatrixMut<'_, E>,
) {
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

macro_rules! matrixmultiply {
    ($name:ident, $float:ty) => {
        /// [`gemm_loop`] through the blocked kernels of `matrixmultiply`.
        pub(crate) fn $name(
            alpha: $float,
            a: Matrix<'_, $float>,
            b: Matrix<'_, $float>,
            beta: $float,
            mut c: MatrixMut<'_, $float>,
        ) {
            let [m, k, n] = product_dims(&a, &b, &c);
            if m.saturating_mul(k).saturating_mul(n) <= SMALL {
                return gemm_loop(alpha, a, b, beta, c);
            }
            let ([rsa, csa], [rsb, csb], [rsc, csc]) = (a.strides(), b.strides(), c.strides());
            let ((a, a_start), (b, b_start), (c, c_start)) = (a.parts(), b.parts(), c.parts());
            let (a, b, c) = (a[a_start..].as_ptr(), b[b_start..].as_ptr(), c.as_mut_ptr());
            // SAFETY: `Matrix` and `MatrixMut` checked when made that every element lies within their slice,
            // and `MatrixMut` that no two of `c` share a place. `c` is borrowed mutably, hence disjoint from
            // `a` and `b`. The sizes agree (`product_dims`), none of them is 0 (their product is greater).
            unsafe {
                let c = c.add(c_start);
                matrixmultiply::$name(m, k, n, alpha, a, rsa, csa, b, rsb, csb, beta, c, rsc, csc);
            }
        }
    };
}

matrixmultiply!(sgemm, f32);
matrixmultiply!(dgemm, f64);

/// `m, k, n` of `c[m, n] = a[m, k] · b[k, n]`.
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
