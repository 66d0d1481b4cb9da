//! The micro-kernel: a tile of the product, accumulated in registers.

use std::hint::black_box;

use super::matrix::{Matrix, MatrixMut};
use super::pack::even_blocks;
use crate::simd::{Kernel, Vector, prefetch};

/// A tile of a product, `c[m, n] (+)= a[m, k] · b[k, n]`, by pointers.
///
/// Rows of `b` and of `c` are contiguous; `a` has any strides, or lies in panels of rows. Rows of `b` can be read to the end
/// of a register, unless `a` is a single row.
#[derive(Clone, Copy)]
pub(crate) struct MicroTile<E> {
    pub(super) k: usize,
    pub(super) a: *const E,
    pub(super) a_strides: [isize; 2],
    /// Whether `a` is laid out in the [even blocks](even_blocks) of rows that a panel is cut into.
    pub(super) a_in_panels: bool,
    pub(super) b: *const E,
    pub(super) b_row: usize,
    pub(super) c: *mut E,
    pub(super) c_row: usize,
    /// Whether `c` is added to, or overwritten.
    pub(super) add: bool,
}

/// The distance, in rows, from the rows of `b` that are multiplied to those that are prefetched. The processor does so by itself, but not
/// beyond the end of a page of memory, of which a panel crosses many.
const AHEAD: usize = 16;

/// Repeats a block for each row of a tile. The rows are constants, so that the sums of each stay in registers: a loop that the
/// compiler chose not to unroll would keep them all in memory.
macro_rules! for_each_row {
    ($rows:ident, $i:ident => $block:block) => {
        for_each_row!(@ $rows, $i => $block, 0 1 2 3 4 5 6 7 8 9 10 11)
    };
    (@ $rows:ident, $i:ident => $block:block, $($row:literal)*) => {
        $(if $row < $rows {
            let $i: usize = $row;
            $block
        })*
    };
}

impl<E: Copy> MicroTile<E> {
    /// Makes a product into `c`, whose rows are contiguous, of an inner size `k`. Its sides are set after that.
    pub(super) fn into(c: &mut MatrixMut<'_, E>, k: usize, add: bool) -> Self {
        let (c, c_row) = (c.start(), c.strides()[0] as usize);
        let (a, b) = (std::ptr::null(), std::ptr::null());
        MicroTile { k, a, a_strides: [0, 0], a_in_panels: false, b, b_row: 0, c, c_row, add }
    }

    /// Sets the left-hand side.
    pub(super) fn with_left(self, a: &Matrix<'_, E>) -> Self {
        MicroTile { a: a.start(), a_strides: a.strides(), ..self }
    }

    /// Sets the right-hand side, whose rows are contiguous.
    pub(super) fn with_right(self, b: &Matrix<'_, E>) -> Self {
        MicroTile { b: b.start(), b_row: b.strides()[0] as usize, ..self }
    }

    /// Returns the part of the product from row `i` and from column `j` on.
    ///
    /// # Safety
    /// The row and the column must be within the product.
    #[inline(always)]
    pub(super) unsafe fn from(&self, i: usize, j: usize) -> Self {
        // SAFETY: within the matrices, by the caller's word.
        unsafe {
            MicroTile {
                a: self.a.wrapping_offset(i as isize * self.a_strides[0]),
                b: self.b.wrapping_add(j),
                c: self.c.add(i * self.c_row + j),
                ..*self
            }
        }
    }

    /// Returns the part of the sums over the `k` places from `first` on; its right-hand side is to be set.
    #[inline(always)]
    pub(super) fn over(&self, first: usize, k: usize) -> Self {
        let a = self.a.wrapping_offset(first as isize * self.a_strides[1]);
        MicroTile { k, a, add: self.add || first > 0, ..*self }
    }

    /// Computes `M` rows and `N` registers of columns, of the last of which `last` lanes count.
    ///
    /// # Safety
    /// `M` rows and that many columns must lie within the matrices; the processor must have the level of `V`.
    #[inline(always)]
    pub(super) unsafe fn compute<V: Vector<Lane = E>, const M: usize, const N: usize>(self, last: usize) {
        // SAFETY: the caller's.
        unsafe { V::outlined(Accumulators::<E, M, N> { tile: self, last }) }
    }

