//! The iterator over the elements.

use std::fmt;
use std::iter::FusedIterator;

use crate::loops::strided::StridedIter;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// The elements in row-major order, one by one.
    pub fn iter(&self) -> Iter<'_, E> {
        let walk = StridedIter::new(&self.shape(), [self.layout()]);
        Iter { storage: self.storage(), walk, place: 0, row: 0, left: self.numel() }
    }
}

/// Iterates over the elements of a tensor in row-major order.
#[derive(Clone)]
#[must_use]
pub struct Iter<'a, E> {
    storage: &'a [E],
    walk: StridedIter<1>,
    place: usize,
    /// The number of elements left in the current row.
    row: usize,
    left: usize,
}

impl<E: fmt::Debug + Copy> fmt::Debug for Iter<'_, E> {
    /// The elements that are left.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}

impl<E: Copy> Iterator for Iter<'_, E> {
    type Item = E;

    fn next(&mut self) -> Option<E> {
        if self.row == 0 {
            [self.place] = self.walk.next()?;
            self.row = self.walk.len;
        }
        let x = self.storage[self.place];
        self.place = self.place.wrapping_add_signed(self.walk.strides[0]);
        self.row -= 1;
        self.left -= 1;
        Some(x)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<E: Copy> FusedIterator for Iter<'_, E> {}

impl<E: Copy> ExactSizeIterator for Iter<'_, E> {}

impl<'a, E: Element> IntoIterator for &'a Tensor<E> {
    type Item = E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}
