//! The matrix product of `f32` and `f64`.

mod blocks;
mod packed;
#[cfg(test)]
mod tests;
mod tile;

use crate::kernel::product_dims;
use crate::simd::{Level, Vector, at_level};
use crate::{Element, Matrix, MatrixMut};

use blocks::blocks;
pub(crate) use packed::{Packed, Packs};
use tile::Tile;

/// Below this many multiplications a plain loop is faster than anything that has to be set up.
const SMALL: usize = 64;

/// How a product finds its right-hand side.
enum Right<'a, E> {
    /// As it lies; its rows are contiguous.
    Direct(Matrix<'a, E>),
    /// Its columns are contiguous, and there is one row on the left: dot products.
    Transposed(Matrix<'a, E>),
    /// In panels, for all the products that it takes part in.
    Packed(&'a Packed<E>),
    /// In panels, a block at a time, for this product alone.
    Once(Matrix<'a, E>),
}

macro_rules! gemm {
    ($name:ident, $float:tt, $general:ident) => {
        /// `c = alpha · a·b + beta · c`, at a level that the processor has.
        pub(crate) fn $name(
            level: Level,
            alpha: $float,
            a: Matrix<'_, $float>,
            b: Matrix<'_, $float>,
            beta: $float,
            mut c: MatrixMut<'_, $float>,
        ) {
            let [m, k, n] = product_dims(&a, &b, &c);
            let contiguous = c.strides()[1] == 1 && c.strides()[0] >= n as isize;
            if m * k * n <= SMALL {
                return crate::kernel::gemm_loop(alpha, a, b, beta, c);
            }
            if level == Level::Portable || alpha != 1.0 || (beta != 0.0 && beta != 1.0) || !contiguous {
                return crate::kernel::$general(alpha, a, b, beta, c);
            }
            let lanes = if level == Level::Avx512 { 64 } else { 32 } / size_of::<$float>();
            let rows = if level == Level::Avx512 { 12 } else { 6 };
            let by_rows = b.strides()[1] == 1;
            let held;
            let right = if m == 1 && by_rows {
                Right::Direct(b)
            } else if m == 1 && b.strides()[0] == 1 && a.strides()[1] == 1 {
                Right::Transposed(b)
            } else if let Some(packed) = b.packs().and_then(|packs| packs.get(&b, lanes, level)) {
                held = packed;
                Right::Packed(&held)
            } else if m <= rows && by_rows {
                Right::Direct(b)
            } else {
                Right::Once(b)
            };
            let c_row = c.strides()[0] as usize;
            let ((a_data, a_start), (c, c_start)) = (a.parts(), c.parts());
            let product = Tile {
                k,
                a: a_data[a_start..].as_ptr(),
                a_strides: a.strides(),
                a_in_panels: false,
                b: std::ptr::null(),
                b_row: 0,
                c: c[c_start..].as_mut_ptr(),
                c_row,
                add: beta != 0.0,
            };
            let (left, right) = (&a, &right);
            // SAFETY: `Matrix` and `MatrixMut` checked when made that every element lies within their slice, and `c` is
            // borrowed mutably, hence disjoint from `a` and `b`. The sizes agree (`product_dims`) and are not 0 (their
            // product is not). `Level::current` and the tests give only levels that the processor has.
            unsafe {
                at_level!(level, $float, multiply::<V>(product: Tile<$float>, left: &Matrix<'_, $float>, right: &Right<'_, $float>, n: usize))
            }
        }
    };
}

gemm!(sgemm, f32, sgemm);
gemm!(dgemm, f64, dgemm);

/// The product of the rows of `a` and `n` columns.
///
/// # Safety
/// The processor must have the level of `V`, and `product`, `a` and `right` must be of these sizes.
#[inline(always)]
unsafe fn multiply<V: Vector>(
    product: Tile<V::Lane>,
    a: &Matrix<'_, V::Lane>,
    right: &Right<'_, V::Lane>,
    n: usize,
) where
    V::Lane: Element,
{
    let [m, _] = a.dims();
    // SAFETY: each part lies within the matrices that the caller vouches for.
    unsafe {
        match right {
            Right::Direct(b) => {
                let (data, start) = b.parts();
                let product = Tile { b: data[start..].as_ptr(), b_row: b.strides()[0] as usize, ..product };
                if m == 1 {
                    return product.single_row::<V>(n);
                }
                // Few rows, which stay in the cache as they are.
                for j in (0..n).step_by(2 * V::LANES) {
                    product.from(0, j).panel::<V>(m, (n - j).min(2 * V::LANES));
                }
            }
            Right::Transposed(b) => {
                let (data, start) = b.parts();
                let column = b.strides()[1];
                dots::<V>(product, data[start..].as_ptr(), column, n);
            }
            Right::Packed(_) | Right::Once(_) => blocks::<V>(product, a, right, n),
        }
    }
}

/// A row times a matrix whose columns are contiguous: `n` dot products, four at a time.
///
/// # Safety
/// As for `multiply`; the row is contiguous.
#[inline(always)]
unsafe fn dots<V: Vector>(product: Tile<V::Lane>, b: *const V::Lane, column: isize, n: usize) {
    const AT_ONCE: usize = 4;
    // SAFETY: columns `j..j + count` and the first `k` places of each are within `b`.
    unsafe {
        for j in (0..n).step_by(AT_ONCE) {
            let count = (n - j).min(AT_ONCE);
            // Columns beyond the last are computed from the last one and dropped.
            let columns: [*const V::Lane; AT_ONCE] =
                std::array::from_fn(|i| b.offset((j + i.min(count - 1)) as isize * column));
            let mut sums = [V::from_f64(0.0); AT_ONCE];
            let mut p = 0;
            while p + V::LANES <= product.k {
                let x = V::load(product.a.add(p));
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = x.mul_add(V::load(column.add(p)), *sum);
                }
                p += V::LANES;
            }
            if p < product.k {
                let x = V::load_first(product.a.add(p), product.k - p);
                for (sum, column) in sums.iter_mut().zip(columns) {
                    *sum = x.mul_add(V::load_first(column.add(p), product.k - p), *sum);
                }
            }
            for (i, sum) in sums.iter().take(count).enumerate() {
                let place = product.c.add(j + i);
                let sum = if product.add {
                    V::splat(sum.sum()).add(V::splat(place.read()))
                } else {
                    V::splat(sum.sum())
                };
                sum.store_first(place, 1);
            }
        }
    }
}
