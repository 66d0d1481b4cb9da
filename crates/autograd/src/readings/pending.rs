//! A tensor that is put together from parts along an axis.

use std::ops::Range;

use retrograde_tensor::{Float, Shape, Tensor};

/// Zeros of size `size` along `axis`, with `part` placed from `start`: a part of a length, or one entry without the axis.
#[derive(Clone)]
pub(crate) struct Padded<E> {
    pub(crate) part: Tensor<E>,
    pub(crate) axis: usize,
    pub(crate) start: usize,
    pub(crate) length: Option<usize>,
    pub(crate) size: usize,
}

impl<E: Float> Padded<E> {
    pub(crate) fn shape(&self) -> Shape {
        match self.length {
            Some(_) => self.part.shape().with_axis(self.axis, self.size),
            None => self.part.shape().inserted(self.axis, self.size),
        }
    }

    /// Whether it has a shape.
    pub(crate) fn has_shape(&self, shape: &[usize]) -> bool {
        let (front, back) = self.part.dims().split_at(self.axis);
        let back = &back[usize::from(self.length.is_some())..];
        shape.len() == front.len() + 1 + back.len()
            && shape[..self.axis] == *front
            && shape[self.axis] == self.size
            && shape[self.axis + 1..] == *back
    }

    /// The range that is not zeros.
    fn range(&self) -> Range<usize> {
        self.start..self.start + self.length.unwrap_or(1)
    }
}

/// Zeros, to which parts along an axis are added. Where parts come one beside the other, as those of a sequence do, each
/// is written once, and no zeros are.
#[derive(Clone)]
pub(crate) struct Concatenated<E> {
    /// Any numbers, where nothing has been filled yet.
    value: Tensor<E>,
    axis: usize,
    filled: Range<usize>,
}

impl<E: Float> Concatenated<E> {
    /// The first part.
    pub(crate) fn new(first: &Padded<E>) -> Self {
        let mut value = Tensor::empty(first.shape());
        value.set_at(first.axis, first.start, &first.part);
        Concatenated { value, axis: first.axis, filled: first.range() }
    }

    pub(crate) fn value(&self) -> &Tensor<E> {
        &self.value
    }

    pub(crate) fn axis(&self) -> usize {
        self.axis
    }

    pub(crate) fn add(&mut self, next: &Padded<E>) {
        let (old, new) = (self.filled.clone(), next.range());
        if new.end <= old.start || old.end <= new.start {
            self.clear(new.end..old.start);
            self.clear(old.end..new.start);
            self.value.set_at(self.axis, next.start, &next.part);
        } else {
            self.clear(new.start..old.start);
            self.clear(old.end..new.end);
            self.value.add_at(self.axis, next.start, &next.part);
        }
        self.filled = old.start.min(new.start)..old.end.max(new.end);
    }

    pub(crate) fn finish(mut self) -> Tensor<E> {
        let (filled, size) = (self.filled.clone(), self.value.dims()[self.axis]);
        self.clear(0..filled.start);
        self.clear(filled.end..size);
        self.value
    }

    /// Writes zeros over a range, if it is one.
    fn clear(&mut self, range: Range<usize>) {
        if !range.is_empty() {
            let zeros = Tensor::scalar(E::default());
            let shape = self.value.shape().with_axis(self.axis, range.len());
            self.value.set_at(self.axis, range.start, &zeros.broadcast_to(shape));
        }
    }
}
