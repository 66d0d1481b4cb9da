//! The same elements in another shape.

use retrograde_tensor::{Float, IntoShape};

use crate::Result;
use crate::op::Op;
use crate::tape::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
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
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]));
    /// let y = x.reshape([4]);
    /// assert_eq!(y.value(), &Tensor::from([1.0, 2.0, 3.0, 4.0]));
    /// let dx = y.backward_with(&Tensor::from([1.0, 10.0, 100.0, 1000.0]))?;
    /// assert_eq!(dx.get(&x), Some(&Tensor::from([[1.0, 10.0], [100.0, 1000.0]])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    pub fn reshape(&self, shape: impl IntoShape) -> Self {
        or_panic(self.try_reshape(shape))
    }

    /// As [`reshape`](Self::reshape).
    ///
    /// # Errors
    /// If the number of elements differs.
    #[track_caller]
    pub fn try_reshape(&self, shape: impl IntoShape) -> Result<Self> {
        self.try_unary(Op::Reshape(Box::new(shape.into_shape("reshape")?)))
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
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::<f64>::zeros([2, 3, 4]));
    /// assert_eq!(x.permute(&[2, 0, 1]).shape(), [4, 2, 3].into());
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
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
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]));
    /// assert_eq!(x.t().value(), &Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
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
    /// If the shape does not broadcast to `shape`; [`try_broadcast_to`](Self::try_broadcast_to) returns
    /// that as an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let b = tape.var(Tensor::from([1.0_f64, 2.0]));
    /// let y = b.broadcast_to([3, 2]);
    /// let db = y.backward_with(&Tensor::from([[1.0, 4.0], [2.0, 5.0], [3.0, 6.0]]))?;
    /// assert_eq!(db.get(&b), Some(&Tensor::from([6.0, 15.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    pub fn broadcast_to(&self, shape: impl IntoShape) -> Self {
        or_panic(self.try_broadcast_to(shape))
    }

    /// As [`broadcast_to`](Self::broadcast_to).
    ///
    /// # Errors
    /// If the shape does not broadcast to `shape`.
    #[track_caller]
    pub fn try_broadcast_to(&self, shape: impl IntoShape) -> Result<Self> {
        self.try_unary(Op::BroadcastTo(Box::new(shape.into_shape("broadcast_to")?)))
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
    /// If the axis is out of range or the rank is at its limit; [`try_unsqueeze`](Self::try_unsqueeze)
    /// returns that as an error.
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
}
