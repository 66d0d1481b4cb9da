//! The matrix product.

use retrograde_tensor::Float;

use crate::Result;
use crate::op::Op;
use crate::tape::operand::Operand;
use crate::tape::var::{Var, or_panic};

impl<'t, E: Float> Var<'t, E> {
    fallible! {
        /// The matrix product over the last two axes.
        ///
        /// # Shapes
        /// `[.., m, k] · [.., k, n] -> [.., m, n]`, the leading axes broadcast. As in NumPy, a vector on the left is a row
        /// and one on the right a column, and that axis is dropped from the result.
        ///
        /// # Derivative
        /// `g · x1ᵀ` and `x0ᵀ · g`, summed over what was broadcast.
        matmul or try_matmul(&self, r: impl Operand<'t, E>), "the inner dimensions differ, the batches do not broadcast, or an operand has rank 0"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([[1.0_f64, 2.0]])); // [1, 2]
        /// let w = tape.var(Tensor::from([[1.0, 0.0, 3.0], [0.0, 1.0, 4.0]])); // [2, 3]
        /// let y = x.matmul(&w); // [1, 3]
        /// assert_eq!(y.value(), &Tensor::from([[1.0, 2.0, 11.0]]));
        /// let dy = Tensor::from([[1.0, 10.0, 100.0]]);
        /// let gradients = y.backward_with(&dy)?;
        /// assert_eq!(gradients.get(&x), Some(&dy.matmul(&w.value().t())));
        /// assert_eq!(gradients.get(&w), Some(&x.value().t().matmul(&dy)));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        {
            let r = r.try_on(self.tape())?;
            let (a, b) = (self.value().rank(), r.value().rank());
            if a > 1 && b > 1 { self.tape().apply(Op::MatMul, &[self, &r]) } else { self.product_of_vector(r) }
        }
    }

    /// The product where one side or both are vectors.
    #[track_caller]
    fn product_of_vector(&self, r: Self) -> Result<Self> {
        let (a, b) = (self.shape().require_rank("matmul", 1)?, r.shape().require_rank("matmul", 1)?);
        let [k, rows] = [a[a.rank() - 1], b[b.rank().saturating_sub(2)]];
        if k != rows {
            // Before a vector becomes a matrix, so that the error has the shapes that were given.
            let (lhs, rhs) = (Box::new(a), Box::new(b));
            return Err(retrograde_tensor::Error::InnerDims { op: "matmul", lhs, rhs }.into());
        }
        let row = if a.rank() == 1 { self.try_reshape([1, a[0]])? } else { self.clone() };
        let column = if b.rank() == 1 { r.try_reshape([b[0], 1])? } else { r };
        let y = row.try_binary(Op::MatMul, column)?; // [.., m, n] with m = 1, n = 1 or both
        let mut shape = y.shape();
        if b.rank() == 1 {
            shape = shape.removed(shape.rank() - 1);
        }
        if a.rank() == 1 {
            let rows = shape.rank() - if b.rank() == 1 { 1 } else { 2 };
            shape = shape.removed(rows);
        }
        y.try_reshape(shape)
    }
}
