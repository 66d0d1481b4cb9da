//! Strides and offsets.

use crate::{Error, MAX_RANK, Shape};

/// Where the elements of a tensor lie in its storage: element `i` at `offset + Σ iₖ·strideₖ`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Layout {
    pub(crate) shape: Shape,
    strides: [isize; MAX_RANK],
    pub(crate) offset: usize,
}

impl Layout {
    /// Row-major from the start of the storage.
    #[inline]
    pub(crate) fn contiguous(shape: Shape) -> Self {
        // Sizes beyond the rank are 1: a loop of known length is faster.
        let mut strides = [1; MAX_RANK];
        for axis in (1..MAX_RANK).rev() {
            strides[axis - 1] = strides[axis] * shape.dims[axis].max(1) as isize;
        }
        Self { shape, strides, offset: 0 }
    }

    /// The same layout from another offset.
    #[inline]
    pub(crate) fn at(&self, offset: usize) -> Self {
        Self { offset, ..*self }
    }

    #[inline]
    pub(crate) fn strides(&self) -> &[isize] {
        &self.strides[..self.shape.rank()]
    }

    /// Whether the elements lie next to each other in row-major order. Strides of axes of size 1 do not matter.
    #[inline]
    pub(crate) fn is_contiguous(&self) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let mut step = 1;
        self.shape.iter().zip(self.strides()).rev().all(|(&dim, &stride)| {
            let fits = dim == 1 || stride == step;
            step *= dim as isize;
            fits
        })
    }

    /// Whether neighbours in storage are not neighbours in a row, but further apart, as in a transposed matrix.
    pub(crate) fn is_transposed(&self) -> bool {
        let axes = self.shape.iter().zip(self.strides()).rev().filter(|&(&dim, _)| dim > 1);
        let mut strides = axes.map(|(_, stride)| stride.unsigned_abs());
        let apart = strides.next().is_some_and(|last| last > 1 && strides.any(|s| 0 < s && s < last));
        apart && !self.shape.contains(&0)
    }

    /// The place of an element, whose index has been checked.
    pub(crate) fn place(&self, index: &[usize]) -> usize {
        let shift: isize = index.iter().zip(self.strides()).map(|(&i, &stride)| i as isize * stride).sum();
        self.offset.wrapping_add_signed(shift)
    }

    pub(crate) fn check_index(&self, op: &'static str, index: &[usize]) -> Result<(), Error> {
        if index.len() == self.shape.rank() && index.iter().zip(self.shape.iter()).all(|(&i, &dim)| i < dim) {
            return Ok(());
        }
        Err(Error::Index { op, index: index.into(), shape: Box::new(self.shape) })
    }

    pub(crate) fn permuted(&self, op: &'static str, axes: &[usize]) -> Result<Self, Error> {
        let rank = self.shape.rank();
        let mut seen = [false; MAX_RANK];
        let valid = axes.len() == rank
            && axes.iter().all(|&axis| axis < rank && !std::mem::replace(&mut seen[axis], true));
        if !valid {
            return Err(Error::Permutation { op, axes: axes.into(), shape: Box::new(self.shape) });
        }
        let mut dims = [1; MAX_RANK];
        let mut strides = [0; MAX_RANK];
        for (to, &from) in axes.iter().enumerate() {
            dims[to] = self.shape[from];
            strides[to] = self.strides[from];
        }
        Ok(Self { shape: Shape::checked(op, &dims[..rank])?, strides, offset: self.offset })
    }

    /// The chosen axes alone, from another offset.
    pub(crate) fn only(&self, offset: usize, chosen: [bool; MAX_RANK]) -> Self {
        let mut dims = [1; MAX_RANK];
        let mut strides = [0; MAX_RANK];
        let mut rank = 0;
        for axis in (0..self.shape.rank()).filter(|&axis| chosen[axis]) {
            (dims[rank], strides[rank]) = (self.shape[axis], self.strides[axis]);
            rank += 1;
        }
        let shape = Shape::checked("axes", &dims[..rank]).expect("no larger than the whole shape");
        Self { shape, strides, offset }
    }

    /// The axes in front of the last two.
    pub(crate) fn batch(&self) -> Self {
        self.only(self.offset, std::array::from_fn(|axis| axis + 2 < self.shape.rank()))
    }

    #[inline]
    pub(crate) fn swapped(&self, op: &'static str, a: usize, b: usize) -> Result<Self, Error> {
        self.shape.check_axis(op, a)?;
        self.shape.check_axis(op, b)?;
        let mut layout = *self;
        layout.shape.swap(a, b);
        layout.strides.swap(a, b);
        Ok(layout)
    }

    pub(crate) fn narrowed(
        &self,
        op: &'static str,
        axis: usize,
        start: usize,
        len: usize,
    ) -> Result<Self, Error> {
        self.shape.check_axis(op, axis)?;
        if start.checked_add(len).is_none_or(|end| end > self.shape[axis]) {
            return Err(Error::Range { op, axis, start, len, shape: Box::new(self.shape) });
        }
        let mut layout = *self;
        layout.shape = self.shape.with_axis(axis, len);
        layout.offset = self.shifted(axis, start, &layout.shape);
        Ok(layout)
    }

    pub(crate) fn selected(&self, op: &'static str, axis: usize, index: usize) -> Result<Self, Error> {
        self.shape.check_axis(op, axis)?;
        if index >= self.shape[axis] {
            return Err(Error::AxisIndex { op, axis, index, shape: Box::new(self.shape) });
        }
        let mut layout = self.removed(axis);
        layout.offset = self.shifted(axis, index, &layout.shape);
        Ok(layout)
    }

    pub(crate) fn squeezed(&self, op: &'static str, axis: usize) -> Result<Self, Error> {
        self.shape.check_axis(op, axis)?;
        if self.shape[axis] != 1 {
            return Err(Error::SizeOne { op, axis, shape: Box::new(self.shape) });
        }
        Ok(self.removed(axis))
    }

    pub(crate) fn unsqueezed(&self, op: &'static str, axis: usize) -> Result<Self, Error> {
        let shape = self.shape.try_inserted(op, axis, 1)?;
        let mut strides = self.strides;
        strides.copy_within(axis..MAX_RANK - 1, axis + 1);
        strides[axis] = 0;
        Ok(Self { shape, strides, offset: self.offset })
    }

    pub(crate) fn flipped(&self, op: &'static str, axis: usize) -> Result<Self, Error> {
        self.shape.check_axis(op, axis)?;
        let mut layout = *self;
        layout.offset = self.shifted(axis, self.shape[axis].saturating_sub(1), &self.shape);
        layout.strides[axis] = -self.strides[axis];
        Ok(layout)
    }

    /// Axes of size 1, and those in front that are missing, repeat with stride 0.
    pub(crate) fn broadcast(&self, op: &'static str, target: &Shape) -> Result<Self, Error> {
        if self.shape == *target {
            return Ok(*self);
        }
        let mut strides = [0; MAX_RANK];
        let fits = target.rank().checked_sub(self.shape.rank()).is_some_and(|lead| {
            self.shape.iter().zip(self.strides()).enumerate().all(|(axis, (&dim, &stride))| {
                let wanted = target[lead + axis];
                strides[lead + axis] = if dim == wanted { stride } else { 0 };
                dim == wanted || dim == 1
            })
        });
        if !fits {
            return Err(Error::BroadcastTo { op, target: Box::new(*target), found: Box::new(self.shape) });
        }
        let offset = if target.numel() == 0 { 0 } else { self.offset };
        Ok(Self { shape: *target, strides, offset })
    }

    /// The same elements in the same order in another shape, if strides can say so.
    pub(crate) fn reshaped(&self, shape: &Shape) -> Option<Self> {
        let mut strides = Self::contiguous(*shape).strides;
        let offset = self.offset;
        if self.is_contiguous() {
            return Some(Self { shape: *shape, strides, offset });
        }
        // Axes of size 1 carry no information on either side.
        let kept = |shape: &Shape| (0..shape.rank()).rev().filter(|&axis| shape[axis] != 1).collect::<Axes>();
        let (old, new) = (kept(&self.shape), kept(shape));
        // From the last axis on, groups of old axes are matched with groups of new ones of the same product.
        let (mut i, mut j) = (0, 0);
        while i < old.len {
            let (mut from, mut to) = (self.shape[old.axes[i]], shape[new.axes[j]]);
            let (first_old, first_new) = (i, j);
            while from != to {
                if from < to {
                    i += 1;
                    let (axis, inner) = (old.axes[i], old.axes[i - 1]);
                    if self.strides[axis] != self.strides[inner] * self.shape[inner] as isize {
                        return None;
                    }
                    from *= self.shape[axis];
                } else {
                    j += 1;
                    to *= shape[new.axes[j]];
                }
            }
            let mut step = self.strides[old.axes[first_old]];
            for &axis in &new.axes[first_new..=j] {
                strides[axis] = step;
                step *= shape[axis] as isize;
            }
            (i, j) = (i + 1, j + 1);
        }
        Some(Self { shape: *shape, strides, offset })
    }

    /// The offset of `start` along an axis; that of an empty layout stays 0, it is never read.
    fn shifted(&self, axis: usize, start: usize, shape: &Shape) -> usize {
        if shape.numel() == 0 {
            return 0;
        }
        self.offset.wrapping_add_signed(start as isize * self.strides[axis])
    }

    fn removed(&self, axis: usize) -> Self {
        let strides =
            std::array::from_fn(|i| self.strides[if i < axis { i } else { (i + 1).min(MAX_RANK - 1) }]);
        Self { shape: self.shape.removed(axis), strides, offset: self.offset }
    }
}

/// A short list of axes.
#[derive(Default)]
pub(crate) struct Axes {
    axes: [usize; MAX_RANK],
    len: usize,
}

impl FromIterator<usize> for Axes {
    fn from_iter<I: IntoIterator<Item = usize>>(iter: I) -> Self {
        let mut list = Self::default();
        for axis in iter {
            list.axes[list.len] = axis;
            list.len += 1;
        }
        list
    }
}

impl std::ops::Deref for Axes {
    type Target = [usize];

    fn deref(&self) -> &[usize] {
        &self.axes[..self.len]
    }
}
