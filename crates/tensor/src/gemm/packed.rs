//! A right-hand side laid out for the micro-kernel, once for all the products that it takes part in.

use std::sync::{Arc, Mutex};

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
        let mut data = vec![E::default(); k * n.next_multiple_of(lanes) + spare::<E>()];
        // SAFETY: the processor has the level.
        unsafe { E::pack_columns(level, b, [0, k], aligned(&mut data)) };
        Packed { start: unaligned(&data), data, lanes, dims: [k, n] }
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
    // Where column `j`, which begins a register, has row `p`; and how far apart rows are there.
    let place = |p: usize, j: usize| {
        let first = j / (2 * V::LANES) * (2 * V::LANES);
        let width = (n - first).min(2 * V::LANES).next_multiple_of(V::LANES);
        (k * first + (at + p) * width + j - first, width)
    };
    if column == 1 {
        for p in 0..rows {
            let from = b.run([p, 0], n);
            for j in (0..n).step_by(V::LANES) {
                let (from, to) = (&from[j..], &mut to[place(p, j).0..][..V::LANES]);
                // SAFETY: a register is within `to`, and within `from` as many numbers as are left.
                unsafe {
                    let x = if from.len() >= V::LANES {
                        V::load(from.as_ptr())
                    } else {
                        V::load_first(from.as_ptr(), from.len())
                    };
                    x.store(to.as_mut_ptr());
                }
            }
        }
        return;
    }
    // A few rows at a time, so that what is written stays near until it is full.
    for p in (0..rows).step_by(V::LANES) {
        let rows = (rows - p).min(V::LANES);
        for j in 0..n {
            let (start, width) = place(p, j / V::LANES * V::LANES);
            let to = to[start + j % V::LANES..].iter_mut().step_by(width);
            if row == 1 {
                to.zip(b.run_down([p, j], rows)).for_each(|(to, &x)| *to = x);
            } else {
                to.zip(p..p + rows).for_each(|(to, p)| *to = b.at(p, j));
            }
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
    let [m, columns] = a.dims();
    let blocks = even_blocks(m, V::ROWS);
    for p in 0..columns {
        for (start, rows) in blocks.clone() {
            let to = &mut to[start * k + (at + p) * rows..][..rows];
            if a.strides()[0] == 1 {
                let from = a.run_down([start, p], rows);
                // Few numbers, for which a call to copy them would take longer.
                for i in (0..rows).step_by(V::LANES) {
                    let count = (rows - i).min(V::LANES);
                    // SAFETY: `count` numbers from `i` on are within both slices.
                    unsafe {
                        V::load_first(from[i..].as_ptr(), count).store_first(to[i..].as_mut_ptr(), count)
                    };
                }
            } else {
                (0..rows).for_each(|i| to[i] = a.at(start + i, p));
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
