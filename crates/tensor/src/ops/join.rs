//! Stacking and concatenation.

use crate::error::or_panic;
use crate::loops::zip::assign;
use crate::shape::layout::Layout;
use crate::storage::buffer;
use crate::{Element, Error, Shape, Tensor};

impl<E: Element> Tensor<E> {
    /// Joins tensors of one shape along a new axis. [`stack`](Self::stack) panics instead.
    ///
    /// # Errors
    /// If there is no tensor, if the shapes differ, or if `axis` is beyond the rank.
    pub fn try_stack(tensors: &[&Self], axis: usize) -> Result<Self, Error> {
        let shape = Shape::stacked("stack", &shapes(tensors), axis)?;
        let entry = |i| Layout::contiguous(shape).selected("stack", axis, i).expect("an entry for each");
        join("stack", shape, tensors.iter().enumerate().map(|(i, &tensor)| (entry(i), tensor)))
    }

    /// Joins tensors of one shape along a new axis.
    ///
    /// # Panics
    /// Where [`try_stack`](Self::try_stack) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([3.0, 4.0]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 0), Tensor::from([[1.0, 2.0], [3.0, 4.0]]));
    /// assert_eq!(Tensor::stack(&[&a, &b], 1), Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn stack(tensors: &[&Self], axis: usize) -> Self {
        or_panic(Self::try_stack(tensors, axis))
    }

    /// Joins tensors along an existing axis, in which alone their shapes may differ.
    /// [`concat`](Self::concat) panics instead.
    ///
    /// # Errors
    /// If there is no tensor, if the shapes differ in another axis, or if there is no such axis.
    pub fn try_concat(tensors: &[&Self], axis: usize) -> Result<Self, Error> {
        let shape = Shape::concatenated("concat", &shapes(tensors), axis)?;
        let mut end = 0;
        let parts = tensors.iter().map(|&tensor| {
            let (start, size) = (end, tensor.dims()[axis]);
            end += size;
            let part = Layout::contiguous(shape).narrowed("concat", axis, start, size);
            (part.expect("the parts fill the whole"), tensor)
        });
        join("concat", shape, parts)
    }

    /// Joins tensors along an existing axis, in which alone their shapes may differ.
    ///
    /// # Panics
    /// Where [`try_concat`](Self::try_concat) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([1.0, 2.0]), Tensor::from([3.0]));
    /// assert_eq!(Tensor::concat(&[&a, &b], 0), Tensor::from([1.0, 2.0, 3.0]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn concat(tensors: &[&Self], axis: usize) -> Self {
        or_panic(Self::try_concat(tensors, axis))
    }
}

fn shapes<E: Element>(tensors: &[&Tensor<E>]) -> Vec<Shape> {
    tensors.iter().map(|tensor| tensor.shape()).collect()
}

/// Copies tensors to the places of layouts that fill a shape.
fn join<'a, E: Element>(
    op: &'static str,
    shape: Shape,
    parts: impl Iterator<Item = (Layout, &'a Tensor<E>)>,
) -> Result<Tensor<E>, Error> {
    let mut data = buffer::empty(op, &shape)?;
    parts.for_each(|(part, tensor)| assign(&mut data, &part, tensor));
    Ok(Tensor::filled(data, shape))
}
