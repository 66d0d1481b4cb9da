//! The places of elements in storage, row by row, for any number of operands.

use crate::shape::layout::Layout;
use crate::{MAX_RANK, Shape};

/// An iterator over the elements of `K` operands of one shape, in row-major order, with as few loops as their strides allow:
/// axes of size 1 are dropped, and neighbouring axes that every operand steps through evenly become one.
///
/// The innermost loop is left to the caller, as a *row*: a place in each operand's storage, one stride for each, one
/// length. Contiguous operands are a single row; a broadcast row, column or scalar shows as stride 0 or as a
/// row that repeats. Iterating yields the places of the rows.
#[derive(Clone)]
pub(crate) struct StridedIter<const K: usize> {
    /// The length of each row.
    pub(crate) len: usize,
    /// The stride of each operand within a row.
    pub(crate) strides: [isize; K],
    places: [usize; K],
    index: [usize; MAX_RANK],
    done: bool,
    outer_rank: usize,
    outer_dims: [usize; MAX_RANK],
    outer_strides: [[isize; K]; MAX_RANK],
}

impl<const K: usize> StridedIter<K> {
    /// Loops over operands that already have the same shape.
    #[inline]
    pub(crate) fn new(shape: &Shape, operands: [&Layout; K]) -> Self {
        let mut walk = Self {
            len: 1,
            strides: [0; K],
            places: operands.map(|layout| layout.offset),
            index: [0; MAX_RANK],
            done: shape.numel() == 0,
            outer_rank: 0,
            outer_dims: [1; MAX_RANK],
            outer_strides: [[0; K]; MAX_RANK],
        };
        if walk.done {
            return walk;
        }
        for axis in (0..shape.rank()).rev() {
            let dim = shape[axis];
            if dim == 1 {
                continue;
            }
            walk.enclose(dim, operands.map(|layout| layout.strides()[axis]));
        }
        walk
    }

    /// Whether there is a single row.
    pub(crate) fn is_row(&self) -> bool {
        self.outer_rank == 0
    }

    /// Removes the innermost of the outer loops, and returns its length and strides.
    pub(crate) fn take_outer(&mut self) -> (usize, [isize; K]) {
        let taken = (self.outer_dims[0], self.outer_strides[0]);
        self.outer_dims.copy_within(1.., 0);
        self.outer_strides.copy_within(1.., 0);
        self.outer_rank -= 1;
        taken
    }

    /// Adds a loop around the outermost one, or makes that one longer.
    fn enclose(&mut self, dim: usize, strides: [isize; K]) {
        if self.len == 1 {
            (self.len, self.strides) = (dim, strides);
            return;
        }
        let (last_dim, last_strides) = match self.outer_rank {
            0 => (&mut self.len, &self.strides),
            rank => (&mut self.outer_dims[rank - 1], &self.outer_strides[rank - 1]),
        };
        let even =
            strides.iter().zip(last_strides).all(|(&outer, &inner)| outer == inner * *last_dim as isize);
        if even {
            *last_dim *= dim;
        } else {
            self.outer_dims[self.outer_rank] = dim;
            self.outer_strides[self.outer_rank] = strides;
            self.outer_rank += 1;
        }
    }
}

impl<const K: usize> Iterator for StridedIter<K> {
    /// The place of the next row in each operand.
    type Item = [usize; K];

    #[inline]
    fn next(&mut self) -> Option<[usize; K]> {
        if self.done {
            return None;
        }
        let places = self.places;
        // Loop 0 is the innermost of the outer ones: an odometer.
        for axis in 0..self.outer_rank {
            let dim = self.outer_dims[axis];
            self.index[axis] += 1;
            let carry = self.index[axis] == dim;
            let steps = if carry { 1 - dim as isize } else { 1 };
            for (place, stride) in self.places.iter_mut().zip(&self.outer_strides[axis]) {
                *place = place.wrapping_add_signed(steps * stride);
            }
            if !carry {
                return Some(places);
            }
            self.index[axis] = 0;
        }
        self.done = true;
        Some(places)
    }
}

/// The places of the elements of one row.
pub(crate) fn steps(start: usize, stride: isize, len: usize) -> impl Iterator<Item = usize> {
    (0..len as isize).map(move |i| start.wrapping_add_signed(i * stride))
}

/// The elements of one row.
pub(crate) fn row<E: Copy>(data: &[E], start: usize, stride: isize, len: usize) -> impl Iterator<Item = E> {
    steps(start, stride, len).map(|place| data[place])
}
