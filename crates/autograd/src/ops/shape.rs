//! Other shapes of the same elements.

use retrograde_tensor::{Float, Shape, Tensor};

use crate::Result;
use crate::op::Op;
use crate::var::{Var, or_panic};

impl<'t, E: Float> Var<'t, E> {
    /// The same elements, in row-major order, in another shape.
    ///
    /// # Shapes
    /// `[..] -> shape`
    ///
    /// # Derivative
    /// `g` in the operand's shape.
    ///
    /// # Panics
    /// If the number of elements differs; [`try_reshape`](Self::try_reshape) returns that as an error.
    #[track_caller]
    pub fn reshape(&self, shape: impl Into<Shape>) -> Self {
        or_panic(self.try_reshape(shape))
    }

    /// As [`reshape`](Self::reshape).
    ///
    /// # Errors
    /// If the number of elements differs.
    #[track_caller]
    pub fn try_reshape(&self, shape: impl Into<Shape>) -> Result<Self> {
        self.try_unary(Op::Reshape(shape.into()))
    }

    /// The axes in another order: axis `i` of the result is axis `axes[i]`.
    ///
    /// # Shapes
    /// `[d0, d1, ..] -> [d_axes[0], d_axes[1], ..]`
    ///
    /// # Derivative
    /// `g`, permuted back.
    ///
    /// # Panics
    /// If `axes` is not a permutation; [`try_permute`](Self::try_permute) returns that as an error.
    #[track_caller]
    pub fn permute(&self, axes: &[usize]) -> Self {
        or_panic(self.try_permute(axes))
    }

    /// As [`permute`](Self::permute).
    ///
    /// # Errors
    /// If `axes` is not a permutation.
    #[track_caller]
    pub fn try_permute(&self, axes: &[usize]) -> Result<Self> {
        self.try_unary(Op::Permute(axes.to_vec()))
    }

    /// Two axes change places.
    ///
    /// # Shapes
    /// `[.., a, .., b, ..] -> [.., b, .., a, ..]`
    ///
    /// # Derivative
    /// `g`, transposed back.
    ///
    /// # Panics
    /// If an axis is out of range; [`try_transpose`](Self::try_transpose) returns that as an error.
    #[track_caller]
    pub fn transpose(&self, a: usize, b: usize) -> Self {
        or_panic(self.try_transpose(a, b))
    }

    /// As [`transpose`](Self::transpose).
    ///
    /// # Errors
    /// If an axis is out of range.
    #[track_caller]
    pub fn try_transpose(&self, a: usize, b: usize) -> Result<Self> {
        self.shape().require_axis("transpose", a)?.require_axis("transpose", b)?;
        let mut axes: Vec<usize> = (0..self.shape().rank()).collect();
        axes.swap(a, b);
        self.try_permute(&axes)
    }

    /// The last two axes change places.
    ///
    /// # Shapes
    /// `[.., m, n] -> [.., n, m]`
    ///
    /// # Derivative
    /// `gᵀ`.
    ///
    /// # Panics
    /// If the rank is below 2; [`try_t`](Self::try_t) returns that as an error.
    #[track_caller]
    pub fn t(&self) -> Self {
        or_panic(self.try_t())
    }

    /// As [`t`](Self::t).
    ///
    /// # Errors
    /// If the rank is below 2.
    #[track_caller]
    pub fn try_t(&self) -> Result<Self> {
        let rank = self.shape().require_rank("t", 2)?.rank();
        self.try_transpose(rank - 2, rank - 1)
    }

