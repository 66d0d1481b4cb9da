//! Views: the same storage in another shape or order.

use crate::error::or_panic;
use crate::{Element, Error, IntoShape, Tensor};

impl<E: Element> Tensor<E> {
    /// The same elements, in row-major order, in another shape: a view where strides allow, else a copy.
    /// [`reshape`](Self::reshape) panics instead.
    ///
    /// # Errors
    /// If the number of elements differs, or if a copy does not fit in memory.
    pub fn try_reshape(&self, shape: impl IntoShape) -> Result<Self, Error> {
        let shape = self.shape().reshaped("reshape", shape.into_shape("reshape")?)?;
        Ok(match self.layout().reshaped(&shape) {
            Some(layout) => self.view(layout),
            None => Self::filled(self.copied("reshape")?, shape),
        })
    }

    /// The same elements, in row-major order, in another shape: a view where strides allow, else a copy.
    ///
    /// # Panics
    /// Where [`try_reshape`](Self::try_reshape) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.reshape([3, 2]), Tensor::from([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]));
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl IntoShape) -> Self {
        or_panic(self.try_reshape(shape))
    }

    /// The view whose axis `k` is axis `axes[k]` of this tensor. [`permute`](Self::permute) panics instead.
    ///
    /// # Errors
    /// If `axes` does not name each axis once.
    pub fn try_permute(&self, axes: &[usize]) -> Result<Self, Error> {
        Ok(self.view(self.layout().permuted("permute", axes)?))
    }

    /// The view whose axis `k` is axis `axes[k]` of this tensor.
    ///
    /// # Panics
    /// Where [`try_permute`](Self::try_permute) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::<f32>::zeros([10, 5, 3]);
    /// assert_eq!(x.permute(&[1, 0, 2]).dims(), [5, 10, 3]);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn permute(&self, axes: &[usize]) -> Self {
        or_panic(self.try_permute(axes))
    }

    /// The view with two axes swapped. [`transpose`](Self::transpose) panics instead.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn try_transpose(&self, a: usize, b: usize) -> Result<Self, Error> {
        Ok(self.view(self.layout().swapped("transpose", a, b)?))
    }

    /// The view with two axes swapped.
    ///
    /// # Panics
    /// Where [`try_transpose`](Self::try_transpose) returns an error.
    #[track_caller]
    #[must_use]
    pub fn transpose(&self, a: usize, b: usize) -> Self {
        or_panic(self.try_transpose(a, b))
    }

    /// The view with the last two axes swapped. [`t`](Self::t) panics instead.
    ///
    /// # Errors
    /// If there are fewer than two axes.
    pub fn try_t(&self) -> Result<Self, Error> {
        match self.rank() {
            0 | 1 => Err(Error::TooFewAxes { op: "t", min: 2, shape: Box::new(self.shape()) }),
            rank => Ok(self.view(self.layout().swapped("t", rank - 2, rank - 1)?)),
        }
    }

    /// The view with the last two axes swapped.
    ///
    /// # Shapes
    /// `[.., m, n] -> [.., n, m]`
    ///
    /// # Panics
    /// Where [`try_t`](Self::try_t) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.t(), Tensor::from([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn t(&self) -> Self {
        or_panic(self.try_t())
    }

    /// The view on `len` elements from `start` along an axis. [`narrow`](Self::narrow) panics instead.
    ///
    /// # Errors
    /// If there is no such axis, or if the range leaves it.
    pub fn try_narrow(&self, axis: usize, start: usize, len: usize) -> Result<Self, Error> {
        Ok(self.view(self.layout().narrowed("narrow", axis, start, len)?))
    }

    /// The view on `len` elements from `start` along an axis.
    ///
    /// # Panics
    /// Where [`try_narrow`](Self::try_narrow) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.narrow(1, 1, 2), Tensor::from([[2.0, 3.0], [5.0, 6.0]]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn narrow(&self, axis: usize, start: usize, len: usize) -> Self {
        or_panic(self.try_narrow(axis, start, len))
    }

    /// Views on consecutive parts of an axis, of these sizes. [`split`](Self::split) panics instead.
    ///
    /// # Errors
    /// If there is no such axis, or if the parts do not fill it.
    pub fn try_split<const K: usize>(&self, axis: usize, sizes: [usize; K]) -> Result<[Self; K], Error> {
        let starts = self.shape().parted("split", axis, sizes)?;
        Ok(std::array::from_fn(|i| self.narrow(axis, starts[i], sizes[i])))
    }

    /// Views on consecutive parts of an axis, of these sizes.
    ///
    /// # Panics
    /// Where [`try_split`](Self::try_split) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let [a, b] = Tensor::from([[1.0, 2.0, 3.0]]).split(1, [2, 1]);
    /// assert_eq!((a, b), (Tensor::from([[1.0, 2.0]]), Tensor::from([[3.0]])));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn split<const K: usize>(&self, axis: usize, sizes: [usize; K]) -> [Self; K] {
        or_panic(self.try_split(axis, sizes))
    }

    /// Views on `K` consecutive parts of an axis, of one size. [`chunk`](Self::chunk) panics instead.
    ///
    /// # Errors
    /// If there is no such axis, or if `K` does not divide its size.
    pub fn try_chunk<const K: usize>(&self, axis: usize) -> Result<[Self; K], Error> {
        let size = self.shape().chunked::<K>("chunk", axis)?;
        self.try_split(axis, [size; K])
    }

    /// Views on `K` consecutive parts of an axis, of one size: `let [f, g, i, o] = t.chunk(1)`.
    ///
    /// # Panics
    /// Where [`try_chunk`](Self::try_chunk) returns an error.
    #[track_caller]
    #[must_use]
    pub fn chunk<const K: usize>(&self, axis: usize) -> [Self; K] {
        or_panic(self.try_chunk(axis))
    }

    /// The view at one index of an axis, without that axis. [`select`](Self::select) panics instead.
    ///
    /// # Errors
    /// If there is no such axis, or no such index.
    pub fn try_select(&self, axis: usize, index: usize) -> Result<Self, Error> {
        Ok(self.view(self.layout().selected("select", axis, index)?))
    }

    /// The view at one index of an axis, without that axis.
    ///
    /// # Panics
    /// Where [`try_select`](Self::try_select) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
    /// assert_eq!(x.select(1, 2), Tensor::from([3.0, 6.0]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn select(&self, axis: usize, index: usize) -> Self {
        or_panic(self.try_select(axis, index))
    }

    /// The view without an axis of size 1. [`squeeze`](Self::squeeze) panics instead.
    ///
    /// # Errors
    /// If there is no such axis, or if its size is not 1.
    pub fn try_squeeze(&self, axis: usize) -> Result<Self, Error> {
        Ok(self.view(self.layout().squeezed("squeeze", axis)?))
    }

    /// The view without an axis of size 1.
    ///
    /// # Panics
    /// Where [`try_squeeze`](Self::try_squeeze) returns an error.
    #[track_caller]
    #[must_use]
    pub fn squeeze(&self, axis: usize) -> Self {
        or_panic(self.try_squeeze(axis))
    }

    /// The view with a new axis of size 1 before `axis`, which may be the rank.
    /// [`unsqueeze`](Self::unsqueeze) panics instead.
    ///
    /// # Errors
    /// If `axis` is beyond the rank, or if there would be too many axes.
    pub fn try_unsqueeze(&self, axis: usize) -> Result<Self, Error> {
        Ok(self.view(self.layout().unsqueezed("unsqueeze", axis)?))
    }

    /// The view with a new axis of size 1 before `axis`, which may be the rank.
    ///
    /// # Panics
    /// Where [`try_unsqueeze`](Self::try_unsqueeze) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::from([1.0, 2.0]);
    /// assert_eq!(x.unsqueeze(1).dims(), [2, 1]);
    /// assert_eq!(x.unsqueeze(0).squeeze(0), x);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn unsqueeze(&self, axis: usize) -> Self {
        or_panic(self.try_unsqueeze(axis))
    }

    /// The view that repeats axes of size 1, and missing ones in front, to fill a shape.
    /// [`broadcast_to`](Self::broadcast_to) panics instead.
    ///
    /// # Errors
    /// If the shape does not broadcast to the one asked for.
    pub fn try_broadcast_to(&self, shape: impl IntoShape) -> Result<Self, Error> {
        let op = "broadcast_to";
        Ok(self.view(self.layout().broadcast(op, &shape.into_shape(op)?)?))
    }

    /// The view that repeats axes of size 1, and missing ones in front, to fill a shape.
    ///
    /// # Panics
    /// Where [`try_broadcast_to`](Self::try_broadcast_to) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let b = Tensor::from([1.0, 2.0]);
    /// assert_eq!(b.broadcast_to([2, 2]), Tensor::from([[1.0, 2.0], [1.0, 2.0]]));
    /// ```
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Self {
        or_panic(self.try_broadcast_to(shape))
    }

    /// The view with an axis reversed. [`flip`](Self::flip) panics instead.
    ///
    /// # Errors
    /// If there is no such axis.
    pub fn try_flip(&self, axis: usize) -> Result<Self, Error> {
        Ok(self.view(self.layout().flipped("flip", axis)?))
    }

    /// The view with an axis reversed.
    ///
    /// # Panics
    /// Where [`try_flip`](Self::try_flip) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// assert_eq!(Tensor::from([1.0, 2.0, 3.0]).flip(0), Tensor::from([3.0, 2.0, 1.0]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn flip(&self, axis: usize) -> Self {
        or_panic(self.try_flip(axis))
    }

    /// The tensor with its elements contiguous in row-major order: itself if they are, else a copy.
    ///
    /// # Panics
    /// If a copy does not fit in memory.
    #[track_caller]
    #[must_use]
    pub fn contiguous(&self) -> Self {
        if self.is_contiguous() {
            return self.clone();
        }
        Self::filled(or_panic(self.copied("contiguous")), self.shape())
    }
}
