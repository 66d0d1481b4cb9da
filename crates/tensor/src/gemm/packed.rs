//! A right-hand side laid out for the micro-kernel, once for all the products that it takes part in.

use std::sync::{Arc, Mutex};

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

impl<E: Copy + Default> Packed<E> {
    /// Packs a matrix for registers of `lanes` numbers.
    pub(super) fn new(b: &Matrix<'_, E>, lanes: usize) -> Self {
        let [k, n] = b.dims();
        let mut data = vec![E::default(); k * n.next_multiple_of(lanes) + spare::<E>()];
        pack_columns(b, lanes, aligned(&mut data));
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

/// Lays out a matrix as panels of two registers of columns, the last one of one if that is enough.
pub(super) fn pack_columns<E: Copy>(b: &Matrix<'_, E>, lanes: usize, mut to: &mut [E]) {
    let [k, n] = b.dims();
    let [row, column] = b.strides();
    for first in (0..n).step_by(2 * lanes) {
        let columns = (n - first).min(2 * lanes);
        let width = columns.next_multiple_of(lanes);
        let (panel, rest) = std::mem::take(&mut to).split_at_mut(k * width);
        to = rest;
        if column == 1 {
            for (p, to) in panel.chunks_exact_mut(width).enumerate() {
                to[..columns].copy_from_slice(b.run([p, first], columns));
            }
        } else if row == 1 {
            for j in 0..columns {
                let from = b.run_down([0, first + j], k);
                panel[j..].iter_mut().step_by(width).zip(from).for_each(|(to, &x)| *to = x);
            }
        } else {
            for (p, to) in panel.chunks_exact_mut(width).enumerate() {
                (0..columns).for_each(|j| to[j] = b.at(p, first + j));
            }
        }
    }
}

/// Lays out a matrix as panels of rows, each with its columns one after the other, as [`Tile::panel`] cuts them.
///
/// # Safety
/// The processor must have the level of `V`.
#[inline(always)]
pub(super) unsafe fn pack_rows<V: Vector>(a: &Matrix<'_, V::Lane>, to: &mut [V::Lane]) {
    let [m, k] = a.dims();
    let blocks = even_blocks(m, V::ROWS);
    for p in 0..k {
        for (start, rows) in blocks.clone() {
            let to = &mut to[start * k + p * rows..][..rows];
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

impl<E: Copy + Default> Packs<E> {
    /// The packed form of a matrix of this storage, from its second product on.
    pub(super) fn get(&self, b: &Matrix<'_, E>, lanes: usize, level: Level) -> Option<Arc<Packed<E>>> {
        let place = (b.offset(), b.dims(), b.strides(), level);
        let mut entries = self.entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(entry) = entries.iter_mut().flatten().find(|entry| entry.place == place) {
            return Some(Arc::clone(entry.packed.get_or_insert_with(|| Arc::new(Packed::new(b, lanes)))));
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
