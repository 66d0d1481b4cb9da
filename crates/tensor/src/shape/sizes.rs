//! A shape: a list of sizes, stored inline.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;

/// The greatest number of axes of a tensor.
pub const MAX_RANK: usize = 6;

/// The sizes of a tensor's axes, stored inline.
///
/// A shape dereferences to a slice of its sizes. Its number of elements always fits in `isize`.
///
/// # Example
/// ```
/// use retrograde_tensor::Shape;
///
/// let shape = Shape::from([2, 3]);
/// assert_eq!((shape.rank(), shape.numel(), shape[1]), (2, 6, 3));
/// assert_eq!(shape.to_string(), "[2, 3]");
/// ```
#[derive(Clone, Copy)]
pub struct Shape {
    pub(super) dims: [usize; MAX_RANK],
    pub(super) rank: u8,
}

impl Shape {
    /// The number of axes.
    #[inline]
    #[must_use]
    pub fn rank(&self) -> usize {
        usize::from(self.rank)
    }

    /// The number of elements: the product of the sizes, 1 for a scalar.
    #[inline]
    #[must_use]
    pub fn numel(&self) -> usize {
        self.iter().product()
    }

    /// Returns the index of an element from its place in row-major order.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Shape;
    ///
    /// assert_eq!(Shape::from([2, 3]).unravel(4), [1, 1]);
    /// ```
    #[must_use]
    pub fn unravel(&self, flat: usize) -> Vec<usize> {
        let (mut index, mut rest) = (vec![0; self.rank()], flat);
        for (i, &dim) in index.iter_mut().zip(self.iter()).rev() {
            (*i, rest) = (rest % dim, rest / dim);
        }
        index
    }

    pub(crate) fn swap(&mut self, a: usize, b: usize) {
        self.dims.swap(a, b);
    }

    /// The size of an axis counted from the last one, 1 beyond the first.
    pub(super) fn size_back(&self, back: usize) -> usize {
        if back < self.rank() { self.dims[self.rank() - 1 - back] } else { 1 }
    }
}

impl Deref for Shape {
    type Target = [usize];

    #[inline]
    fn deref(&self) -> &[usize] {
        &self.dims[..self.rank()]
    }
}

impl From<&Shape> for Shape {
    fn from(shape: &Shape) -> Self {
        *shape
    }
}

impl PartialEq for Shape {
    #[inline]
    fn eq(&self, other: &Self) -> bool {
        // Sizes beyond the rank are 1. Six comparisons without a branch are faster than a call to compare memory.
        self.dims.iter().zip(&other.dims).fold(self.rank == other.rank, |same, (a, b)| same & (a == b))
    }
}

impl Eq for Shape {}

impl Hash for Shape {
    fn hash<S: Hasher>(&self, state: &mut S) {
        (**self).hash(state);
    }
}

impl fmt::Display for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[")?;
        for (axis, dim) in self.iter().enumerate() {
            if axis > 0 {
                f.write_str(", ")?;
            }
            write!(f, "{dim}")?;
        }
        f.write_str("]")
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
