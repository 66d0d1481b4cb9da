use crate::loops::strided::Walk;
use crate::{Element, Tensor};

impl<E: Element> Tensor<E> {
    /// The elements in row-major order, one by one.
    pub fn iter(&self) -> Iter<'_, E> {
        let walk = Walk::new(&self.shape(), [self.layout()]);
        Iter { storage: self.storage(), walk, place: 0, row: 0, left: self.numel() }
    }
}

/// Iterates over the elements of a tensor in row-major order.
pub struct Iter<'a, E> {
    storage: &'a [E],
    walk: Walk<1>,
    place: usize,
    /// The number of elements left in the current row.
    row: usize,
    left: usize,
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

impl<E: Copy> ExactSizeIterator for Iter<'_, E> {}

impl<'a, E: Element> IntoIterator for &'a Tensor<E> {
    type Item = E;
    type IntoIter = Iter<'a, E>;

    fn into_iter(self) -> Iter<'a, E> {
        self.iter()
    }
}
