//! Packing: both sides of a product laid out in the order in which the micro-kernel reads them.

use std::ops::Range;

use super::matrix::Matrix;
use crate::simd::{Kernel, Vector};

/// Lays out a right-hand side as rows `at..` of panels of `k` rows and `NR` columns; the last panel has one register of
/// columns if that is enough.
pub(super) struct PackColumns<'a, E> {
    pub(super) b: Matrix<'a, E>,
    pub(super) at: usize,
    pub(super) k: usize,
    pub(super) to: &'a mut [E],
}

impl<E: Copy> Kernel<E> for PackColumns<'_, E> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        let [row, column] = self.b.strides();
        // SAFETY: the caller's.
        unsafe {
            match column {
                1 => self.contiguous_rows::<V>(),
                _ => self.any_rows::<V>(row == 1),
            }
        }
    }
}

impl<E: Copy> PackColumns<'_, E> {
    #[inline(always)]
    unsafe fn contiguous_rows<V: Vector<Lane = E>>(self) {
        let PackColumns { b, at, k, to } = self;
        let [rows, n] = b.dims();
        let whole = n / V::NR * V::NR;
        let edge = (n - whole).next_multiple_of(V::LANES);
        for p in 0..rows {
            let from = b.run([p, 0], n);
            for (i, from) in from.chunks_exact(V::NR).enumerate() {
                let to = &mut to[V::NR * (k * i + at + p)..][..V::NR];
                // SAFETY: two registers are within both slices.
                unsafe {
                    V::load(from.as_ptr()).store(to.as_mut_ptr());
                    V::load(from.as_ptr().add(V::LANES)).store(to.as_mut_ptr().add(V::LANES));
                }
            }
            let (from, to) = (&from[whole..], &mut to[k * whole + (at + p) * edge..]);
            for (from, to) in from.chunks(V::LANES).zip(to[..edge].chunks_exact_mut(V::LANES)) {
                // SAFETY: a register is within `to`.
                unsafe { V::load_first(from.as_ptr(), from.len()).store(to.as_mut_ptr()) };
            }
        }
    }

    #[inline(always)]
    unsafe fn any_rows<V: Vector<Lane = E>>(self, contiguous_columns: bool) {
        let PackColumns { b, at, k, to } = self;
        let [rows, n] = b.dims();
        for first in (0..n).step_by(V::NR) {
            let columns = (n - first).min(V::NR);
            let width = columns.next_multiple_of(V::LANES);
            let panel = &mut to[k * first + at * width..][..rows * width];
            // A few rows at a time, so that what is written stays near until it is full.
            for (p, panel) in (0..rows).step_by(V::LANES).zip(panel.chunks_mut(V::LANES * width)) {
                if !contiguous_columns {
                    for (p, to) in (p..).zip(panel.chunks_exact_mut(width)) {
                        to.iter_mut().zip(first..first + columns).for_each(|(to, j)| *to = b.at(p, j));
                    }
                    continue;
                }
                let depth = panel.len() / width;
                for from in (0..columns).step_by(V::LANES) {
                    // SAFETY: `depth` numbers are within each column, a register within each row of the panel.
                    unsafe {
                        let mut square = [V::from_f64(0.0); LONGEST];
                        for (x, j) in square.iter_mut().zip(from..columns.min(from + V::LANES)) {
                            *x = V::load_first(b.run_down([p, first + j], depth).as_ptr(), depth);
                        }
                        transpose(&mut square);
                        for (x, to) in square.iter().zip(panel.chunks_exact_mut(width)) {
                            x.store(to[from..from + V::LANES].as_mut_ptr());
                        }
                    }
                }
            }
        }
    }
}

/// The most lanes that a register has.
const LONGEST: usize = 16;

