//! Systems of linear equations, and the greatest elements.

use std::cmp::Ordering;

use crate::error::or_panic;
use crate::{Error, Scalar, Shape, Tensor};

impl<E: Scalar> Tensor<E> {
    /// Returns `x` with `A x = b`, where `A` is this matrix, by elimination with the greatest pivot of each column.
    /// [`solve`](Self::solve) panics instead.
    ///
    /// # Shapes
    /// `A [n, n]`, `b [n]` or `[n, m]`, `x` as `b`
    ///
    /// # Errors
    /// If the shapes do not fit, or if a column has no pivot other than 0: the matrix has no inverse.
    ///
    /// # Source
    /// G. Golub and C. Van Loan, *Matrix computations* (2013), algorithm 3.4.1.
    pub fn try_solve(&self, b: &Self) -> Result<Self, Error> {
        let op = "solve";
        let (a_shape, b_shape) = (self.shape(), b.shape());
        let n = b_shape.first().copied().unwrap_or(0);
        if *a_shape != [n, n] || !matches!(b_shape.rank(), 1 | 2) {
            return Err(Error::System { op, a: Box::new(a_shape), b: Box::new(b_shape) });
        }
        let m = b_shape.get(1).copied().unwrap_or(1);
        let (mut a, mut x) = (self.copied(op)?, b.copied(op)?);
        for k in 0..n {
            let size = |row: usize| a[row * n + k].to_f64().abs();
            let pivot = (k..n).max_by(|&i, &j| size(i).total_cmp(&size(j))).unwrap_or(k);
            if size(pivot) == 0.0 {
                return Err(Error::Singular { op });
            }
            for column in 0..n {
                a.swap(k * n + column, pivot * n + column);
            }
            for column in 0..m {
                x.swap(k * m + column, pivot * m + column);
            }
            for row in k + 1..n {
                let factor = a[row * n + k] / a[k * n + k];
                for column in k..n {
                    a[row * n + column] = a[row * n + column] - factor * a[k * n + column];
                }
                for column in 0..m {
                    x[row * m + column] = x[row * m + column] - factor * x[k * m + column];
                }
            }
        }
        for k in (0..n).rev() {
            for column in 0..m {
                let known = (k + 1..n).map(|i| a[k * n + i] * x[i * m + column]);
                let rest = known.fold(x[k * m + column], |rest, known| rest - known);
                x[k * m + column] = rest / a[k * n + k];
            }
        }
        Ok(Self::filled(x, b_shape))
    }

    /// Returns `x` with `A x = b`, where `A` is this matrix.
    ///
    /// # Shapes
    /// `A [n, n]`, `b [n]` or `[n, m]`, `x` as `b`
    ///
    /// # Panics
    /// Where [`try_solve`](Self::try_solve) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let a = Tensor::from([[0.0, 2.0], [4.0, 1.0]]);
    /// assert_eq!(a.solve(&Tensor::from([6.0, 11.0])), Tensor::from([2.0, 3.0]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn solve(&self, b: &Self) -> Self {
        or_panic(self.try_solve(b))
    }

    /// Returns the `k` greatest elements along the last axis, the greatest first, and their indices. Of equals the first
    /// comes first; NaN counts as greatest. [`top_k`](Self::top_k) panics instead.
    ///
    /// # Shapes
    /// `[.., n] -> [.., k]` both
    ///
    /// # Errors
    /// If there is no axis, or if the last has fewer than `k` elements.
    pub fn try_top_k(&self, k: usize) -> Result<(Self, Tensor<usize>), Error> {
        let op = "top_k";
        let shape = self.shape();
        let Some((&n, rows)) = shape.split_last().filter(|&(&n, _)| k <= n) else {
            return Err(Error::TopK { op, k, found: Box::new(shape) });
        };
        let kept: Vec<usize> = rows.iter().copied().chain([k]).collect();
        let kept = Shape::new(&kept)?;
        let elements = self.copied(op)?;
        let (mut values, mut indices) = (Vec::with_capacity(kept.numel()), Vec::with_capacity(kept.numel()));
        let count = kept.numel().checked_div(k).unwrap_or(0);
        for row in 0..count {
            let row = &elements[row * n..][..n];
            let before = |a: &usize, b: &usize| {
                let greater = row[*b].is_nan().cmp(&row[*a].is_nan());
                let greater = greater.then(row[*b].partial_cmp(&row[*a]).unwrap_or(Ordering::Equal));
                greater.then(a.cmp(b))
            };
            let mut order: Vec<usize> = (0..n).collect();
            if k < n {
                order.select_nth_unstable_by(k, before);
                order.truncate(k);
            }
            order.sort_unstable_by(before);
            values.extend(order.iter().map(|&i| row[i]));
            indices.extend(order);
        }
        Ok((Self::filled(values, kept), Tensor::filled(indices, kept)))
    }

    /// Returns the `k` greatest elements along the last axis, the greatest first, and their indices. Of equals the first
    /// comes first; NaN counts as greatest.
    ///
    /// # Shapes
    /// `[.., n] -> [.., k]` both
    ///
    /// # Panics
    /// Where [`try_top_k`](Self::try_top_k) returns an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_tensor::Tensor;
    ///
    /// let (values, indices) = Tensor::from([[1.0, 3.0, 2.0], [5.0, 4.0, 5.0]]).top_k(2);
    /// assert_eq!(values, Tensor::from([[3.0, 2.0], [5.0, 5.0]]));
    /// assert_eq!(indices, Tensor::from([[1, 2], [0, 2]]));
    /// ```
    #[track_caller]
    #[must_use]
    pub fn top_k(&self, k: usize) -> (Self, Tensor<usize>) {
        or_panic(self.try_top_k(k))
    }
}
