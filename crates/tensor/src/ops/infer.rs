//! The shape of a result from the shapes of its operands, without any elements: what a recorder of operations needs.

use crate::loops::reduce::Reduced;
use crate::shape::layout::Layout;
use crate::storage::buffer::reserve;
use crate::{Element, Error, MAX_RANK, Shape, Tensor};

/// Shapes of results. Each function takes the name of the operation that its error is to give, and fails where the
/// tensor function of the same purpose does.
impl Shape {
    /// This shape, if it has `axis`.
    ///
    /// # Errors
    /// If it has no such axis.
    pub fn require_axis(&self, op: &'static str, axis: usize) -> Result<Self, Error> {
        self.check_axis(op, axis).map(|()| *self)
    }

    /// This shape, if it has at least `min` axes.
    ///
    /// # Errors
    /// If it has fewer.
    pub fn require_rank(&self, op: &'static str, min: usize) -> Result<Self, Error> {
        if self.rank() >= min {
            Ok(*self)
        } else {
            Err(Error::TooFewAxes { op, min, shape: Box::new(*self) })
        }
    }

    /// Refuses a shape of which memory holds no tensor.
    ///
    /// # Errors
    /// If its elements take more than `isize::MAX` bytes, or if the system refuses as many.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Shape;
    ///
    /// let shape = Shape::from([1 << 40, 1 << 20]);
    /// assert_eq!(
    ///     shape.require_memory::<f64>("pad").unwrap_err().to_string(),
    ///     "pad: expected a tensor that fits in memory, found [1099511627776, 1048576] of 8 bytes each",
    /// );
    /// ```
    #[inline]
    pub fn require_memory<E: Element>(&self, op: &'static str) -> Result<(), Error> {
        /// Bytes that are asked for instead of being looked at: no system refuses fewer to a process that can go on.
        const ASKED: usize = 64 << 20;
        if self.numel() > ASKED / size_of::<E>().max(1) {
            reserve::<E>(op, self)?;
        }
        Ok(())
    }

    /// The shape with its axes in another order.
    ///
    /// # Errors
    /// If `axes` is not a permutation.
    pub fn permuted(&self, op: &'static str, axes: &[usize]) -> Result<Self, Error> {
        Layout::contiguous(*self).permuted(op, axes).map(|layout| layout.shape)
    }

    /// Where parts of these sizes begin along `axis`, which they fill.
    ///
    /// # Errors
    /// If there is no such axis, or if the parts do not fill it.
    pub fn parted<const K: usize>(
        &self,
        op: &'static str,
        axis: usize,
        sizes: [usize; K],
    ) -> Result<[usize; K], Error> {
        let (shape, mut end) = (self.require_axis(op, axis)?, 0_usize);
        let starts = sizes.map(|size| {
            let start = end;
            end = end.saturating_add(size);
            start
        });
        if end == shape[axis] {
            return Ok(starts);
        }
        Err(Error::Parts { op, axis, sizes: sizes.to_vec(), shape: Box::new(shape) })
    }

    /// The size of each of `K` equal parts along `axis`.
    ///
    /// # Errors
    /// If there is no such axis, or if `K` does not divide its size.
    pub fn chunked<const K: usize>(&self, op: &'static str, axis: usize) -> Result<usize, Error> {
        let shape = self.require_axis(op, axis)?;
        match shape[axis].checked_rem(K) {
            Some(0) => Ok(shape[axis] / K),
            _ => Err(Error::Chunks { op, axis, parts: K, shape: Box::new(shape) }),
        }
    }

    /// The shape of `length` entries along `axis`, from `start`.
    ///
    /// # Errors
    /// If there is no such axis or range.
    pub fn narrowed(
        &self,
        op: &'static str,
        axis: usize,
        start: usize,
        length: usize,
    ) -> Result<Self, Error> {
        Layout::contiguous(*self).narrowed(op, axis, start, length).map(|layout| layout.shape)
    }

    /// The shape of one entry along `axis`.
    ///
    /// # Errors
    /// If there is no such axis or entry.
    pub fn selected(&self, op: &'static str, axis: usize, index: usize) -> Result<Self, Error> {
        Layout::contiguous(*self).selected(op, axis, index).map(|layout| layout.shape)
    }

    /// The shape without an axis of size 1.
    ///
    /// # Errors
    /// If there is no such axis, or if its size is not 1.
    pub fn squeezed(&self, op: &'static str, axis: usize) -> Result<Self, Error> {
        Layout::contiguous(*self).squeezed(op, axis).map(|layout| layout.shape)
    }

    /// The shape with a new axis of size 1.
    ///
    /// # Errors
    /// If `axis` is beyond the rank, or the rank at its limit.
    pub fn unsqueezed(&self, op: &'static str, axis: usize) -> Result<Self, Error> {
        self.try_inserted(op, axis, 1)
    }

    /// `target`, if this shape broadcasts to it.
    ///
    /// # Errors
    /// If it does not.
    pub fn broadcast_to(&self, op: &'static str, target: Shape) -> Result<Self, Error> {
        Layout::contiguous(*self).broadcast(op, &target).map(|layout| layout.shape)
    }

    /// `target`, if it has as many elements.
    ///
    /// # Errors
    /// If it has not.
    pub fn reshaped(&self, op: &'static str, target: Shape) -> Result<Self, Error> {
        if target.numel() == self.numel() {
            return Ok(target);
        }
        Err(Error::Reshape { op, shape: Box::new(*self), found: Box::new(target) })
    }