    /// Repeats along new leading axes and along axes of size 1.
    ///
    /// # Shapes
    /// `[..] -> shape`
    ///
    /// # Derivative
    /// `g`, summed over what was repeated.
    ///
    /// # Panics
    /// If the shape does not broadcast to `shape`; [`try_broadcast_to`](Self::try_broadcast_to) returns that as an error.
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl Into<Shape>) -> Self {
        or_panic(self.try_broadcast_to(shape))
    }

    /// As [`broadcast_to`](Self::broadcast_to).
    ///
    /// # Errors
    /// If the shape does not broadcast to `shape`.
    #[track_caller]
    pub fn try_broadcast_to(&self, shape: impl Into<Shape>) -> Result<Self> {
        self.try_unary(Op::BroadcastTo(shape.into()))
    }

    /// `length` entries along `axis`, from `start`.
    ///
    /// # Shapes
    /// `[.., n, ..] -> [.., length, ..]`
    ///
    /// # Derivative
    /// `g` in its place, 0 elsewhere.
    ///
    /// # Panics
    /// If the range does not lie within the axis; [`try_narrow`](Self::try_narrow) returns that as an error.
    #[track_caller]
    pub fn narrow(&self, axis: usize, start: usize, length: usize) -> Self {
        or_panic(self.try_narrow(axis, start, length))
    }

    /// As [`narrow`](Self::narrow).
    ///
    /// # Errors
    /// If the range does not lie within the axis.
    #[track_caller]
    pub fn try_narrow(&self, axis: usize, start: usize, length: usize) -> Result<Self> {
        self.try_unary(Op::Narrow { axis, start, length })
    }

    /// Zeros of size `size` along `axis`, with the operand placed from `start`.
    ///
    /// # Shapes
    /// `[.., n, ..] -> [.., size, ..]`
    ///
    /// # Derivative
    /// The part of `g` where the operand was placed.
    ///
    /// # Panics
    /// If the operand does not fit there; [`try_pad`](Self::try_pad) returns that as an error.
    #[track_caller]
    pub fn pad(&self, axis: usize, start: usize, size: usize) -> Self {
        or_panic(self.try_pad(axis, start, size))
    }

    /// As [`pad`](Self::pad).
    ///
    /// # Errors
    /// If the operand does not fit there.
    #[track_caller]
    pub fn try_pad(&self, axis: usize, start: usize, size: usize) -> Result<Self> {
        self.try_unary(Op::Pad { axis, start, size })
    }

    /// Entry `index` along `axis`, which disappears: `xs[:, t]` is `xs.select(1, t)`.
    ///
    /// # Shapes
    /// `[.., n, ..] -> [.., ..]`
    ///
    /// # Derivative
    /// `g` in its place, 0 elsewhere.
    ///
    /// # Panics
    /// If the axis or the index is out of range; [`try_select`](Self::try_select) returns that as an error.
    #[track_caller]
    pub fn select(&self, axis: usize, index: usize) -> Self {
        or_panic(self.try_select(axis, index))
    }

    /// As [`select`](Self::select).
    ///
    /// # Errors
    /// If the axis or the index is out of range.
    #[track_caller]
    pub fn try_select(&self, axis: usize, index: usize) -> Result<Self> {
        self.try_unary(Op::Select { axis, index })
    }

    /// Drops an axis of size 1.
    ///
    /// # Shapes
    /// `[.., 1, ..] -> [.., ..]`
    ///
    /// # Derivative
    /// `g` in the operand's shape.
    ///
    /// # Panics
    /// If the axis is out of range or its size is not 1; [`try_squeeze`](Self::try_squeeze) returns that as an error.
    #[track_caller]
    pub fn squeeze(&self, axis: usize) -> Self {
        or_panic(self.try_squeeze(axis))
    }

    /// As [`squeeze`](Self::squeeze).
    ///
    /// # Errors
    /// If the axis is out of range or its size is not 1.
    #[track_caller]
    pub fn try_squeeze(&self, axis: usize) -> Result<Self> {
        let shape = self.shape().squeezed("squeeze", axis)?;
        self.try_reshape(shape)
    }

    /// Inserts an axis of size 1.
    ///
    /// # Shapes
    /// `[.., ..] -> [.., 1, ..]`
    ///
    /// # Derivative
    /// `g` in the operand's shape.
    ///
    /// # Panics
    /// If the axis is out of range or the rank is at its limit; [`try_unsqueeze`](Self::try_unsqueeze) returns that as an error.
    #[track_caller]
    pub fn unsqueeze(&self, axis: usize) -> Self {
        or_panic(self.try_unsqueeze(axis))
    }

    /// As [`unsqueeze`](Self::unsqueeze).
    ///
    /// # Errors
    /// If the axis is out of range or the rank is at its limit.
    #[track_caller]
    pub fn try_unsqueeze(&self, axis: usize) -> Result<Self> {
        let shape = self.shape().unsqueezed("unsqueeze", axis)?;
        self.try_reshape(shape)
    }

    /// Variables of one shape, side by side along a new axis.
    ///
    /// # Shapes
    /// T times `[..] -> [.., T, ..]`
    ///
    /// # Derivative
    /// Entry `i` of `g` for part `i`.
    ///
    /// # Panics
    /// If there is no part, if shapes differ, or the axis is out of range; [`try_stack`](Self::try_stack) returns that as an error.
    #[track_caller]
    pub fn stack(parts: &[Self], axis: usize) -> Self {
        or_panic(Self::try_stack(parts, axis))
    }

    /// As [`stack`](Self::stack).
    ///
    /// # Errors
    /// If there is no part, if shapes differ, or the axis is out of range.
    #[track_caller]
    pub fn try_stack(parts: &[Self], axis: usize) -> Result<Self> {
        let first = parts.first().ok_or(retrograde_tensor::Error::NoTensors { op: "stack" })?;
        first.tape().apply(Op::Stack { axis }, &parts.iter().collect::<Vec<_>>())
    }

    /// Variables end to end along an axis.
    ///
    /// # Shapes
    /// `[.., a, ..], [.., b, ..] -> [.., a + b, ..]`
    ///
    /// # Derivative
    /// The part of `g` that came from each.
    ///
    /// # Panics
    /// If there is no part, if shapes differ off the axis, or it is out of range; [`try_concat`](Self::try_concat) returns that as an error.
    #[track_caller]
    pub fn concat(parts: &[Self], axis: usize) -> Self {
        or_panic(Self::try_concat(parts, axis))
    }

    /// As [`concat`](Self::concat).
    ///
    /// # Errors
    /// If there is no part, if shapes differ off the axis, or it is out of range.
    #[track_caller]
    pub fn try_concat(parts: &[Self], axis: usize) -> Result<Self> {
        let first = parts.first().ok_or(retrograde_tensor::Error::NoTensors { op: "concat" })?;
        let mut end = 0;
        let starts = parts
            .iter()
            .map(|part| {
                let start = end;
                end += part.shape().require_axis("concat", axis)?[axis];
                Ok(start)
            })
            .collect::<Result<Vec<usize>>>()?;
        first.tape().apply(Op::Concat { axis, starts }, &parts.iter().collect::<Vec<_>>())
    }

    /// Rows by index, as an embedding looks them up.
    ///
    /// # Shapes
    /// `[V, ..], [indices..] -> [indices.., ..]`
    ///
    /// # Derivative
    /// `g`, each row added up where it came from.
    ///
    /// # Panics
    /// If an index is out of range; [`try_gather_rows`](Self::try_gather_rows) returns that as an error.
    #[track_caller]
    pub fn gather_rows(&self, indices: &Tensor<usize>) -> Self {
        or_panic(self.try_gather_rows(indices))
    }

    /// As [`gather_rows`](Self::gather_rows).
    ///
    /// # Errors
    /// If an index is out of range.
    #[track_caller]
    pub fn try_gather_rows(&self, indices: &Tensor<usize>) -> Result<Self> {
        self.try_unary(Op::Gather(Box::new(indices.clone())))
    }

    /// Rows added up by index into a table of `rows` rows: the transpose of [`gather_rows`](Self::gather_rows).
    ///
    /// # Shapes
    /// `[indices.., ..] -> [rows, ..]`
    ///
    /// # Derivative
    /// `g`, gathered.
    ///
    /// # Panics
    /// If an index is out of range or the leading axes are not those of `indices`; [`try_scatter_add_rows`](Self::try_scatter_add_rows) returns that as an error.
    #[track_caller]
    pub fn scatter_add_rows(&self, rows: usize, indices: &Tensor<usize>) -> Self {
        or_panic(self.try_scatter_add_rows(rows, indices))
    }

    /// As [`scatter_add_rows`](Self::scatter_add_rows).
    ///
    /// # Errors
    /// If an index is out of range or the leading axes are not those of `indices`.
    #[track_caller]
    pub fn try_scatter_add_rows(&self, rows: usize, indices: &Tensor<usize>) -> Result<Self> {
        self.try_unary(Op::Scatter { rows, indices: Box::new(indices.clone()) })
    }
}
