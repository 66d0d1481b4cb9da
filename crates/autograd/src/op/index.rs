//! Rows by index.

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::op::Op;
use crate::tape::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
    fallible! {
        /// Rows by index, as an embedding looks them up.
        ///
        /// # Shapes
        /// `[V, ..], [indices..] -> [indices.., ..]`
        ///
        /// # Derivative
        /// `g`, each row added up where it came from.
        gather_rows or try_gather_rows(&self, indices: &Tensor<usize>), "an index is out of range"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let table = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 4.0], [5.0, 6.0]]));
        /// let y = table.gather_rows(&Tensor::from([2, 0, 2]));
        /// assert_eq!(y.value(), &Tensor::from([[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]));
        /// let gradients = y.sum().backward()?;
        /// assert_eq!(gradients.get(&table), Some(&Tensor::from([[1.0, 1.0], [0.0, 0.0], [2.0, 2.0]])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::Gather(Box::new(indices.clone()))) }

        /// Rows added up by index into a table of `rows` rows: the transpose of [`gather_rows`](Self::gather_rows).
        ///
        /// # Shapes
        /// `[indices.., ..] -> [rows, ..]`
        ///
        /// # Derivative
        /// `g`, gathered.
        scatter_add_rows or try_scatter_add_rows(&self, rows: usize, indices: &Tensor<usize>), "an index is out of range or the leading axes are not those of `indices`"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([1.0_f64, 2.0, 4.0]));
        /// let y = x.scatter_add_rows(4, &Tensor::from([2, 0, 2]));
        /// assert_eq!(y.value(), &Tensor::from([2.0, 0.0, 5.0, 0.0]));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::Scatter { rows, indices: Box::new(indices.clone()) }) }
    }
}