    /// The shape reduced over some axes, which stay with size 1.
    ///
    /// # Errors
    /// If there is no such axis, or if one is named twice.
    pub fn reduced(&self, op: &'static str, axes: &[usize]) -> Result<Self, Error> {
        let reduced = chosen(op, self, axes)?;
        Ok((0..self.rank()).filter(|&axis| reduced[axis]).fold(*self, |shape, axis| shape.with_axis(axis, 1)))
    }

    /// As [`reduced`](Self::reduced), for a reduction that needs elements.
    ///
    /// # Errors
    /// As there, and if a reduced axis has size 0.
    pub fn reduced_non_empty(&self, op: &'static str, axes: &[usize]) -> Result<Self, Error> {
        let shape = self.reduced(op, axes)?;
        if axes.iter().any(|&axis| self[axis] == 0) {
            return Err(Error::EmptyReduction { op, shape: Box::new(*self) });
        }
        Ok(shape)
    }

    /// The shape of a matrix product: `[.., m, k] · [.., k, n] -> [.., m, n]`, both of rank 2 or more.
    ///
    /// # Errors
    /// If the sizes do not fit, or a rank is lower.
    pub fn matmul(&self, op: &'static str, other: &Shape) -> Result<Self, Error> {
        let [m, k] = self.require_rank(op, 2)?.matrix();
        let [rows, n] = other.require_rank(op, 2)?.matrix();
        if k != rows {
            return Err(Error::InnerDims { op, lhs: Box::new(*self), rhs: Box::new(*other) });
        }
        if other.rank() == 2 {
            return self.try_with_axis(op, self.rank() - 1, n);
        }
        let front = |shape: &Shape| Shape::checked(op, &shape[..shape.rank() - 2]);
        let batch = Shape::broadcast(op, &front(self)?, &front(other)?).map_err(|error| match error {
            Error::Broadcast { .. } => Error::Broadcast { op, lhs: Box::new(*self), rhs: Box::new(*other) },
            too_large => too_large,
        })?;
        batch.followed_by(op, &[m, n])
    }

    /// The shape of tensors end to end along `axis`.
    ///
    /// # Errors
    /// If there are none, if they differ in another axis, or if there is no such axis.
    pub fn concatenated(op: &'static str, shapes: &[Shape], axis: usize) -> Result<Self, Error> {
        let first = *shapes.first().ok_or(Error::NoTensors { op })?;
        first.check_axis(op, axis)?;
        let mut size = 0_usize;
        for &found in shapes {
            let agrees = |other: usize| other == axis || found[other] == first[other];
            if found.rank() != first.rank() || !(0..first.rank()).all(agrees) {
                return Err(Error::Join { op, axis, first: Box::new(first), found: Box::new(found) });
            }
            size = size.saturating_add(found[axis]);
        }
        first.try_with_axis(op, axis, size)
    }

    /// The shape of tensors side by side along a new `axis`.
    ///
    /// # Errors
    /// If there are none, if they differ, or if `axis` is beyond the rank.
    pub fn stacked(op: &'static str, shapes: &[Shape], axis: usize) -> Result<Self, Error> {
        let first = *shapes.first().ok_or(Error::NoTensors { op })?;
        if let Some(&found) = shapes.iter().find(|&&shape| shape != first) {
            return Err(Error::Expected { op, expected: Box::new(first), found: Box::new(found) });
        }
        first.try_inserted(op, axis, shapes.len())
    }

    /// The shape of rows of this table by `indices`: `[v, rest..] -> [indices.., rest..]`.
    ///
    /// # Errors
    /// If the table has no axes, or if an index is out of range.
    pub fn gathered(&self, op: &'static str, indices: &Tensor<usize>) -> Result<Self, Error> {
        let rows = self.require_rank(op, 1)?[0];
        check_rows(op, indices, rows)?;
        indices.shape().followed_by(op, &self[1..])
    }

    /// The shape of a table of `rows` rows that rows by `indices` are added to: `[indices.., rest..] -> [rows, rest..]`.
    ///
    /// # Errors
    /// If the first axes are not those of the indices, or if an index is out of range.
    pub fn scattered(&self, op: &'static str, rows: usize, indices: &Tensor<usize>) -> Result<Self, Error> {
        let rest = self.strip_prefix(indices.dims()).ok_or_else(|| Error::Prefix {
            op,
            indices: Box::new(indices.shape()),
            found: Box::new(*self),
        })?;
        check_rows(op, indices, rows)?;
        let mut dims = [rows; MAX_RANK + 1];
        dims[1..=rest.len()].copy_from_slice(rest);
        Self::checked(op, &dims[..=rest.len()])
    }

    /// The last two sizes.
    fn matrix(&self) -> [usize; 2] {
        [self[self.rank() - 2], self[self.rank() - 1]]
    }
}

/// The axes that a reduction over `axes` removes.
pub(super) fn chosen(op: &'static str, shape: &Shape, axes: &[usize]) -> Result<Reduced, Error> {
    let mut reduced = [false; MAX_RANK];
    for &axis in axes {
        shape.check_axis(op, axis)?;
        if std::mem::replace(&mut reduced[axis], true) {
            return Err(Error::RepeatedAxis { op, axes: axes.into(), shape: Box::new(*shape) });
        }
    }
    Ok(reduced)
}

/// Checks that each index is that of one of `limit` rows.
fn check_rows(op: &'static str, indices: &Tensor<usize>, limit: usize) -> Result<(), Error> {
    let Some((flat, index)) = indices.iter().enumerate().find(|&(_, index)| index >= limit) else {
        return Ok(());
    };
    let at = indices.shape().unravel(flat).into();
    Err(Error::RowIndex { op, limit, index, at, indices: Box::new(indices.shape()) })
}
