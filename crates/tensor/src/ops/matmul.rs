//! Matrix products of tensors, by NumPy's rules.

use crate::error::or_panic;
use crate::loops::strided::{StridedIter, steps};
use crate::shape::layout::Layout;
use crate::storage::buffer;
use crate::{Error, Matrix, MatrixMut, Scalar, Shape, Tensor};

impl<E: Scalar> Tensor<E> {
    /// Returns the matrix product, by NumPy's rules. [`matmul`](Self::matmul) panics instead.
    ///
    /// # Shapes
    /// `[.., m, k] · [.., k, n] -> [.., m, n]`; the axes in front broadcast. A vector on the left counts as a
    /// row, one on the right as a column, and that axis disappears from the result.
    ///
    /// # Errors
    /// If an operand has no axes, if the inner sizes differ, or if the axes in front do not broadcast.
    pub fn try_matmul(&self, other: &Self) -> Result<Self, Error> {
        let op = "matmul";
        match (self.dims(), other.dims()) {
            ([], _) => Err(Error::TooFewAxes { op, min: 1, shape: Box::new(self.shape()) }),
            (_, []) => Err(Error::TooFewAxes { op, min: 1, shape: Box::new(other.shape()) }),
            ([.., k], [rows] | [.., rows, _]) if k != rows => {
                Err(Error::InnerDims { op, lhs: Box::new(self.shape()), rhs: Box::new(other.shape()) })
            }
            ([_], [_]) => self.unsqueeze(0).product(&other.unsqueeze(1))?.try_reshape([]),
            ([_], _) => {
                let y = self.unsqueeze(0).product(other)?;
                Ok(y.squeeze(y.rank() - 2))
            }
            (_, [_]) => {
                let y = self.product(&other.unsqueeze(1))?;
                Ok(y.squeeze(y.rank() - 1))
            }
            _ => self.product(other),
        }
    }

