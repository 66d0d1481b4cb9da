//! A row times a matrix whose columns are contiguous.

use super::tile::Tile;
use crate::simd::Vector;

/// A row times a matrix whose columns are contiguous: `n` dot products, four at a time.
///
/// # Safety
/// The processor must have the level of `V`. The row of `product` must be contiguous, and as long as the `n` columns at
/// `b`, which are `column` apart.
#[inline(always)]
pub(super) unsafe fn dots<V: Vector>(product: Tile<V::Lane>, b: *const V::Lane, column: isize, n: usize) {
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
