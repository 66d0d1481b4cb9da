//! A product that has not been computed yet.

use retrograde_tensor::{Float, Matrix, Shape, Tensor};

/// A product of two values over the last two axes, one of which is read transposed.
#[derive(Clone)]
pub(crate) struct Product<E> {
    a: Tensor<E>,
    b: Tensor<E>,
    transposed: Side,
}

#[derive(Clone, Copy)]
enum Side {
    Left,
    Right,
}

impl<E: Float> Product<E> {
    /// `aᵀ · b`, of stacks of matrices that are stacked alike.
    pub(crate) fn tn(a: Tensor<E>, b: Tensor<E>) -> Self {
        Product { a, b, transposed: Side::Left }
    }

    /// `a · bᵀ`, of matrices.
    pub(crate) fn nt(a: Tensor<E>, b: Tensor<E>) -> Self {
        Product { a, b, transposed: Side::Right }
    }

    /// The last two axes, `[m, n]`, and the size that is summed over.
    fn sizes(&self) -> ([usize; 2], usize) {
        let last_two = |x: &Tensor<E>| [x.dims()[x.rank() - 2], x.dims()[x.rank() - 1]];
        let (a, b) = (last_two(&self.a), last_two(&self.b));
        match self.transposed {
            Side::Left => ([a[1], b[1]], a[0]),
            Side::Right => ([a[0], b[0]], a[1]),
        }
    }

    /// The terms of the sum that each element is.
    pub(crate) fn terms(&self) -> usize {
        self.sizes().1
    }

    pub(crate) fn shape(&self) -> Shape {
        let ([m, n], _) = self.sizes();
        let rank = self.b.rank();
        self.b.shape().with_axis(rank - 2, m).with_axis(rank - 1, n) // [.., m, n]
    }

    /// Whether the product has a shape.
    pub(crate) fn has_shape(&self, shape: &[usize]) -> bool {
        if self.b.rank() == 2 { self.sizes().0 == shape } else { *self.shape() == *shape }
    }

    /// The product itself.
    pub(crate) fn value(&self) -> Tensor<E> {
        match self.transposed {
            Side::Left => self.a.t().matmul(&self.b),
            Side::Right => self.a.matmul(&self.b.t()),
        }
    }

    /// Both sides, of matrices.
    fn matrices(&self) -> [Matrix<'_, E>; 2] {
        let (a, b) = (self.a.as_matrix(), self.b.as_matrix());
        match self.transposed {
            Side::Left => [a.t(), b],
            Side::Right => [a, b.t()],
        }
    }

    /// Summed over the stack, a product of stacks of matrices is the product of the matrices below one another.
    pub(crate) fn summed(&self) -> Self {
        let rows = |x: &Tensor<E>| {
            let columns = x.dims()[x.rank() - 1];
            let rows = x.dims()[..x.rank() - 1].iter().product();
            x.reshape([rows, columns]) // [.., k, n] -> [.. k, n]
        };
        match self.transposed {
            Side::Left => Self::tn(rows(&self.a), rows(&self.b)),
            Side::Right => self.clone(),
        }
    }

    /// `sum += Σ a · b`, as one product where the terms are matrices.
    pub(crate) fn add_all(terms: &[Self], sum: &mut Tensor<E>) {
        match terms {
            _ if sum.rank() > 2 => terms.iter().for_each(|term| sum.add_assign(&term.value())),
            [term] => sum.matmul_acc_sum(&[term.matrices()]),
            _ => sum.matmul_acc_sum(&terms.iter().map(Self::matrices).collect::<Vec<_>>()),
        }
    }

    /// Zeros of the shape of the product.
    pub(crate) fn zeros(&self) -> Tensor<E> {
        Tensor::zeros(self.shape())
    }
}
