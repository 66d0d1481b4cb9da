//! The same elements in another shape.

use retrograde_tensor::{Float, IntoShape};

use crate::Result;
use crate::op::Op;
use crate::tape::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
    fallible! {
        /// The same elements, in row-major order, in another shape.
        ///
        /// # Shapes
        /// `[..] -> shape`
        ///
        /// # Derivative
        /// `g` in the operand's shape.
        reshape or try_reshape(&self, shape: impl IntoShape), "the number of elements differs"
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
        { self.try_unary(Op::Reshape(Box::new(shape.into_shape("reshape")?))) }

        /// The axes in another order: axis `i` of the result is axis `axes[i]`.
        ///
        /// # Shapes
        /// `[d0, d1, ..] -> [d_axes[0], d_axes[1], ..]`
        ///
        /// # Derivative
        /// `g`, permuted back.
        permute or try_permute(&self, axes: &[usize]), "`axes` is not a permutation"
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
        { self.try_unary(Op::Permute(axes.to_vec())) }

        /// Two axes change places.
        ///
        /// # Shapes
        /// `[.., a, .., b, ..] -> [.., b, .., a, ..]`
        ///
        /// # Derivative
        /// `g`, transposed back.
        transpose or try_transpose(&self, a: usize, b: usize), "an axis is out of range"
        {
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
        t or try_t(&self), "the rank is below 2"
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
        {
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
        broadcast_to or try_broadcast_to(&self, shape: impl IntoShape), "the shape does not broadcast to `shape`"
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
        { self.try_unary(Op::BroadcastTo(Box::new(shape.into_shape("broadcast_to")?))) }

        /// Drops an axis of size 1.
        ///
        /// # Shapes
        /// `[.., 1, ..] -> [.., ..]`
        ///
        /// # Derivative
        /// `g` in the operand's shape.
        squeeze or try_squeeze(&self, axis: usize), "the axis is out of range or its size is not 1"
        {
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
        unsqueeze or try_unsqueeze(&self, axis: usize), "the axis is out of range or the rank is at its limit"
        {
            let shape = self.shape().unsqueezed("unsqueeze", axis)?;
            self.try_reshape(shape)
        }
    }
}
