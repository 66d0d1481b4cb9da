//! The macro-kernel: a large product, cut into blocks that stay in the caches.
//!
//! # Source
//! K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).

use super::matrix::Matrix;
use super::micro_kernel::{MicroTile, panel};
use super::pack::{PackColumns, PackRows};
use super::packed::{Packed, aligned, spare};
use crate::simd::{Kernel, Lane, Vector};
use crate::storage::lent::Lent;

/// The rows of the right-hand side in a block: many, since each block reads and writes the result.
pub(super) const KC: usize = 512;
/// The rows of the left-hand side in a block, which stays in the second-level cache.
const MC: usize = 240;
/// The columns of the right-hand side in a block, which stays in the second-level cache, too.
const NC: usize = 1024;
/// The number of columns from which on it pays to pack a transposed left-hand side.
const WIDE: usize = 192;

/// One product of a sum of products.
pub(super) type Term<'a, E> = [Matrix<'a, E>; 2];

/// A sum of products, `Σ a·b` of `[m, n]`, with the right-hand sides packed a block at a time, or the only one packed before.
///
/// # Safety
/// `product` must be of the sizes of the terms, and its `a` that of the only one, if there is only one.
pub(super) struct MacroKernel<'a, E> {
    pub(super) product: MicroTile<E>,
    pub(super) terms: &'a [Term<'a, E>],
    pub(super) packed: Option<&'a Packed<E>>,
    pub(super) dims: [usize; 2],
}

impl<E: Lane> Kernel<E> for MacroKernel<'_, E> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        let MacroKernel { product, terms, packed, dims: [m, n] } = self;
        let k = product.k;
        let deepest = k.min(KC);
        let gathered = terms.len() > 1 || (product.a_strides[1] != 1 && m > V::MR && n >= WIDE);
        let mut left = Lent::stale(if gathered { m.min(MC) * deepest } else { 0 });
        let mut columns = Lent::stale(match packed {
            None => n.min(NC).next_multiple_of(V::LANES) * deepest + spare::<E>(),
            Some(_) => 0,
        });
        let block = aligned(&mut columns);
        for depth in (0..k).step_by(KC) {
            let k = (k - depth).min(KC);
            for first in (0..n).step_by(NC) {
                let n = (n - first).min(NC);
                if packed.is_none() {
                    for (at, [_, b], [from, rows]) in within(terms, depth, k) {
                        let b = b.part([from, first], [rows, n]);
                        // SAFETY: the processor has the level.
                        unsafe { V::outlined(PackColumns { b, at, k, to: &mut *block }) };
                    }
                }
                for top in (0..m).step_by(MC) {
                    let m = (m - top).min(MC);
                    // SAFETY: the block lies within the matrices that the caller vouches for.
                    unsafe {
                        let mut slab = product.over(depth, k).from(top, first);
                        if gathered {
                            for (at, [a, _], [from, columns]) in within(terms, depth, k) {
                                let a = a.part([top, from], [m, columns]);
                                V::outlined(PackRows { a, at, k, to: &mut left });
                            }
                            slab = MicroTile { a: left.as_ptr(), a_in_panels: true, ..slab };
                        }
                        for j in (0..n).step_by(V::NR) {
                            let columns = (n - j).min(V::NR);
                            let (b, b_row) = match packed {
                                Some(b) => b.panel(depth, first + j),
                                None => (block[k * j..].as_ptr(), columns.next_multiple_of(V::LANES)),
                            };
                            panel::<V>(MicroTile { b, b_row, c: slab.c.add(j), ..slab }, m, columns);
                        }
                    }
                }
            }
        }
    }
}

/// Returns the parts of the terms that lie within the `k` places from `depth` on, with the inner dimensions one after the other:
/// where a part begins there, the term, and its first place and number of places within the term.
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
