//! Shapes made from sizes and from other shapes, where they can be.

use super::{MAX_RANK, Shape};
use crate::Error;
use crate::error::or_panic;

impl Shape {
    /// The shape with these sizes.
    ///
    /// # Errors
    /// If there are more than [`MAX_RANK`] sizes, or if their product does not fit in `isize`.
    pub fn new(dims: &[usize]) -> Result<Self, Error> {
        Self::checked("shape", dims)
    }

    /// The shape that two shapes broadcast to, by NumPy's rules: aligned at the last axis, sizes agree or one
    /// of them is 1. `op` is named in the error.
    ///
    /// # Errors
    /// If the shapes do not broadcast together.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Shape;
    ///
    /// let (a, b) = (Shape::from([2, 1, 3]), Shape::from([4, 1]));
    /// assert_eq!(Shape::broadcast("add", &a, &b)?, Shape::from([2, 4, 3]));
    /// # Ok::<(), retrograde_tensor::Error>(())
    /// ```
    #[inline]
    pub fn broadcast(op: &'static str, a: &Shape, b: &Shape) -> Result<Self, Error> {
        if a == b { Ok(*a) } else { Self::broadcast_different(op, a, b) }
    }

    fn broadcast_different(op: &'static str, a: &Shape, b: &Shape) -> Result<Self, Error> {
        let rank = a.rank().max(b.rank());
        let mut dims = [1; MAX_RANK];
        for (back, dim) in dims[..rank].iter_mut().rev().enumerate() {
            *dim = match (a.size_back(back), b.size_back(back)) {
                (x, y) if x == y => x,
                (1, y) => y,
                (x, 1) => x,
                _ => return Err(Error::Broadcast { op, lhs: Box::new(*a), rhs: Box::new(*b) }),
            };
        }
        Self::checked(op, &dims[..rank])
    }

    /// This shape with `size` in place of the size of `axis`.
    ///
    /// # Panics
    /// If there is no such axis, or if the number of elements does not fit in `isize`.
    #[track_caller]
    #[must_use]
    pub fn with_axis(&self, axis: usize, size: usize) -> Self {
        or_panic(self.try_with_axis("with_axis", axis, size))
    }

    /// This shape with a new axis of `size` before `axis`, which may be the rank.
    ///
    /// # Panics
    /// If `axis` is beyond the rank, or if the result is no valid shape.
    #[track_caller]
    #[must_use]
    pub fn inserted(&self, axis: usize, size: usize) -> Self {
        or_panic(self.try_inserted("inserted", axis, size))
    }

    /// This shape without `axis`.
    ///
    /// # Panics
    /// If there is no such axis.
    #[track_caller]
    #[must_use]
    pub fn removed(&self, axis: usize) -> Self {
        or_panic(self.check_axis("removed", axis));
        // Not checked again: a size of 0 counted as 1, so that without the axis there are no more elements than with it.
        let dims = std::array::from_fn(|i| match i {
            _ if i < axis => self.dims[i],
            _ if i + 1 < MAX_RANK => self.dims[i + 1],
            _ => 1,
        });
        Self { dims, rank: self.rank - 1 }
    }

    /// Validates sizes on behalf of `op`.
    pub(crate) fn checked(op: &'static str, dims: &[usize]) -> Result<Self, Error> {
        if dims.len() > MAX_RANK {
            return Err(Error::Rank { op, max: MAX_RANK, found: dims.len(), dims: dims.into() });
        }
        // A size of 0 counts as 1: then strides of an empty shape cannot overflow either.
        let numel = dims.iter().try_fold(1_usize, |product, &dim| product.checked_mul(dim.max(1)));
        if numel.is_none_or(|numel| numel > isize::MAX as usize) {
            return Err(Error::TooLarge { op, dims: dims.into() });
        }
        let mut inline = [1; MAX_RANK];
        inline[..dims.len()].copy_from_slice(dims);
        Ok(Self { dims: inline, rank: dims.len() as u8 })
    }

    /// This shape with `size` in place of the size of `axis`. `op` is named in the error.
    ///
    /// # Errors
    /// If there is no such axis, or if the number of elements does not fit in `isize`.
    pub fn try_with_axis(&self, op: &'static str, axis: usize, size: usize) -> Result<Self, Error> {
        self.check_axis(op, axis)?;
        let mut shape = *self;
        shape.dims[axis] = size;
        // Fewer elements than before need no check; a size of 0 counted as 1.
        if size <= self.dims[axis].max(1) { Ok(shape) } else { Self::checked(op, &shape) }
    }

    pub(crate) fn try_inserted(&self, op: &'static str, axis: usize, size: usize) -> Result<Self, Error> {
        let rank = self.rank();
        if axis > rank {
            return Err(Error::NewAxis { op, axis, shape: Box::new(*self) });
        }
        let mut dims = [size; MAX_RANK + 1];
        dims[..axis].copy_from_slice(&self[..axis]);
        dims[axis + 1..=rank].copy_from_slice(&self[axis..]);
        Self::checked(op, &dims[..=rank])
    }

    /// The axes of this shape, then others.
    pub(crate) fn followed_by(&self, op: &'static str, others: &[usize]) -> Result<Self, Error> {
        let mut dims = [0; 2 * MAX_RANK];
        dims[..self.rank()].copy_from_slice(self);
        dims[self.rank()..][..others.len()].copy_from_slice(others);
        Self::checked(op, &dims[..self.rank() + others.len()])
    }

    /// The shape with size 1 along the chosen axes.
    pub(crate) fn with_ones(&self, chosen: [bool; MAX_RANK]) -> Self {
        let mut shape = *self;
        shape.dims.iter_mut().zip(chosen).filter(|&(_, chosen)| chosen).for_each(|(dim, _)| *dim = 1);
        shape
    }

    #[inline]
    pub(crate) fn check_axis(&self, op: &'static str, axis: usize) -> Result<(), Error> {
        if axis < self.rank() { Ok(()) } else { Err(Error::Axis { op, axis, shape: Box::new(*self) }) }
    }
}

impl<const R: usize> From<[usize; R]> for Shape {
    /// The rank is checked when compiling.
    ///
    /// # Panics
    /// If the product of the sizes does not fit in `isize`; [`Shape::new`] returns the error.
    #[track_caller]
    fn from(dims: [usize; R]) -> Self {
        const { assert!(R <= MAX_RANK, "a shape has at most MAX_RANK axes") };
        or_panic(Self::new(&dims))
    }
}
