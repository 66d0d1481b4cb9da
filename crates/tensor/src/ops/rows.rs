//! Rows by index: gather and scatter.

use std::borrow::Cow;

use crate::error::or_panic;
use crate::storage::buffer;
use crate::tensor::append;
use crate::{Element, Error, Scalar, Tensor};

impl<E: Element> Tensor<E> {
    /// The rows (slices along the first axis) that `indices` name. [`gather_rows`](Self::gather_rows) panics
    /// instead.
    ///
    /// # Shapes
    /// `[v, rest..]`, indices of any shape `[i..]` -> `[i.., rest..]`
    ///
    /// # Errors
    /// If this tensor has no axes, or if an index is out of range.
    pub fn try_gather_rows(&self, indices: &Tensor<usize>) -> Result<Self, Error> {
        let op = "gather_rows";
        let shape = self.shape().gathered(op, indices)?;
        let mut data = buffer::with_capacity(op, &shape)?;
        if shape.numel() > 0 {
            let first = self.layout().selected(op, 0, 0)?;
            for row in indices {
                let offset = first.offset.wrapping_add_signed(row as isize * self.strides()[0]);
                append(self.storage(), &first.at(offset), &mut data);
            }
        }
        Ok(Self::filled(data, shape))
    }

    /// The rows (slices along the first axis) that `indices` name.
    ///
    /// # Shapes
    /// `[v, rest..]`, indices of any shape `[i..]` -> `[i.., rest..]`
    ///
    /// # Panics
    /// Where [`try_gather_rows`](Self::try_gather_rows) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let table = Tensor::from([[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]);
    /// let rows = table.gather_rows(&Tensor::from([2_usize, 0]));
    /// assert_eq!(rows, Tensor::from([[2.0, 2.5], [0.0, 0.5]]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn gather_rows(&self, indices: &Tensor<usize>) -> Self {
        or_panic(self.try_gather_rows(indices))
    }
}

impl<E: Scalar> Tensor<E> {
    /// Adds each row of this tensor to the row, of a tensor of zeros, that `indices` names: the transpose of
    /// [`gather_rows`](Self::gather_rows). Indices may repeat: their rows sum.
    /// [`scatter_add_rows`](Self::scatter_add_rows) panics instead.
    ///
    /// # Shapes
    /// `[i.., rest..]`, indices `[i..]` -> `[rows, rest..]`
    ///
    /// # Errors
    /// If the first axes of this tensor are not those of the indices, or if an index is out of range.
    pub fn try_scatter_add_rows(&self, rows: usize, indices: &Tensor<usize>) -> Result<Self, Error> {
        let op = "scatter_add_rows";
        let shape = self.shape().scattered(op, rows, indices)?;
        let mut data = buffer::full(op, &shape, E::default())?;
        let source = match self.as_slice() {
            Some(source) => Cow::Borrowed(source),
            None => Cow::Owned(self.copied(op)?),
        };
        let width = shape[1..].iter().product::<usize>();
        for (i, row) in indices.iter().enumerate() {
            let target = &mut data[row * width..(row + 1) * width];
            target.iter_mut().zip(&source[i * width..(i + 1) * width]).for_each(|(y, &x)| *y += x);
        }
        Ok(Self::filled(data, shape))
    }

    /// Adds each row of this tensor to the row, of a tensor of zeros, that `indices` names: the transpose of
    /// [`gather_rows`](Self::gather_rows). Indices may repeat: their rows sum.
    ///
    /// # Shapes
    /// `[i.., rest..]`, indices `[i..]` -> `[rows, rest..]`
    ///
    /// # Panics
    /// Where [`try_scatter_add_rows`](Self::try_scatter_add_rows) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let rows = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let sums = rows.scatter_add_rows(3, &Tensor::from([1_usize, 1]));
    /// assert_eq!(sums, Tensor::from([[0.0, 0.0], [4.0, 6.0], [0.0, 0.0]]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn scatter_add_rows(&self, rows: usize, indices: &Tensor<usize>) -> Self {
        or_panic(self.try_scatter_add_rows(rows, indices))
    }
}
