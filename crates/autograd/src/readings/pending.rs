//! A tensor that is put together from parts along an axis.

use std::ops::Range;

use retrograde_tensor::{Float, Tensor};

/// Zeros of size `size` along `axis`, with `part` placed from `start`.
#[derive(Clone)]
pub(crate) struct Padded<E> {
    pub(crate) part: Tensor<E>,
    pub(crate) axis: usize,
    pub(crate) start: usize,
    pub(crate) size: usize,
}

impl<E: Float> Padded<E> {
    /// Whether it has a shape.
    pub(crate) fn has_shape(&self, shape: &[usize]) -> bool {
        let part = self.part.dims();
        let fits = |axis: usize| shape[axis] == if axis == self.axis { self.size } else { part[axis] };
        shape.len() == part.len() && (0..part.len()).all(fits)
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
    pub(crate) fn new(&Padded { ref part, axis, start, size }: &Padded<E>) -> Self {
        let mut value = Tensor::empty(part.shape().with_axis(axis, size));
        value.set_at(axis, start, part);
        Concatenated { value, axis, filled: start..start + part.dims()[axis] }
    }

    pub(crate) fn value(&self) -> &Tensor<E> {
        &self.value
    }

    pub(crate) fn axis(&self) -> usize {
        self.axis
    }

    pub(crate) fn add(&mut self, start: usize, part: &Tensor<E>) {
        let (old, new) = (self.filled.clone(), start..start + part.dims()[self.axis]);
        if new.end <= old.start || old.end <= new.start {
            self.clear(new.end..old.start);
            self.clear(old.end..new.start);
            self.value.set_at(self.axis, start, part);
        } else {
            self.clear(new.start..old.start);
            self.clear(old.end..new.end);
            self.value.add_at(self.axis, start, part);
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
