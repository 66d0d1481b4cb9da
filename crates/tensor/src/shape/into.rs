//! Lists of sizes that may be a shape.

use super::Shape;
use crate::{Error, MAX_RANK};

/// A list of sizes that may be a shape: a [`Shape`], an array or a slice.
///
/// # Example
/// ```
/// use retrograde_tensor::Tensor;
///
/// let x = Tensor::<f32>::zeros([2, 6]);
/// let sizes = vec![3, 4];
/// assert_eq!(x.reshape(&sizes[..]), x.reshape([3, 4]));
/// assert!(x.try_reshape([usize::MAX, 2]).is_err());
/// ```
pub trait IntoShape {
    /// Returns the shape of these sizes. `op` is named in the error.
    ///
    /// # Errors
    /// If there are more than [`MAX_RANK`] sizes, or if their product does not fit in `isize`.
    fn into_shape(self, op: &'static str) -> Result<Shape, Error>;
}

impl IntoShape for Shape {
    fn into_shape(self, _op: &'static str) -> Result<Shape, Error> {
        Ok(self)
    }
}

impl IntoShape for &Shape {
    fn into_shape(self, _op: &'static str) -> Result<Shape, Error> {
        Ok(*self)
    }
}

impl IntoShape for &[usize] {
    fn into_shape(self, op: &'static str) -> Result<Shape, Error> {
        Shape::checked(op, self)
    }
}

impl<const R: usize> IntoShape for &[usize; R] {
    fn into_shape(self, op: &'static str) -> Result<Shape, Error> {
        (*self).into_shape(op)
    }
}

impl<const R: usize> IntoShape for [usize; R] {
    /// The rank is checked when compiling.
    fn into_shape(self, op: &'static str) -> Result<Shape, Error> {
        const { assert!(R <= MAX_RANK, "a shape has at most MAX_RANK axes") };
        Shape::checked(op, &self)
    }
}
