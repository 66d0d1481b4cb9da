//! A large product, cut into blocks that stay in the caches.

use super::Right;
use super::packed::{aligned, pack_columns, pack_rows, spare};
use super::tile::Tile;
use crate::simd::Vector;
use crate::{Element, Matrix, buffer};

/// Rows of the right-hand side that are multiplied at a time, so that a panel of them stays in the first-level cache.
const DEPTH: usize = 256;
/// Rows of the left-hand side that are multiplied at a time, so that they stay in the second-level cache.
const HEIGHT: usize = 240;
/// Columns of the right-hand side that are packed at a time, so that they stay in the second-level cache, too.
const WIDTH: usize = 1024;
/// From this many columns on, it pays to bring the rows of a transposed left-hand side together.
const WIDE: usize = 192;

/// The product of the rows of `a` and `n` columns of a right-hand side in panels.
///
/// # Safety
/// The processor must have the level of `V`, and `product`, `a` and `right` must be of these sizes.
///
/// # Source
/// K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).
#[inline(always)]
pub(super) unsafe fn blocks<V: Vector>(
    product: Tile<V::Lane>,
    a: &Matrix<'_, V::Lane>,
    right: &Right<'_, V::Lane>,
    n: usize,
) where
    V::Lane: Element,
{
    let [m, k] = a.dims();
    let deepest = k.min(DEPTH);
    let scattered = a.strides()[1] != 1 && m > V::ROWS && n >= WIDE;
    let mut left = buffer::stale(if scattered { m.min(HEIGHT) * deepest } else { 0 });
    let mut columns = buffer::stale(match right {
        Right::Once(_) => n.min(WIDTH).next_multiple_of(V::LANES) * deepest + spare::<V::Lane>(),
        _ => 0,
    });
    let block = aligned(&mut columns);
    for depth in (0..k).step_by(DEPTH) {
        let k = (k - depth).min(DEPTH);
        for first in (0..n).step_by(WIDTH) {
            let n = (n - first).min(WIDTH);
            if let Right::Once(b) = right {
                pack_columns(&b.part([depth, first], [k, n]), V::LANES, block);
            }
            for top in (0..m).step_by(HEIGHT) {
                let m = (m - top).min(HEIGHT);
                // SAFETY: the block lies within the matrices that the caller vouches for.
                unsafe {
                    let a_block = product.a.offset(depth as isize * product.a_strides[1]);
                    let slab = Tile { k, a: a_block, add: product.add || depth > 0, ..product };
                    let mut slab = slab.from(top, first);
                    if scattered {
                        pack_rows::<V>(&a.part([top, depth], [m, k]), &mut left);
                        slab = Tile { a: left.as_ptr(), a_in_panels: true, ..slab };
                    }
                    for j in (0..n).step_by(2 * V::LANES) {
                        let columns = (n - j).min(2 * V::LANES);
                        let (b, b_row) = match right {
                            Right::Packed(b) => b.panel(depth, first + j),
                            _ => (block[k * j..].as_ptr(), columns.next_multiple_of(V::LANES)),
                        };
                        // The only call: the micro-kernel is inlined, and long, as it has a form for each size.
                        Tile { b, b_row, c: slab.c.add(j), ..slab }.panel::<V>(m, columns);
                    }
                }
            }
        }
    }
    buffer::give(left);
    buffer::give(columns);
}
