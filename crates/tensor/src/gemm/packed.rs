//! Right-hand sides laid out for the micro-kernel, and their cache, which lives with the storage that they come from.

use std::sync::{Arc, Mutex, OnceLock};

use crate::Element;
use crate::storage::lent::Lent;

/// Panels of `2 * lanes` columns, each with its rows one after the other and aligned to a cache line; the last panel may be
/// half as wide.
///
/// # Source
/// K. Goto and R. van de Geijn, *Anatomy of high-performance matrix multiplication* (2008).
#[derive(Debug)]
pub(crate) struct Packed<E> {
    data: Lent<E>,
    start: usize,
    lanes: usize,
    dims: [usize; 2],
}

impl<E: Element> Packed<E> {
    /// Makes the packed form of a matrix of `dims`, whose panels `pack` writes.
    pub(super) fn new(dims: [usize; 2], lanes: usize, pack: impl FnOnce(&mut [E])) -> Self {
        let mut data = Lent::stale(Self::len(dims, lanes));
        data.fill(E::default());
        pack(aligned(&mut data));
        Packed { start: unaligned(&data), data, lanes, dims }
    }

    /// Returns the size of the packed form of a `[k, n]` matrix, in numbers.
    pub(super) fn len([k, n]: [usize; 2], lanes: usize) -> usize {
        k.saturating_mul(n.next_multiple_of(lanes)).saturating_add(spare::<E>())
    }

    /// Returns a pointer to row `p` of the panel of the columns from `first` on, and the distance between its rows: its
    /// columns, rounded up to whole registers.
    pub(super) fn panel(&self, p: usize, first: usize) -> (*const E, usize) {
        let [k, n] = self.dims;
        let width = (n - first).min(2 * self.lanes).next_multiple_of(self.lanes);
        // The panels in front of it are all full.
        (self.data[self.start + k * first + p * width..].as_ptr(), width)
    }
}

/// Bytes of a cache line.
const LINE: usize = 64;

/// The most numbers in front of the first that begins a cache line.
pub(super) fn spare<E>() -> usize {
    LINE / size_of::<E>()
}

/// Numbers in front of the first that begins a cache line, or 0 if none is to be found.
fn unaligned<E>(data: &[E]) -> usize {
    let place = data.as_ptr().align_offset(LINE);
    if place > spare::<E>() { 0 } else { place.min(data.len()) }
}

/// The numbers from the first on that begins a cache line.
pub(super) fn aligned<E>(data: &mut [E]) -> &mut [E] {
    let start = unaligned(data);
    &mut data[start..]
}

/// The packed forms of the matrices in one storage that have been multiplied by more than once.
///
/// A recurrent weight takes part in T products forwards, and transposed in T products backwards: it is packed at the
/// second product of each kind. A matrix that is multiplied by only once is never packed for good.
///
/// Most matrices are the right-hand side of a single row, or of nothing: nothing is allocated before the first product.
#[derive(Debug)]
pub(crate) struct PackCache<E>(OnceLock<Box<Entries<E>>>);

/// The last two matrices that were multiplied by.
type Entries<E> = Mutex<[Option<Entry<E>>; 2]>;

#[derive(Debug)]
struct Entry<E> {
    key: Key,
    packed: Option<Arc<Packed<E>>>,
}

/// A matrix of the storage, and the registers that it is packed for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Key {
    pub(super) offset: usize,
    pub(super) dims: [usize; 2],
    pub(super) strides: [isize; 2],
    pub(super) lanes: usize,
}

impl<E> PackCache<E> {
    pub(crate) fn new() -> Self {
        PackCache(OnceLock::new())
    }

    /// Forgets all packed forms, since the storage is about to change.
    pub(crate) fn clear(&mut self) {
        self.0.take();
    }

    /// Returns the packed form of a matrix of this storage, made by `pack` at its second product.
    pub(super) fn get(&self, key: Key, pack: impl FnOnce() -> Packed<E>) -> Option<Arc<Packed<E>>> {
        let entries = self.0.get_or_init(Box::default);
        let mut entries = entries.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(entry) = entries.iter_mut().flatten().find(|entry| entry.key == key) {
            return Some(Arc::clone(entry.packed.get_or_insert_with(|| Arc::new(pack()))));
        }
        entries.swap(0, 1);
        entries[0] = Some(Entry { key, packed: None });
        None
    }
}
