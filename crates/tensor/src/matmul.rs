use crate::error::or_panic;
use crate::{Error, Matrix, MatrixMut, Scalar, Shape, Tensor};

impl<E: Scalar> Tensor<E> {
    /// The matrix product, by NumPy's rules. [`matmul`](Self::matmul) panics instead.
    ///
    /// # Shapes
    /// `[.., m, k] · [.., k, n] -> [.., m, n]`; the axes in front broadcast. A vector on the left counts as a
    /// row, one on the right as a column, and that axis disappears from the result.
    ///
    /// # Errors
    /// If an operand has no axes, if the inner sizes differ, or if the axes in front do not broadcast.
    pub fn try_matmul(&self, other: &Self) -> Result<Self, Error> {
        let op = "matmul";
        let (lhs, rhs) = (self.shape(), other.shape());
        if let Some(shape) = [lhs, rhs].into_iter().find(|shape| shape.rank() == 0) {
            return Err(Error::TooFewAxes { op, min: 1, shape: Box::new(shape) });
        }
        let a = if lhs.rank() == 1 { self.unsqueeze(0) } else { self.clone() };
        let b = if rhs.rank() == 1 { other.unsqueeze(1) } else { other.clone() };
        let ((a_batch, [m, k]), (b_batch, [rows, n])) = (split(&a.shape()), split(&b.shape()));
        if k != rows {
            return Err(Error::InnerDims { op, lhs: Box::new(lhs), rhs: Box::new(rhs) });
        }
        let batch = Shape::broadcast(op, &a_batch, &b_batch).map_err(|_| Error::Broadcast {
            op,
            lhs: Box::new(lhs),
            rhs: Box::new(rhs),
        })?;
        let shape = batch.try_inserted(op, batch.rank(), m)?.try_inserted(op, batch.rank() + 1, n)?;
        let y = product(&a, &b, &shape);
        let y = if lhs.rank() == 1 { y.squeeze(batch.rank()) } else { y };
        Ok(if rhs.rank() == 1 { y.squeeze(y.rank() - 1) } else { y })
    }

    /// The matrix product, by NumPy's rules.
    ///
    /// # Panics
    /// Where [`try_matmul`](Self::try_matmul) returns an error.
    #[track_caller]
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
        if let Some(x) = [&*self, a, b].into_iter().find(|x| x.rank() != 2) {
            return Err(Error::Axes { op, expected: 2, shape: Box::new(x.shape()) });
        }
        if a.dims()[1] != b.dims()[0] {
            return Err(Error::InnerDims { op, lhs: Box::new(a.shape()), rhs: Box::new(b.shape()) });
        }
        let (m, n) = (a.dims()[0], b.dims()[1]);
        if self.dims() != [m, n] {
            let expected = Box::new(Shape::checked(op, &[m, n])?);
            return Err(Error::Expected { op, expected, found: Box::new(self.shape()) });
        }
        let one = E::from_f64(1.0);
        let c = MatrixMut::new(self.as_mut_slice(), 0, [m, n], [n.max(1) as isize, 1]);
        E::gemm(one, matrix(a, 0), matrix(b, 0), one, c);
        Ok(())
    }

    /// Adds the matrix product `a·b`, in place.
    ///
    /// # Shapes
    /// `[m, n] += [m, k] · [k, n]`
    ///
    /// # Panics
    /// Where [`try_matmul_acc`](Self::try_matmul_acc) returns an error.
    #[track_caller]
    pub fn matmul_acc(&mut self, a: &Self, b: &Self) {
        or_panic(self.try_matmul_acc(a, b));
    }
}

/// The axes in front, and the last two sizes.
fn split(shape: &Shape) -> (Shape, [usize; 2]) {
    let rank = shape.rank();
    (shape.removed(rank - 1).removed(rank - 2), [shape[rank - 2], shape[rank - 1]])
}

/// The product `[.., m, k] · [.., k, n]`, of a shape that has been checked.
fn product<E: Scalar>(a: &Tensor<E>, b: &Tensor<E>, shape: &Shape) -> Tensor<E> {
    let (batch, [m, n]) = split(shape);
    let k = a.shape()[a.rank() - 1];
    let mut out = vec![E::default(); shape.numel()];
    let (zero, one) = (E::default(), E::from_f64(1.0));
    if out.is_empty() || k == 0 {
        return Tensor::filled(out, *shape);
    }
    if b.rank() == 2 {
        // [.., m, k] -> [.. · m, k]: one product for the whole batch, if strides can say so.
        let rows = Shape::from([a.numel() / k, k]);
        if let Some(layout) = a.layout().reshaped(&rows) {
            let c = MatrixMut::new(&mut out, 0, [rows[0], n], [n as isize, 1]);
            E::gemm(one, matrix(&a.view(layout), 0), matrix(b, 0).with_packs(b.storage().packs()), zero, c);
            return Tensor::filled(out, *shape);
        }
    }
    let spread = |x: &Tensor<E>, [rows, cols]: [usize; 2]| {
        let rank = batch.rank();
        x.broadcast_to(batch.inserted(rank, rows).inserted(rank + 1, cols))
    };
    let (a, b) = (spread(a, [m, k]), spread(b, [k, n]));
    for (i, c) in out.chunks_exact_mut(m * n).enumerate() {
        let c = MatrixMut::new(c, 0, [m, n], [n as isize, 1]);
        E::gemm(one, matrix(&a, i), matrix(&b, i), zero, c);
    }
    Tensor::filled(out, *shape)
}

/// The `i`th matrix of a batch, counted in row-major order.
fn matrix<E: Scalar>(x: &Tensor<E>, i: usize) -> Matrix<'_, E> {
    let (shape, strides) = (x.shape(), x.strides());
    let rank = shape.rank();
    let (mut rest, mut offset) = (i, x.layout().offset);
    for axis in (0..rank - 2).rev() {
        offset = offset.wrapping_add_signed((rest % shape[axis]) as isize * strides[axis]);
        rest /= shape[axis];
    }
    Matrix::new(
        x.storage(),
        offset,
        [shape[rank - 2], shape[rank - 1]],
        [strides[rank - 2], strides[rank - 1]],
    )
}
