//! The memory that tensors share.

pub(crate) mod buffer;
pub(crate) mod pool;

use std::ops::Deref;

use crate::Element;
use crate::gemm::PackCache;
use pool::Lender;

/// The elements that views share, with what has been derived from them and holds as long as they do not change.
#[derive(Debug)]
pub(crate) struct Storage<E> {
    data: Vec<E>,
    /// The pool that counts the elements as in use, and how they go back to one. (`Drop` itself may not ask that `E` be an
    /// [`Element`].)
    lent: Option<(Lender, Settle<E>)>,
    packed: PackCache<E>,
}

/// Takes a buffer back, for the pool that lent it.
type Settle<E> = fn(Vec<E>, Lender);

impl<E: Element> Storage<E> {
    pub(crate) fn new(data: Vec<E>) -> Self {
        let lent = buffer::lend::<E>(data.len()).map(|lender| (lender, buffer::settle::<E> as _));
        Storage { data, lent, packed: PackCache::new() }
    }

    /// The elements, to be changed.
    pub(crate) fn data_mut(&mut self) -> &mut [E] {
        self.packed.clear();
        &mut self.data
    }

    /// The packed forms of the matrices that lie here.
    pub(crate) fn packed(&self) -> &PackCache<E> {
        &self.packed
    }
}

impl<E> Deref for Storage<E> {
    type Target = [E];

    fn deref(&self) -> &[E] {
        &self.data
    }
}

impl<E> Drop for Storage<E> {
    fn drop(&mut self) {
        if let Some((lender, release)) = self.lent {
            release(std::mem::take(&mut self.data), lender);
        }
    }
}
