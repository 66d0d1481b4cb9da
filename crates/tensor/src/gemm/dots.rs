//! The product of a row and a matrix whose columns are contiguous.

use super::micro_kernel::MicroTile;
use crate::simd::{Lane, Vector};

/// Bytes of the partial sums of a dot product: those of the longest register. Shorter registers share them, so that every
/// level adds up the same numbers in the same order.
const STRIPE: usize = 64;

/// The most registers in a stripe.
const MOST: usize = 4;

/// Computes a row times a matrix whose columns are contiguous: `n` dot products, four at a time.
///
/// # Safety
/// The processor must have the level of `V`. The row of `product` must be contiguous, and as long as the `n` columns at
/// `b`, which are `column` apart.
#[inline(always)]
pub(super) unsafe fn dots<V: Vector<Lane: Lane>>(
    product: MicroTile<V::Lane>,
    b: *const V::Lane,
    column: isize,
    n: usize,
) {
    let whole = n / 4 * 4;
    // SAFETY: each of these columns is one of the `n`.
    unsafe {
        for j in (0..whole).step_by(4) {
            columns::<V, 4>(product, b, column, j);
        }
        for j in whole..n {
            columns::<V, 1>(product, b, column, j);
        }
    }
}

/// Computes the dot products of `N` columns, from column `j` on.
///
/// # Safety
/// As for [`dots`], of which these must be columns.
#[inline(always)]
unsafe fn columns<V: Vector<Lane: Lane>, const N: usize>(
    product: MicroTile<V::Lane>,
    b: *const V::Lane,
    column: isize,
    j: usize,
) {
    let registers = const { STRIPE / size_of::<V>() };
    let columns: [*const V::Lane; N] = std::array::from_fn(|i| b.wrapping_offset((j + i) as isize * column));
    // SAFETY: the first `k` places of each column are within `b`.
    unsafe {
        let mut sums = [[V::from_f64(0.0); MOST]; N];
        let mut p = 0;
        while p + registers * V::LANES <= product.k {
            for r in 0..registers {
                let x = V::load(product.a.add(p));
                for (sum, column) in sums.iter_mut().zip(columns) {
                    sum[r] = x.mul_add(V::load(column.add(p)), sum[r]);
                }
                p += V::LANES;
            }
        }
        for r in 0..registers {
            let left = (product.k - p).min(V::LANES);
            if left == 0 {
                break;
            }
            let x = V::load_first(product.a.add(p), left);
            for (sum, column) in sums.iter_mut().zip(columns) {
                sum[r] = x.mul_add(V::load_first(column.add(p), left), sum[r]);
            }
            p += left;
        }
        for (i, mut sum) in sums.into_iter().enumerate() {
            // By halves, as the lanes of a register are added up.
            let mut half = registers / 2;
            while half > 0 {
                for r in 0..half {
                    sum[r] = sum[r].add(sum[r + half]);
                }
                half /= 2;
            }
            let (place, sum) = (product.c.add(j + i), sum[0].sum());
            if product.add { *place += sum } else { *place = sum }
        }
    }
}
