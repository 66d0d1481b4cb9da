//! A pool of buffers: what one step of training frees is what the next one needs.
//!
//! Large buffers are expensive to get from the system, which has to clear every page of them, and small ones are needed
//! often. So each thread keeps the buffers that it frees until it needs one of the same length. It never keeps more than
//! half as much again as the tensors that it made once took at the same time, wherever those are dropped.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The free buffers of one thread.
#[derive(Debug)]
pub struct BufferPool<E> {
    /// Those of fewer than [`SHORT`] elements, by length.
    short: Vec<Vec<Vec<E>>>,
    /// The others, by length.
    long: BTreeMap<usize, Vec<Vec<E>>>,
    /// The cost of free buffers, in elements.
    held: usize,
    /// The cost of buffers lent by this thread, less those that it took back.
    lent: usize,
    /// The most elements that were in use at the same time.
    most: usize,
    lender: Lender,
    /// Elements lent by this pool that other threads took back.
    returned: Arc<AtomicUsize>,
}

/// Lengths below this have a list each, found without a search.
const SHORT: usize = 1024;

/// Bytes that a buffer costs beside its elements: its handle in a list and what the allocator adds.
const OVERHEAD: usize = 48;

/// The number of the pool that lent a buffer. No other pool ever has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Lender(NonZeroU64);

/// The counts of returned elements of the pools of all threads, for buffers that come back to another one.
static RETURNED: Mutex<BTreeMap<Lender, Arc<AtomicUsize>>> = Mutex::new(BTreeMap::new());

fn returned() -> MutexGuard<'static, BTreeMap<Lender, Arc<AtomicUsize>>> {
    RETURNED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Lender {
    fn next() -> Self {
        static LENDERS: AtomicU64 = AtomicU64::new(1);
        Lender(NonZeroU64::new(LENDERS.fetch_add(1, Relaxed)).expect("fewer than 2⁶⁴ threads"))
    }

    /// Counts elements that came back to another thread. A pool whose thread has ended counts nothing.
    pub(super) fn count_returned(self, length: usize) {
        if let Some(count) = returned().get(&self) {
            count.fetch_add(length, Relaxed);
        }
    }
}

impl<E> BufferPool<E> {
    pub(crate) fn new() -> Self {
        let (lender, count) = (Lender::next(), Arc::default());
        returned().insert(lender, Arc::clone(&count));
        BufferPool {
            short: Vec::new(),
            long: BTreeMap::new(),
            held: 0,
            lent: 0,
            most: 0,
            lender,
            returned: count,
        }
    }

    /// Takes a free buffer of a length, holding whatever it last held.
    pub(super) fn acquire(&mut self, length: usize) -> Option<Vec<E>> {
        let free = if length < SHORT { self.short.get_mut(length) } else { self.long.get_mut(&length) };
        let buffer = free?.pop()?;
        self.held -= Self::cost(length);
        Some(buffer)
    }

    /// Counts a buffer as in use.
    pub(super) fn lend(&mut self, length: usize) -> Lender {
        self.lent = self.lent.wrapping_add(Self::cost(length));
        self.most = self.most.max(self.in_use());
        self.lender
    }

    /// Takes back a buffer that a pool lent, this one or that of another thread: keeps it for later, or gives it to the
    /// system if enough are kept.
    pub(super) fn release(&mut self, buffer: Vec<E>, lender: Lender) {
        let length = buffer.len();
        let cost = self.forget(length, lender);
        // Not all lengths are in use at the time of the most: what is needed in turn is somewhat more.
        if length > 0 && self.held + cost <= self.most + self.most / 2 {
            self.held += cost;
            if length < SHORT {
                if self.short.is_empty() {
                    self.short.resize_with(SHORT, Vec::new);
                }
                self.short[length].push(buffer);
            } else {
                self.long.entry(length).or_default().push(buffer);
            }
        }
    }

    /// Counts a buffer that a pool lent as used no more. Returns its cost.
    pub(super) fn forget(&mut self, length: usize, lender: Lender) -> usize {
        let cost = Self::cost(length);
        if lender == self.lender {
            self.lent = self.lent.wrapping_sub(cost);
        } else {
            lender.count_returned(cost);
        }
        cost
    }

    pub(super) fn clear(&mut self) {
        self.short.clear();
        self.long.clear();
        (self.held, self.most) = (0, self.in_use());
    }

    /// The elements of a buffer, and as many as the allocator and a list need for it: many small ones are not cheap.
    pub(super) fn cost(length: usize) -> usize {
        length + OVERHEAD / size_of::<E>().max(1)
    }

    /// Both counts may wrap; their difference is right.
    fn in_use(&self) -> usize {
        self.lent.wrapping_sub(self.returned.load(Relaxed))
    }
}

impl<E> Drop for BufferPool<E> {
    fn drop(&mut self) {
        returned().remove(&self.lender);
    }
}
