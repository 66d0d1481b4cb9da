//! Buffers that are used again: what one step of training frees is what the next one needs.
//!
//! Large buffers are expensive to get from the system, which has to clear every page of them. So a freed buffer stays
//! with its thread until another of the same length is wanted. A thread never holds more than half as much again as it
//! once had in use at the same time.

use std::collections::BTreeMap;

use crate::Element;

/// Below this many bytes the system's allocator is as fast.
const SMALL: usize = 1024;

/// The free buffers of a thread, by length.
#[derive(Debug)]
pub struct Buffers<E> {
    free: BTreeMap<usize, Vec<Vec<E>>>,
    /// Numbers in free buffers, in buffers in use (of those that this thread got and gave), and the most of those.
    held: usize,
    used: usize,
    most: usize,
}

impl<E> Buffers<E> {
    pub(crate) fn new() -> Self {
        Buffers { free: BTreeMap::new(), held: 0, used: 0, most: 0 }
    }

    fn take(&mut self, length: usize) -> Option<Vec<E>> {
        self.used += length;
        self.most = self.most.max(self.used);
        let buffer = self.free.get_mut(&length)?.pop()?;
        self.held -= length;
        Some(buffer)
    }

    fn give(&mut self, buffer: Vec<E>) {
        let length = buffer.len();
        self.used = self.used.saturating_sub(length);
        // Not all lengths are in use at the time of the most: what is needed in turn is somewhat more.
        if self.held + length <= self.most + self.most / 2 {
            self.held += length;
            self.free.entry(length).or_default().push(buffer);
        }
    }

    pub(crate) fn clear(&mut self) {
        self.free.clear();
        (self.held, self.most) = (0, self.used);
    }
}

fn is_small<E>(length: usize) -> bool {
    length.saturating_mul(size_of::<E>()) < SMALL
}

fn take<E: Element>(length: usize) -> Option<Vec<E>> {
    if is_small::<E>(length) { None } else { E::buffers(|buffers| buffers.take(length)).flatten() }
}

/// A buffer of a length, holding whatever it last held.
pub(crate) fn stale<E: Element>(length: usize) -> Vec<E> {
    match take(length) {
        Some(buffer) => buffer,
        // Asked for zeros, the system's allocator would not give what was just freed.
        None if is_small::<E>(length) => {
            let mut buffer = Vec::with_capacity(length);
            buffer.resize(length, E::default());
            buffer
        }
        None => vec![E::default(); length],
    }
}

/// A buffer full of one value.
pub(crate) fn full<E: Element>(length: usize, value: E) -> Vec<E> {
    match take(length) {
        Some(mut buffer) => {
            buffer.fill(value);
            buffer
        }
        None => vec![value; length],
    }
}

/// An empty buffer that is about to be filled to a length.
pub(crate) fn empty<E: Element>(length: usize) -> Vec<E> {
    match take(length) {
        Some(mut buffer) => {
            buffer.clear();
            buffer
        }
        None => Vec::with_capacity(length),
    }
}

/// Takes back a buffer that nobody uses any more.
pub(crate) fn give<E: Element>(buffer: Vec<E>) {
    if !is_small::<E>(buffer.len()) {
        E::buffers(|buffers| buffers.give(buffer));
    }
}

/// Gives the free buffers of the calling thread back to the system.
///
/// A thread keeps the storage of dropped tensors for new ones of the same size, at most half as much again as it once had
/// in use at the same time. After a large computation, this returns that memory.
pub fn release_buffers() {
    f32::buffers(Buffers::clear);
    f64::buffers(Buffers::clear);
}
