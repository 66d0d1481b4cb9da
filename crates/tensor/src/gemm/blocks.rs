//! A large product, cut into blocks that stay in the caches.

use super::kernels::Kernels;
use super::packed::{Packed, aligned, spare};
use super::tile::Tile;
use crate::simd::Level;
use crate::{Matrix, buffer};

/// Rows of the right-hand side that are multiplied at a time: many, since each time the result is read and written.
const DEPTH: usize = 512;
/// Rows of the left-hand side that are multiplied at a time, so that they stay in the second-level cache.
const HEIGHT: usize = 240;
/// Columns of the right-hand side that are packed at a time, so that they stay in the second-level cache, too.
const WIDTH: usize = 1024;
/// From this many columns on, it pays to bring the rows of a transposed left-hand side together.
const WIDE: usize = 192;

/// `Σ a·b`, with the right-hand sides packed a block at a time, or the only one packed before.
///
/// # Safety
/// The processor must have the level. `product` must be of the sizes of the terms, and its `a` that of the only one, if
/// there is only one.
///
/// # Source
/// K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).
pub(super) unsafe fn blocks<E: Kernels>(
    level: Level,
    product: Tile<E>,
    terms: &[Term<'_, E>],
    packed: Option<&Packed<E>>,
    [m, n]: [usize; 2],
) {
    let lanes = E::lanes(level);
    let k = product.k;
    let deepest = k.min(DEPTH);
    let gathered = terms.len() > 1 || (product.a_strides[1] != 1 && m > E::rows(level) && n >= WIDE);
    let mut left = buffer::stale(if gathered { m.min(HEIGHT) * deepest } else { 0 });
    let mut columns = buffer::stale(match packed {
        None => n.min(WIDTH).next_multiple_of(lanes) * deepest + spare::<E>(),
        Some(_) => 0,
    });
    let block = aligned(&mut columns);
    for depth in (0..k).step_by(DEPTH) {
        let k = (k - depth).min(DEPTH);
        for first in (0..n).step_by(WIDTH) {
            let n = (n - first).min(WIDTH);
            if packed.is_none() {
                for (at, [_, b], [from, rows]) in within(terms, depth, k) {
                    // SAFETY: the processor has the level.
                    unsafe { E::pack_columns(level, &b.part([from, first], [rows, n]), [at, k], block) };
                }
            }
            for top in (0..m).step_by(HEIGHT) {
                let m = (m - top).min(HEIGHT);
                // SAFETY: the block lies within the matrices that the caller vouches for.
                unsafe {
                    let a_block = product.a.wrapping_offset(depth as isize * product.a_strides[1]);
                    let slab = Tile { k, a: a_block, add: product.add || depth > 0, ..product };
                    let mut slab = slab.from(top, first);
                    if gathered {
                        for (at, [a, _], [from, columns]) in within(terms, depth, k) {
                            E::pack_rows(level, &a.part([top, from], [m, columns]), [at, k], &mut left);
                        }
                        slab = Tile { a: left.as_ptr(), a_in_panels: true, ..slab };
                    }
                    for j in (0..n).step_by(2 * lanes) {
                        let columns = (n - j).min(2 * lanes);
                        let (b, b_row) = match packed {
                            Some(b) => b.panel(depth, first + j),
                            None => (block[k * j..].as_ptr(), columns.next_multiple_of(lanes)),
                        };
                        E::panel(level, Tile { b, b_row, c: slab.c.add(j), ..slab }, m, columns);
                    }
                }
            }
        }
    }
    buffer::give(left);
    buffer::give(columns);
}

/// A product of a sum of products.
pub(super) type Term<'a, E> = [Matrix<'a, E>; 2];

/// What of the terms, with their inner dimensions one after the other, lies from `depth` on within `k`: where it begins
/// there, the term, and its first place and number of places within the term.
fn within<'t, 'a, E>(
    terms: &'t [Term<'a, E>],
    depth: usize,
    k: usize,
) -> impl Iterator<Item = (usize, &'t Term<'a, E>, [usize; 2])> {
    let mut start = 0;
    terms.iter().filter_map(move |term| {
        let [_, length] = term[0].dims();
        let (first, end) = (start.max(depth), (start + length).min(depth + k));
        let place = [first.wrapping_sub(start), end.saturating_sub(first)];
        start += length;
        (first < end).then(|| (first - depth, term, place))
    })
}
