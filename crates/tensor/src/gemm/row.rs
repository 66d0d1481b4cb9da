//! The product of a row and a matrix whose rows are contiguous.

use super::micro_kernel::MicroTile;
use crate::simd::{Kernel, Vector};

/// The registers of columns whose sums are in registers at the same time.
const AT_ONCE: usize = 4;
/// The rows of the matrix that are added to the sums in one go. Read side by side, each from its beginning to its end, they come
/// from the second-level cache as fast as it gives; a column of registers read down all rows skips from page to page.
const ROWS: usize = 8;

/// Computes a row times a matrix of `n` columns, whose rows are contiguous.
///
/// # Safety
/// The row and the columns must lie within the product; the processor must have the level of `V`.
#[inline(always)]
pub(super) unsafe fn single_row<V: Vector>(product: MicroTile<V::Lane>, n: usize) {
    let registers = n.div_ceil(V::LANES);
    let last = n - (registers - 1) * V::LANES;
    // SAFETY: the caller's.
    unsafe {
        // A narrow row of sums stays in registers for all rows of the matrix.
        match registers {
            1 => product.compute::<V, 1, 1>(last),
            2 => product.compute::<V, 1, 2>(last),
            3 => product.compute::<V, 1, 3>(last),
            4 => product.compute::<V, 1, 4>(last),
            5 => product.compute::<V, 1, 5>(last),
            6 => product.compute::<V, 1, 6>(last),
            7 => product.compute::<V, 1, 7>(last),
            8 => product.compute::<V, 1, 8>(last),
            _ => V::outlined(WideRow { product, n }),
        }
    }
}

/// A row of sums that registers do not hold: a few rows of the matrix are added to all of it, then the next few.
struct WideRow<E> {
    product: MicroTile<E>,
    n: usize,
}

impl<E: Copy> Kernel<E> for WideRow<E> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        let WideRow { product, n } = self;
        let whole = n / V::LANES * V::LANES;
        let mut p = 0;
        // SAFETY: rows `p..` that are left are within the matrix, and columns from `whole` to `n` within each row.
        unsafe {
            let edge = product.c.add(whole);
            // Columns that do not fill a register stay in one.
            let mut sums = match product.add {
                true => V::load_first(edge, n - whole),
                false => V::from_f64(0.0),
            };
            while p + ROWS <= product.k {
                sums = add_rows::<V, ROWS>(product, p, n, sums);
                p += ROWS;
            }
            if product.k & 4 != 0 {
                sums = add_rows::<V, 4>(product, p, n, sums);
                p += 4;
            }
            if product.k & 2 != 0 {
                sums = add_rows::<V, 2>(product, p, n, sums);
                p += 2;
            }
            if product.k & 1 != 0 {
                sums = add_rows::<V, 1>(product, p, n, sums);
            }
            sums.store_first(edge, n - whole);
        }
    }
}

/// Adds `R` rows from row `p` on, each times its number; returns the sums of the columns that do not fill a register,
/// which so far are `edge`.
///
/// # Safety
/// Those rows must lie within the matrix; the processor must have the level of `V`.
#[inline(always)]
unsafe fn add_rows<V: Vector, const R: usize>(
    product: MicroTile<V::Lane>,
    p: usize,
    n: usize,
    mut edge: V,
) -> V {
    let part = product.over(p, R);
    let rows: [*const V::Lane; R] =
        std::array::from_fn(|r| product.b.wrapping_add((p + r).wrapping_mul(product.b_row)));
    let place = |r: usize| part.a.wrapping_offset(r as isize * part.a_strides[1]);
    // SAFETY: the numbers of these rows are within the left-hand side; as many columns as a register has lanes from each
    // `j` on, and those from the last `j` to `n`, are within each row and within the sums.
    unsafe {
        let x: [V; R] = std::array::from_fn(|r| V::splat(place(r).read()));
        let mut j = 0;
        while j + AT_ONCE * V::LANES <= n {
            add_columns::<V, R, AT_ONCE>(part, &x, &rows, j);
            j += AT_ONCE * V::LANES;
        }
        while j + V::LANES <= n {
            add_columns::<V, R, 1>(part, &x, &rows, j);
            j += V::LANES;
        }
        if j < n {
            for (x, row) in x.iter().zip(rows) {
                edge = x.mul_add(V::load_first(row.wrapping_add(j), n - j), edge);
            }
        }
    }
    edge
}

/// Adds to `N` registers of columns from `j` on, as [`add_rows`] does.
///
/// # Safety
/// These columns must lie within the rows and within the sums; the processor must have the level of `V`.
#[inline(always)]
unsafe fn add_columns<V: Vector, const R: usize, const N: usize>(
    part: MicroTile<V::Lane>,
    x: &[V; R],
    rows: &[*const V::Lane; R],
    j: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        let mut sums = [V::from_f64(0.0); N];
        if part.add {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = V::load(part.c.add(j + i * V::LANES));
            }
        }
        for (x, row) in x.iter().zip(rows) {
            for (i, sum) in sums.iter_mut().enumerate() {
                *sum = x.mul_add(V::load(row.wrapping_add(j + i * V::LANES)), *sum);
            }
        }
        for (i, sum) in sums.into_iter().enumerate() {
            sum.store(part.c.add(j + i * V::LANES));
        }
    }
}