    /// Computes `rows` rows, at most `V::MR`, and `N` registers of columns.
    ///
    /// # Safety
    /// As for `compute`.
    #[inline(always)]
    unsafe fn rows<V: Vector<Lane = E>, const N: usize>(self, rows: usize, last: usize) {
        // SAFETY: the caller's.
        unsafe {
            // Sizes beyond those of the level would be compiled for nothing.
            match rows {
                1 => self.compute::<V, 1, N>(last),
                2 => self.compute::<V, 2, N>(last),
                3 => self.compute::<V, 3, N>(last),
                4 => self.compute::<V, 4, N>(last),
                5 => self.compute::<V, 5, N>(last),
                6 => self.compute::<V, 6, N>(last),
                _ if const { V::MR <= 6 } => unreachable!("a tile of {rows} rows"),
                7 => self.compute::<V, 7, N>(last),
                8 => self.compute::<V, 8, N>(last),
                9 => self.compute::<V, 9, N>(last),
                10 => self.compute::<V, 10, N>(last),
                11 => self.compute::<V, 11, N>(last),
                _ => self.compute::<V, 12, N>(last),
            }
        }
    }
}

/// The sums of a tile of `M` rows and `N` registers of columns, of the last of which `last` lanes count. They are compiled
/// by themselves: a compiler takes far longer for a long function than for its parts.
struct Accumulators<E, const M: usize, const N: usize> {
    tile: MicroTile<E>,
    last: usize,
}

impl<E: Copy, const M: usize, const N: usize> Kernel<E> for Accumulators<E, M, N> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        let Accumulators { tile, last } = self;
        if M > V::MR {
            unreachable!(
                "known when compiling: such a tile does not fit the registers and is never asked for"
            );
        }
        // SAFETY: every place is that of an element of the tile, which the caller vouches for; the last register of a
        // row is touched only in its first `last` lanes.
        unsafe {
            let zero = V::from_f64(0.0);
            let mut sums = [[zero; N]; M];
            let whole = last == V::LANES;
            if tile.add {
                // First, so that a sum is rounded alike into however many blocks it is cut.
                for_each_row!(M, i => {
                    for (j, sum) in sums[i].iter_mut().enumerate() {
                        let place = tile.c.add(i * tile.c_row + j * V::LANES);
                        *sum = if j + 1 < N || whole { V::load(place) } else { V::load_first(place, last) };
                    }
                });
            }
            // A place for each row, of which the compiler does not know that they are evenly apart: it would add up the
            // distance from row to row in each turn, where the processor has no time for anything but the sums.
            let rows: [*const E; M] =
                std::array::from_fn(|i| black_box(tile.a.wrapping_offset(i as isize * tile.a_strides[0])));
            let ahead = tile.b_row.wrapping_mul(AHEAD);
            let (mut column, mut b) = (0, tile.b);
            for _ in 0..tile.k {
                let mut row = [zero; N];
                for (j, x) in row.iter_mut().enumerate().take(N - 1) {
                    *x = V::load(b.add(j * V::LANES));
                }
                if M > 1 {
                    (0..N).for_each(|j| prefetch(b.wrapping_add(ahead).wrapping_add(j * V::LANES)));
                }
                let end = b.add((N - 1) * V::LANES);
                row[N - 1] = if M > 1 || whole { V::load(end) } else { V::load_first(end, last) };
                for_each_row!(M, i => {
                    let x = V::splat(rows[i].wrapping_offset(column).read());
                    for (sum, &y) in sums[i].iter_mut().zip(&row) {
                        *sum = x.mul_add(y, *sum);
                    }
                });
                column += tile.a_strides[1];
                b = b.wrapping_add(tile.b_row);
            }
            for_each_row!(M, i => {
                for (j, &sum) in sums[i].iter().enumerate() {
                    let place = tile.c.add(i * tile.c_row + j * V::LANES);
                    if j + 1 < N || whole { sum.store(place) } else { sum.store_first(place, last) }
                }
            });
        }
    }
}

/// Computes `rows` rows, in even blocks, and at most `NR` columns of a product.
///
/// # Safety
/// That many rows and columns must lie within the matrices, and the rows of `b` to the end of a register; the processor
/// must have the level of `V`.
#[inline(always)]
pub(super) unsafe fn panel<V: Vector>(product: MicroTile<V::Lane>, rows: usize, columns: usize) {
    for (start, count) in even_blocks(rows, V::MR) {
        // SAFETY: `count` rows from `start` on are within the product; in panels, `k` columns of each row before them are
        // in front of them.
        unsafe {
            let mut tile = product.from(start, 0);
            if product.a_in_panels {
                tile.a = product.a.add(start * product.k);
                tile.a_strides = [1, count as isize];
            }
            match columns.checked_sub(V::LANES) {
                None | Some(0) => tile.rows::<V, 1>(count, columns),
                Some(last) => tile.rows::<V, 2>(count, last),
            }
        }
    }
}