    /// Returns the matrix product, by NumPy's rules.
    ///
    /// # Shapes
    /// `[.., m, k] · [.., k, n] -> [.., m, n]`; the axes in front broadcast. A vector on the left counts as a
    /// row, one on the right as a column, and that axis disappears from the result.
    ///
    /// # Panics
    /// Where [`try_matmul`](Self::try_matmul) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let (a, b) = (Tensor::from([[1.0, 2.0], [3.0, 4.0]]), Tensor::from([[0.0, 1.0], [1.0, 0.0]]));
    /// assert_eq!(a.matmul(&b), Tensor::from([[2.0, 1.0], [4.0, 3.0]]));
    /// assert_eq!(a.matmul(&Tensor::from([1.0, 1.0])), Tensor::from([3.0, 7.0]));
    /// assert_eq!(Tensor::<f32>::ones([10, 5, 3]).matmul(&Tensor::ones([3, 4])).dims(), [10, 5, 4]);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn matmul(&self, other: &Self) -> Self {
        or_panic(self.try_matmul(other))
    }

    /// Adds the matrix product `a·b`, in place. [`matmul_acc`](Self::matmul_acc) panics instead.
    ///
    /// # Shapes
    /// `[m, n] += [m, k] · [k, n]`
    ///
    /// # Errors
    /// If one of the three is not a matrix, or if the sizes do not fit.
    pub fn try_matmul_acc(&mut self, a: &Self, b: &Self) -> Result<(), Error> {
        let op = "matmul_acc";
        [&*self, a, b].into_iter().try_for_each(|x| x.require_matrix(op))?;
        let (a, b, one) = (a.as_matrix(), b.as_matrix(), E::from_f64(1.0));
        self.check_product(op, a.dims(), b.dims())?;
        E::gemm(one, a, b, one, self.as_matrix_mut(op)?);
        Ok(())
    }

    /// Adds the matrix product `a·b`, in place.
    ///
    /// # Shapes
    /// `[m, n] += [m, k] · [k, n]`
    ///
    /// # Panics
    /// Where [`try_matmul_acc`](Self::try_matmul_acc) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let mut c = Tensor::eye(2);
    /// c.matmul_acc(&Tensor::from([[1.0], [2.0]]), &Tensor::from([[3.0, 4.0]]));
    /// assert_eq!(c, Tensor::from([[4.0, 4.0], [6.0, 9.0]]));
    /// ```
    #[track_caller]
    pub fn matmul_acc(&mut self, a: &Self, b: &Self) {
        or_panic(self.try_matmul_acc(a, b));
    }

    /// Adds `Σ a·b` over pairs, in place, as one product: the sum is read and written once, not once for each pair.
    /// [`matmul_acc_sum`](Self::matmul_acc_sum) panics instead.
    ///
    /// # Shapes
    /// `[m, n] += Σ [m, k] · [k, n]`; each pair has a `k` of its own.
    ///
    /// # Errors
    /// If this is not a matrix, or if the sizes do not fit; nothing has been added then.
    pub fn try_matmul_acc_sum(&mut self, terms: &[[Matrix<'_, E>; 2]]) -> Result<(), Error> {
        let op = "matmul_acc_sum";
        self.require_matrix(op)?;
        terms.iter().try_for_each(|[a, b]| self.check_product(op, a.dims(), b.dims()))?;
        E::gemm_sum(terms, self.as_matrix_mut(op)?);
        Ok(())
    }

    /// Adds `Σ a·b` over pairs, in place, as one product: the sum is read and written once, not once for each pair.
    ///
    /// # Shapes
    /// `[m, n] += Σ [m, k] · [k, n]`; each pair has a `k` of its own.
    ///
    /// # Panics
    /// Where [`try_matmul_acc_sum`](Self::try_matmul_acc_sum) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let (x, y) = (Tensor::from([[1.0, 2.0]]), Tensor::from([[3.0, 4.0]]));
    /// let mut c = Tensor::zeros([2, 2]);
    /// c.matmul_acc_sum(&[
    ///     [x.as_matrix().t(), y.as_matrix()],
    ///     [Tensor::eye(2).as_matrix(), Tensor::ones([2, 2]).as_matrix()],
    /// ]);
    /// assert_eq!(c, Tensor::from([[4.0, 5.0], [7.0, 9.0]]));
    /// ```
    #[track_caller]
    pub fn matmul_acc_sum(&mut self, terms: &[[Matrix<'_, E>; 2]]) {
        or_panic(self.try_matmul_acc_sum(terms));
    }

    fn require_matrix(&self, op: &'static str) -> Result<(), Error> {
        match self.rank() {
            2 => Ok(()),
            _ => Err(Error::Axes { op, expected: 2, shape: Box::new(self.shape()) }),
        }
    }

    /// Checks that the product of two matrices of these sizes can be added to this one.
    fn check_product(&self, op: &'static str, a: [usize; 2], b: [usize; 2]) -> Result<(), Error> {
        if a[1] != b[0] {
            return Err(Error::InnerDims {
                op,
                lhs: Box::new(Shape::checked(op, &a)?),
                rhs: Box::new(Shape::checked(op, &b)?),
            });
        }
        let product = [a[0], b[1]];
        if self.dims() != product {
            let expected = Box::new(Shape::checked(op, &product)?);
            return Err(Error::Expected { op, expected, found: Box::new(self.shape()) });
        }
        Ok(())
    }

    /// Returns this matrix as [`Scalar::gemm`] takes it. The forms in which kernels read it are kept with its elements, so that
    /// multiplying by it again is faster than by a [`Matrix::new`] of the same elements.
    ///
    /// # Panics
    /// If this tensor has not two axes.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::{Matrix, MatrixMut, Scalar, Tensor};
    ///
    /// let w = Tensor::from([[1.0, 2.0], [3.0, 4.0]]);
    /// let (x, mut y) = ([1.0, 1.0], [0.5, 0.5]);
    /// let row = Matrix::new(&x, 0, [1, 2], [2, 1]);
    /// f64::gemm(1.0, row, w.as_matrix(), 1.0, MatrixMut::new(&mut y, 0, [1, 2], [2, 1]));
    /// assert_eq!(y, [4.5, 6.5]);
    /// ```
    #[track_caller]
    #[must_use]
    pub fn as_matrix(&self) -> Matrix<'_, E> {
        or_panic(self.require_matrix("as_matrix"));
        matrix(self.storage(), self.layout()).with_cache(self.storage().packed())
    }

    fn as_matrix_mut(&mut self, op: &'static str) -> Result<MatrixMut<'_, E>, Error> {
        let [m, n] = last_two(self);
        Ok(MatrixMut::new(self.written(op)?, 0, [m, n], [n.max(1) as isize, 1]))
    }
}

impl<E: Scalar> Tensor<E> {
    /// Computes the product `[.., m, k] · [.., k, n]`, whose inner sizes agree.
    fn product(&self, other: &Self) -> Result<Self, Error> {
        let [m, k] = last_two(self);
        let [_, n] = last_two(other);
        if other.rank() == 2 {
            // [.., m, k] -> [.. · m, k]: one product for the whole batch, if strides can say so.
            let rows = match self.rank() {
                2 => Some(self.as_matrix()),
                _ => self.numel().checked_div(k).and_then(|rows| {
                    let rows = self.layout().reshaped(&Shape::from([rows, k]))?;
                    Some(matrix(self.storage(), &rows))
                }),
            };
            if let Some(rows) = rows {
                let shape = self.shape().try_with_axis("matmul", self.rank() - 1, n)?;
                let mut out = buffer::empty("matmul", &shape)?;
                gemm_into(&mut out, rows, other.as_matrix());
                return Ok(Self::filled(out, shape));
            }
        }
        let op = "matmul";
        let shape = self.shape().matmul(op, &other.shape())?;
        let batch = Shape::checked(op, &shape[..shape.rank() - 2])?;
        let whole = |rows, cols| batch.followed_by(op, &[rows, cols]);
        if shape.numel() == 0 || k == 0 {
            return Ok(Self::filled(buffer::full(op, &shape, E::default())?, shape));
        }
        let mut out = buffer::empty(op, &shape)?;
        let a = self.layout().broadcast(op, &whole(m, k)?)?;
        let b = other.layout().broadcast(op, &whole(k, n)?)?;
        let walk = StridedIter::new(&batch, [&a.batch(), &b.batch()]);
        let (len, [a_step, b_step]) = (walk.len, walk.strides);
        let places = walk.flat_map(|[p, q]| steps(p, a_step, len).zip(steps(q, b_step, len)));
        for (c, (p, q)) in out.chunks_exact_mut(m * n).zip(places) {
            gemm_into(c, matrix(self.storage(), &a.at(p)), matrix(other.storage(), &b.at(q)));
        }
        Ok(Self::filled(out, shape))
    }
}

/// Returns the sizes of the last two axes.
fn last_two<E: Scalar>(x: &Tensor<E>) -> [usize; 2] {
    let rank = x.rank();
    [x.dims()[rank - 2], x.dims()[rank - 1]]
}

/// Returns the matrix of the last two axes at the layout's offset.
fn matrix<'a, E>(storage: &'a [E], layout: &Layout) -> Matrix<'a, E> {
    let (shape, strides, rank) = (&layout.shape, layout.strides(), layout.shape.rank());
    Matrix::new(
        storage,
        layout.offset,
        [shape[rank - 2], shape[rank - 1]],
        [strides[rank - 2], strides[rank - 1]],
    )
}

/// Computes `c = a·b` where `c` is row-major.
fn gemm_into<E: Scalar>(c: &mut [E], a: Matrix<'_, E>, b: Matrix<'_, E>) {
    let ([m, _], [_, n]) = (a.dims(), b.dims());
    let c = MatrixMut::new(c, 0, [m, n], [n.max(1) as isize, 1]);
    E::gemm(E::from_f64(1.0), a, b, E::default(), c);
}
