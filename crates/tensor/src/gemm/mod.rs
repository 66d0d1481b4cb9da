//! The matrix product of `f32` and `f64`.

mod packed;
#[cfg(test)]
mod tests;
mod tile;

use crate::kernel::product_dims;
use crate::simd::{Level, Vector, at_level};
use crate::{Matrix, MatrixMut};

pub(crate) use packed::{Packed, Packs};
use tile::Tile;

/// Rows of the right-hand side that are multiplied at a time, so that a panel of them stays in the first-level cache.
const DEPTH: usize = 384;
/// Rows of the left-hand side that are multiplied at a time, so that they stay in the second-level cache.
const HEIGHT: usize = 240;
/// Below this many multiplications a plain loop is faster than anything that has to be set up.
const SMALL: usize = 64;

/// How a product finds its right-hand side.
enum Right<'a, E> {
    /// As it lies; its rows are contiguous.
    Direct(Matrix<'a, E>),
    /// Its columns are contiguous, and there is one row on the left: dot products.
    Transposed(Matrix<'a, E>),
    Packed(&'a Packed<E>),
}

impl<E: Copy + Default> Right<'_, E> {
    /// Where the panel of the columns from `first` on has its row `depth`, and how far apart its rows are.
    fn panel(&self, depth: usize, first: usize) -> (*const E, usize) {
        match self {
            Right::Direct(b) | Right::Transposed(b) => {
                let ((data, start), [row, column]) = (b.parts(), b.strides());
                let place = depth as isize * row + first as isize * column;
                (data[start..].as_ptr().wrapping_offset(place), row as usize)
            }
            Right::Packed(b) => b.panel(depth, first),
        }
    }
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
            let (held, made);
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
                made = Packed::new(&b, lanes);
                Right::Packed(&made)
            };
            let c_row = c.strides()[0] as usize;
            let (a_strides, (a, a_start), (c, c_start)) = (a.strides(), a.parts(), c.parts());
            let product = Tile {
                k,
                a: a[a_start..].as_ptr(),
                a_strides,
                b: std::ptr::null(),
                b_row: 0,
                c: c[c_start..].as_mut_ptr(),
                c_row,
                add: beta != 0.0,
            };
            let right = &right;
            // SAFETY: `Matrix` and `MatrixMut` checked when made that every element lies within their slice, and `c` is
            // borrowed mutably, hence disjoint from `a` and `b`. The sizes agree (`product_dims`) and are not 0 (their
            // product is not). `Level::current` and the tests give only levels that the processor has.
            unsafe {
                at_level!(level, $float, multiply::<V>(product: Tile<$float>, right: &Right<'_, $float>, m: usize, n: usize))
            }
        }
    };
}

gemm!(sgemm, f32, sgemm);
gemm!(dgemm, f64, dgemm);

/// The product of `m` rows and `n` columns.
///
/// # Safety
/// The processor must have the level of `V`, and `product` and `right` must be matrices of these sizes.
#[inline(always)]
unsafe fn multiply<V: Vector>(product: Tile<V::Lane>, right: &Right<'_, V::Lane>, m: usize, n: usize)
where
    V::Lane: Copy + Default,
{
    // SAFETY: each part lies within the matrices that the caller vouches for.
    unsafe {
        match right {
            Right::Direct(b) if m == 1 => {
                let (data, start) = b.parts();
                let product = Tile { b: data[start..].as_ptr(), b_row: b.strides()[0] as usize, ..product };
                product.single_row::<V>(n);
            }
            Right::Transposed(b) => {
                let (data, start) = b.parts();
                let column = b.strides()[1];
                dots::<V>(product, data[start..].as_ptr(), column, n);
            }
            Right::Direct(_) | Right::Packed(_) => {
                // What is not packed is multiplied by few rows, which stay in the cache as they are.
                let (most, height) = match right {
                    Right::Packed(_) => (DEPTH, HEIGHT),
                    _ => (product.k, m),
                };
                for depth in (0..product.k).step_by(most) {
                    let k = (product.k - depth).min(most);
                    let a = product.a.offset(depth as isize * product.a_strides[1]);
                    let slab = Tile { k, a, add: product.add || depth > 0, ..product };
                    for i in (0..m).step_by(height) {
                        let rows = (m - i).min(height);
                        let slab = slab.from(i, 0);
                        for j in (0..n).step_by(2 * V::LANES) {
                            let (b, b_row) = right.panel(depth, j);
                            let tile = Tile { b, b_row, c: slab.c.add(j), ..slab };
                            // The only call: the micro-kernel is inlined, and long, as it has a form for each size.
                            tile.panel::<V>(rows, (n - j).min(2 * V::LANES));
                        }
                    }
                }
            }
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
