//! The matrix product of `f32` and `f64`.

mod blocks;
mod packed;
#[cfg(test)]
mod tests;
mod tile;

use crate::kernel::product_dims;
use crate::simd::{Level, Vector, at_level};
use crate::{Element, Matrix, MatrixMut, buffer};

use blocks::{Term, blocks};
use packed::pack_columns;
pub(crate) use packed::{Packed, Packs};
use tile::Tile;

/// Below this many multiplications a plain loop is faster than anything that has to be set up.
const SMALL: usize = 64;

/// How a product finds its right-hand side.
enum Right<'a, E> {
    /// As it lies; its rows are contiguous.
    Direct,
    /// Its columns are contiguous, and there is one row on the left: dot products.
    Transposed,
    /// In panels, for all the products that it takes part in.
    Packed(&'a Packed<E>),
    /// In panels, a block at a time, for this product alone.
    Once,
}

macro_rules! gemm {
    ($name:ident, $sum:ident, $float:tt, $general:ident) => {
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
            if m * k * n <= SMALL {
                return crate::kernel::gemm_loop(alpha, a, b, beta, c);
            }
            if level == Level::Portable || alpha != 1.0 || (beta != 0.0 && beta != 1.0) || !c.has_rows() {
                return crate::kernel::$general(alpha, a, b, beta, c);
            }
            let pack = |b: &Matrix<'_, $float>, to: &mut [$float]| {
                let place = [0, b.dims()[0]];
                // SAFETY: the level is one that the processor has.
                unsafe {
                    at_level!(level, $float, pack_columns::<V>(b: &Matrix<'_, $float>, place: [usize; 2], to: &mut [$float]))
                }
            };
            let lanes = if level == Level::Avx512 { 64 } else { 32 } / size_of::<$float>();
            let rows = if level == Level::Avx512 { 12 } else { 6 };
            let by_rows = b.strides()[1] == 1;
            let held;
            let right = if m == 1 && by_rows {
                Right::Direct
            } else if m == 1 && b.strides()[0] == 1 && a.strides()[1] == 1 {
                Right::Transposed
            } else if let Some(packed) = b.packs().and_then(|packs| packs.get(&b, (lanes, level), pack)) {
                held = packed;
                Right::Packed(&held)
            } else if m <= rows && by_rows {
                Right::Direct
            } else {
                Right::Once
            };
            let product = Tile { a: a.start(), a_strides: a.strides(), ..Tile::into(&mut c, k, beta != 0.0) };
            let (term, right) = (&[a, b], &right);
            // SAFETY: `Matrix` and `MatrixMut` checked when made that every element lies within their slice, and `c` is
            // borrowed mutably, hence disjoint from `a` and `b`. The sizes agree (`product_dims`) and are not 0 (their
            // product is not). `Level::current` and the tests give only levels that the processor has.
            unsafe {
                at_level!(level, $float, multiply::<V>(product: Tile<$float>, term: &Term<'_, $float>, right: &Right<'_, $float>))
            }
        }

        /// `c += Σ a·b`, at a level that the processor has.
        pub(crate) fn $sum(level: Level, terms: &[Term<'_, $float>], mut c: MatrixMut<'_, $float>) {
            let k = terms.iter().map(|[a, b]| product_dims(a, b, &c)[1]).sum();
            let sizes @ [m, n] = c.dims();
            if terms.len() == 1 || level == Level::Portable || !c.has_rows() || m * n * k == 0 {
                return terms.iter().for_each(|&[a, b]| $name(level, 1.0, a, b, 1.0, c.reborrow()));
            }
            let product = Tile::into(&mut c, k, true);
            // SAFETY: as above; no term is the only one, so that none of their places is used but through the matrices.
            unsafe {
                at_level!(level, $float, sum::<V>(product: Tile<$float>, terms: &[Term<'_, $float>], sizes: [usize; 2]))
            }
        }
    };
}

gemm!(sgemm, sgemm_sum, f32, sgemm);
gemm!(dgemm, dgemm_sum, f64, dgemm);

/// The sum of several products.
///
/// # Safety
/// The processor must have the level of `V`, and `product` and the terms must be of these sizes.
#[inline(always)]
unsafe fn sum<V: Vector>(product: Tile<V::Lane>, terms: &[Term<'_, V::Lane>], sizes: [usize; 2])
where
    V::Lane: Element,
{
    // SAFETY: the caller's.
    unsafe { blocks::<V>(product, terms, None, sizes) }
}

/// The product of two matrices.
///
/// # Safety
/// The processor must have the level of `V`, and `product` must be that of the matrices.
#[inline(always)]
unsafe fn multiply<V: Vector>(product: Tile<V::Lane>, term: &Term<'_, V::Lane>, right: &Right<'_, V::Lane>)
where
    V::Lane: Element,
{
    let [a, b] = term;
    let ([m, k], [_, n]) = (a.dims(), b.dims());
    // SAFETY: each part lies within the matrices that the caller vouches for.
    unsafe {
        match right {
            Right::Direct => {
                let product = Tile { b: b.start(), b_row: b.strides()[0] as usize, ..product };
                if m == 1 {
                    return product.single_row::<V>(n);
                }
                // Few rows, which stay in the cache as they are.
                let whole = n / V::LANES * V::LANES;
                for j in (0..whole).step_by(2 * V::LANES) {
                    product.from(0, j).panel::<V>(m, (whole - j).min(2 * V::LANES));
                }
                if whole < n {
                    let mut edge = buffer::stale(k * V::LANES);
                    pack_columns::<V>(&b.part([0, whole], [k, n - whole]), [0, k], &mut edge);
                    let edge_product =
                        Tile { b: edge.as_ptr(), b_row: V::LANES, c: product.c.add(whole), ..product };
                    edge_product.panel::<V>(m, n - whole);
                    buffer::give(edge);
                }
            }
            Right::Transposed => dots::<V>(product, b.start(), b.strides()[1], n),
            Right::Packed(packed) => blocks::<V>(product, &[*term], Some(packed), [m, n]),
            Right::Once => blocks::<V>(product, &[*term], None, [m, n]),
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
