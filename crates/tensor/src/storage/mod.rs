//! The memory that tensors share.

pub(crate) mod pool;

use std::ops::Deref;

use crate::gemm::LazyPacks;
use crate::{Element, buffer};

/// The elements that views share, with what has been derived from them and holds as long as they do not change.
#[derive(Debug)]
pub(crate) struct Storage<E> {
    data: Vec<E>,
    /// Takes the elements back when they are dropped. (`Drop` itself may not ask that `E` be an [`Element`].)
    give: fn(Vec<E>),
    packs: LazyPacks<E>,
}

impl<E: Element> Storage<E> {
    pub(crate) fn new(data: Vec<E>) -> Self {
        Storage { data, give: buffer::give, packs: LazyPacks::new() }
    }

    /// The elements, to be changed.
    pub(crate) fn data_mut(&mut self) -> &mut [E] {
        self.packs.take();
        &mut self.data
    }

    /// The packed forms of the matrices that lie here.
    pub(crate) fn packs(&self) -> &LazyPacks<E> {
        &self.packs
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
        (self.give)(std::mem::take(&mut self.data));
    }
}
