//! A pool of buffers: what one step of training frees is what the next one needs.
//!
//! Large buffers are expensive to get from the system, which has to clear every page of them. So each thread keeps the
//! buffers that it frees until it needs one of the same length. It never keeps more than half as much again as the
//! tensors that it made once took at the same time, wherever those are dropped.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The free buffers of one thread, by length.
#[derive(Debug)]
pub struct BufferPool<E> {
    free: BTreeMap<usize, Vec<Vec<E>>>,
    /// Elements in free buffers.
    held: usize,
    /// Elements lent by this thread, less those that it took back.
    lent: usize,
    /// The most elements that were in use at the same time.
    most: usize,
    /// Identifies this pool, and counts those elements lent by it that another thread took back.
    lender: Lender,
}

/// The pool that lent a buffer: a count of the elements that came back to other threads.
pub(crate) type Lender = Arc<AtomicUsize>;

impl<E> BufferPool<E> {
    pub(crate) fn new() -> Self {
        BufferPool { free: BTreeMap::new(), held: 0, lent: 0, most: 0, lender: Lender::default() }
    }

    /// Takes a free buffer of a length, holding whatever it last held.
    pub(super) fn acquire(&mut self, length: usize) -> Option<Vec<E>> {
        let buffer = self.free.get_mut(&length)?.pop()?;
        self.held -= length;
        Some(buffer)
    }

    /// Counts a buffer as in use.
    pub(super) fn lend(&mut self, length: usize) -> &Lender {
        self.lent = self.lent.wrapping_add(length);
        self.most = self.most.max(self.in_use());
        &self.lender
    }

    /// Takes back a buffer that a pool lent, this one or that of another thread: keeps it for later, or gives it to the
    /// system if enough are kept.
    pub(super) fn release(&mut self, buffer: Vec<E>, lender: &Lender) {
        if Arc::ptr_eq(lender, &self.lender) {
            self.reclaim(buffer);
        } else {
            lender.fetch_add(buffer.len(), Relaxed);
            self.keep(buffer);
        }
    }

    /// Takes back a buffer that this pool lent.
    pub(super) fn reclaim(&mut self, buffer: Vec<E>) {
        self.lent = self.lent.wrapping_sub(buffer.len());
        self.keep(buffer);
    }

    fn keep(&mut self, buffer: Vec<E>) {
        let length = buffer.len();
        // Not all lengths are in use at the time of the most: what is needed in turn is somewhat more.
        if self.held + length <= self.most + self.most / 2 {
            self.held += length;
            self.free.entry(length).or_default().push(buffer);
        }
    }

    pub(super) fn clear(&mut self) {
        self.free.clear();
        (self.held, self.most) = (0, self.in_use());
    }

    /// Both counts may wrap; their difference is right.
    fn in_use(&self) -> usize {
        self.lent.wrapping_sub(self.lender.load(Relaxed))
    }
}
