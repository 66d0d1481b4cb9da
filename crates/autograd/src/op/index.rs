//! Rows by index.

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::op::Op;
use crate::tape::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
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
    ///
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
    /// If an index is out of range or the leading axes are not those of `indices`;
    /// [`try_scatter_add_rows`](Self::try_scatter_add_rows) returns that as an error.
    ///
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