/// Turns the rows of a square of numbers, `LANES` registers, into its columns.
///
/// Each round moves the top bit of a number's row to the bottom of its column, and the top bit of its column to the bottom
/// of its row: after as many rounds as either has bits, they have changed places.
///
/// # Safety
/// The processor must have the level of `V`.
#[inline(always)]
unsafe fn transpose<V: Vector>(square: &mut [V; LONGEST]) {
    for _ in 0..V::LANES.ilog2() {
        let rows = *square;
        for i in 0..V::LANES / 2 {
            // SAFETY: the caller's.
            let (first, second) = unsafe { rows[i].interleave(rows[i + V::LANES / 2]) };
            (square[2 * i], square[2 * i + 1]) = (first, second);
        }
    }
}

/// Lays out a left-hand side as columns `at..` of its [even blocks](even_blocks) of at most `MR` rows, each with `k` columns
/// one after the other.
pub(super) struct PackRows<'a, E> {
    pub(super) a: Matrix<'a, E>,
    pub(super) at: usize,
    pub(super) k: usize,
    pub(super) to: &'a mut [E],
}

impl<E: Copy> Kernel<E> for PackRows<'_, E> {
    #[inline(always)]
    unsafe fn run<V: Vector<Lane = E>>(self) {
        /// Columns that are laid out at a time, in which the next block of rows is near.
        const COLUMNS: usize = 32;
        let PackRows { a, at, k, to } = self;
        let [m, columns] = a.dims();
        for first in (0..columns).step_by(COLUMNS) {
            let end = columns.min(first + COLUMNS);
            for (start, rows) in even_blocks(m, V::MR) {
                let block = &mut to[start * k..][..rows * k];
                if a.strides()[0] == 1 {
                    // SAFETY: the rows are some of the matrix, and `block` is that of all of their columns.
                    unsafe { contiguous_columns::<V>(&a, [start, rows], first..end, at, block) };
                    continue;
                }
                for (p, to) in (first..end).zip(block[(at + first) * rows..].chunks_exact_mut(rows)) {
                    to.iter_mut().zip(start..).for_each(|(to, i)| *to = a.at(i, p));
                }
            }
        }
    }
}

/// Lays out a few rows of a range of contiguous columns, as columns of a block from `at` on.
///
/// # Safety
/// The rows and columns must be within the matrix, and as many columns within the block; the processor must have the level
/// of `V`.
#[inline(always)]
unsafe fn contiguous_columns<V: Vector>(
    a: &Matrix<'_, V::Lane>,
    [start, rows]: [usize; 2],
    columns: Range<usize>,
    at: usize,
    block: &mut [V::Lane],
) {
    let wide = rows.next_multiple_of(V::LANES);
    let readable = start + wide <= a.dims()[0];
    let mut from = a.start().wrapping_add(start).wrapping_offset(columns.start as isize * a.strides()[1]);
    let mut to = &mut block[(at + columns.start) * rows..];
    for _ in columns {
        // Whole registers are written over what comes behind a column, if that is in the block: it is written later.
        let whole = readable && wide <= to.len();
        let mut r = 0;
        while r < rows {
            // SAFETY: the numbers that are read are within the column, those that are written within the block.
            unsafe {
                let (from, to) = (from.wrapping_add(r), to.as_mut_ptr().add(r));
                if whole {
                    V::load(from).store(to);
                } else {
                    let count = V::LANES.min(rows - r);
                    V::load_first(from, count).store_first(to, count);
                }
            }
            r += V::LANES;
        }
        from = from.wrapping_offset(a.strides()[1]);
        to = &mut to[rows..];
    }
}

/// Cuts rows into blocks of at most `most`, as even as can be: the first row and the number of each.
#[inline(always)]
pub(super) fn even_blocks(rows: usize, most: usize) -> impl Iterator<Item = (usize, usize)> + Clone {
    let blocks = rows.div_ceil(most).max(1);
    let (count, larger) = (rows / blocks, rows % blocks);
    (0..blocks).map(move |block| (block * count + block.min(larger), count + usize::from(block < larger)))
}
