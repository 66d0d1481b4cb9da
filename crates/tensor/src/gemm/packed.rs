//! A right-hand side laid out for the micro-kernel, once for all the products that it takes part in.

use std::sync::{Arc, Mutex, OnceLock};

use super::kernels::Kernels;
use super::tile::even_blocks;
use crate::Matrix;
use crate::simd::{Level, Vector};

/// Panels of columns, each with its rows one after the other and aligned to a cache line.
///
/// # Source
/// K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).
#[derive(Debug)]
pub(crate) struct Packed<E> {
    data: Vec<E>,
    start: usize,
    /// Numbers in a register.
    lanes: usize,
    dims: [usize; 2],
}

impl<E: Kernels> Packed<E> {
    /// Packs a matrix for the registers of a level that the processor has.
    fn new(b: &Matrix<'_, E>, level: Level) -> Self {
        let ([k, n], lanes) = (b.dims(), E::lanes(level));
        let mut data = vec![E::default(); Self::numbers(b, level)];
        // SAFETY: the processor has the level.
        unsafe { E::pack_columns(level, b, [0, k], aligned(&mut data)) };
        Packed { start: unaligned(&data), data, lanes, dims: [k, n] }
    }

    /// How many numbers the packed form of a matrix takes.
    pub(super) fn numbers(b: &Matrix<'_, E>, level: Level) -> usize {
        let [k, n] = b.dims();
        k.saturating_mul(n.next_multiple_of(E::lanes(level))).saturating_add(spare::<E>())
    }

    /// Where the panel of the columns from `first` on has its row `depth`, and how far apart its rows are: its columns,
    /// rounded up to whole registers.
    pub(super) fn panel(&self, depth: usize, first: usize) -> (*const E, usize) {
        let [k, n] = self.dims;
        let width = (n - first).min(2 * self.lanes).next_multiple_of(self.lanes);
        // The panels in front of it are all full.
        (self.data[self.start + k * first + depth * width..].as_ptr(), width)
    }
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// The most numbers in front of the first that begins a cache line.
pub(super) fn spare<E>() -> usize {
    LINE / size_of::<E>()
}

/// Numbers in front of the first that begins a cache line.
fn unaligned<E>(data: &[E]) -> usize {
    data.as_ptr().align_offset(LINE).min(data.len())
}

/// The numbers from the first on that begins a cache line.
pub(super) fn aligned<E>(data: &mut [E]) -> &mut [E] {
    let start = unaligned(data);
    &mut data[start..]
}

/// Lays out a matrix as rows `at..` of panels of `k` rows and two registers of columns, the last one of one if that is
/// enough.
///
/// # Safety
/// The processor must have the level of `V`.
#[inline(always)]
pub(super) unsafe fn pack_columns<V: Vector>(
    b: &Matrix<'_, V::Lane>,
    [at, k]: [usize; 2],
    to: &mut [V::Lane],
) {
    let [rows, n] = b.dims();
    let [row, column] = b.strides();
    let whole = n / (2 * V::LANES) * (2 * V::LANES);
    if column == 1 {
        let edge = (n - whole).next_multiple_of(V::LANES);
        for p in 0..rows {
            let from = b.run([p, 0], n);
            for (i, from) in from.chunks_exact(2 * V::LANES).enumerate() {
                let to = &mut to[2 * V::LANES * (k * i + at + p)..][..2 * V::LANES];
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
        return;
    }
    for first in (0..n).step_by(2 * V::LANES) {
        let columns = (n - first).min(2 * V::LANES);
        let width = columns.next_multiple_of(V::LANES);
        let panel = &mut to[k * first + at * width..][..rows * width];
        // A few rows at a time, so that what is written stays near until it is full.
        for (p, panel) in (0..rows).step_by(V::LANES).zip(panel.chunks_mut(V::LANES * width)) {
            if row != 1 {
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

/// Lays out a matrix as columns `at..` of panels of rows with `k` columns one after the other, as a tile's [`panel`] cuts
/// them.
///
/// # Safety
/// The processor must have the level of `V`.
///
/// [`panel`]: super::tile::panel
#[inline(always)]
pub(super) unsafe fn pack_rows<V: Vector>(a: &Matrix<'_, V::Lane>, [at, k]: [usize; 2], to: &mut [V::Lane]) {
    /// Columns that are laid out at a time, in which the next block of rows is near.
    const COLUMNS: usize = 32;
    let [m, columns] = a.dims();
    for first in (0..columns).step_by(COLUMNS) {
        let columns = (columns - first).min(COLUMNS);
        for (start, rows) in even_blocks(m, V::ROWS) {
            let block = &mut to[start * k + (at + first) * rows..][..columns * rows];
            for (p, to) in (first..).zip(block.chunks_exact_mut(rows)) {
                if a.strides()[0] != 1 {
                    to.iter_mut().zip(start..).for_each(|(to, i)| *to = a.at(i, p));
                    continue;
                }
                // Few numbers, in at most two registers, for which a call to copy them would take longer.
                let (from, half) = (a.run_down([start, p], rows), rows.min(V::LANES));
                // SAFETY: `rows` numbers are within both slices.
                unsafe {
                    V::load_first(from.as_ptr(), half).store_first(to.as_mut_ptr(), half);
                    if half < rows {
                        let (from, to) = (from[half..].as_ptr(), to[half..].as_mut_ptr());
                        V::load_first(from, rows - half).store_first(to, rows - half);
                    }
                }
            }
        }
    }
}

/// The packed forms of the matrices in one storage that have been multiplied by more than once.
///
/// A recurrent weight takes part in T products forwards, and transposed in T products backwards: it is packed at the
/// second product of each kind. What is multiplied by only once is never packed for good.
#[derive(Debug)]
pub(crate) struct Packs<E> {
    entries: Mutex<[Option<Entry<E>>; 2]>,
}

#[derive(Clone, Debug)]
struct Entry<E> {
    place: Place,
    packed: Option<Arc<Packed<E>>>,
}

/// Which matrix of the storage it is, and for which registers.
type Place = (usize, [usize; 2], [isize; 2], Level);

/// Made when they are first asked for: most matrices are the right-hand side of a single row, or of nothing.
pub(crate) type LazyPacks<E> = OnceLock<Box<Packs<E>>>;

impl<E: Kernels> Packs<E> {
    /// The packed form of a matrix of this storage, from its second product on; at a level that the processor has.
    pub(super) fn get(&self, b: &Matrix<'_, E>, level: Level) -> Option<Arc<Packed<E>>> {
        let place = (b.offset(), b.dims(), b.strides(), level);
        let mut entries = self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(entry) = entries.iter_mut().flatten().find(|entry| entry.place == place) {
            return Some(Arc::clone(entry.packed.get_or_insert_with(|| Arc::new(Packed::new(b, level)))));
        }
        entries.swap(0, 1);
        entries[0] = Some(Entry { place, packed: None });
        None
    }
}

impl<E> Default for Packs<E> {
    fn default() -> Self {
        Packs { entries: Mutex::new([None, None]) }
    }
}
