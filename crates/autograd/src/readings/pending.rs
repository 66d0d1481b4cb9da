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

#[cfg(test)]
mod tests {
    use super::*;

    /// Parts that lie apart, beside and over one another, in every order, against a sum of padded parts.
    #[test]
    fn parts_in_any_order_and_place() {
        let parts = [(4, 2), (0, 3), (2, 3), (7, 1), (7, 0), (5, 1)];
        for first in 0..parts.len() {
            for step in 1..parts.len() {
                let order = (0..4).map(|i| parts[(first + i * step) % parts.len()]);
                let mut expected = Tensor::<f64>::zeros([2, 9]);
                let mut found: Option<Concatenated<f64>> = None;
                for (i, (start, length)) in order.enumerate() {
                    let part = Tensor::from_fn([2, length], |at| (100 * (i + 1) + 10 * at[0] + at[1]) as f64);
                    expected.add_at(1, start, &part);
                    // What was there before must not show.
                    drop(Tensor::<f64>::full([2, 9], f64::NAN));
                    match &mut found {
                        Some(found) => found.add(start, &part),
                        None => found = Some(Concatenated::new(&Padded { part, axis: 1, start, size: 9 })),
                    }
                }
                assert_eq!(found.map(Concatenated::finish), Some(expected), "from {first} by {step}");
            }
        }
    }
}
