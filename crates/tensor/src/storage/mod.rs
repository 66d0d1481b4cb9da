//! The memory that tensors share.

pub(crate) mod buffer;
pub(crate) mod lent;
pub(crate) mod pool;

use std::ops::Deref;

use crate::gemm::PackCache;
use crate::shape::layout::Layout;
use crate::{Element, Shape};
use lent::Lent;

/// The elements that views share, with what has been derived from them and holds as long as they do not change.
#[derive(Debug)]
pub(crate) struct Storage<E> {
    data: Lent<E>,
    /// All elements in the shape that they were made for. It stands here and not in a tensor, which is moved many times.
    layout: Layout,
    packed: PackCache<E>,
}

impl<E: Element> Storage<E> {
    pub(crate) fn new(data: Vec<E>, shape: Shape) -> Self {
        Storage { data: Lent::new(data), layout: Layout::contiguous(shape), packed: PackCache::new() }
    }

    /// The layout of all elements.
    #[inline]
    pub(crate) fn layout(&self) -> &Layout {
        &self.layout
    }

    /// The elements, to be changed.
    pub(crate) fn data_mut(&mut self) -> &mut [E] {
        self.packed.clear();
        &mut self.data
    }

    /// The elements.
    pub(crate) fn into_vec(self) -> Vec<E> {
        self.data.into_vec()
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
