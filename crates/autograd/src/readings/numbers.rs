//! The numeric reading of the rules: tensors, with fused kernels, and sums that stay unevaluated until they are read.

use std::borrow::Cow;
use std::fmt;

use retrograde_tensor::{Float, Scalar, Shape, Tensor};

use crate::op::Op;
use crate::readings::pending::{Concatenated, Padded};
use crate::value::Value;

/// A tensor, or a sum that has not been evaluated yet.
///
/// Three facts about sequences live here, and none of them in a rule. The T contributions `x_tᵀ · dt_t` to a weight
/// are one product over all rows. The cotangents of T slices are written into one buffer, O(T) in all. And an
/// elementwise derivative is one pass over memory.
#[derive(Clone)]
pub(crate) enum Adjoint<'r, E> {
    /// The value itself.
    Dense(Tensor<E>),
    /// A value that the record keeps.
    Kept(&'r Tensor<E>),
    /// `a · b` over the last two axes.
    Product(Tensor<E>, Tensor<E>),
    /// `sum + Σ a · b`.
    Products { sum: Option<Tensor<E>>, terms: Vec<(Tensor<E>, Tensor<E>)> },
    /// Zeros, with a part placed in them.
    Padded(Padded<E>),
    /// Several of these along one axis.
    Concatenated(Concatenated<E>),
    /// A value that was not kept, since no rule reads it. To a rule that does, every element is NaN, so that its gradient
    /// does not look right.
    Unread(&'r Shape),
}

/// Rows of pending products that come together before they are multiplied: enough to fill a kernel, little to keep.
const ROWS: usize = 512;

impl<'r, E: Float> Adjoint<'r, E> {
    /// The value, evaluated.
    pub(crate) fn into_dense(self) -> Tensor<E> {
        match self {
            Adjoint::Dense(value) => value,
            Adjoint::Kept(value) => value.clone(),
            Adjoint::Product(a, b) => a.matmul(&b),
            Adjoint::Products { sum, terms } => {
                let mut sum = sum.unwrap_or_else(|| zero_product(&terms[0]));
                add_products(&mut sum, &terms);
                sum
            }
            Adjoint::Padded(padded) => Concatenated::new(&padded).finish(),
            Adjoint::Concatenated(parts) => parts.finish(),
            Adjoint::Unread(shape) => Tensor::full(*shape, E::from_f64(f64::NAN)),
        }
    }

    /// This value, moved out: what is evaluated is not copied first.
    fn take(&mut self) -> Self {
        std::mem::replace(self, Adjoint::Products { sum: None, terms: Vec::new() })
    }

    fn dense(&self) -> Cow<'_, Tensor<E>> {
        match self {
            Adjoint::Dense(value) => Cow::Borrowed(value),
            Adjoint::Kept(value) => Cow::Borrowed(value),
            pending => Cow::Owned(pending.clone().into_dense()),
        }
    }

    /// Adds in place, without evaluating `other` on its own.
    fn add_into(sum: &mut Tensor<E>, other: Self) {
        match other {
            Adjoint::Dense(term) => sum.add_assign(&term),
            Adjoint::Product(a, b) => add_products(sum, &[(a, b)]),
            Adjoint::Products { sum: None, terms } => add_products(sum, &terms),
            Adjoint::Padded(padded) => sum.add_at(padded.axis, padded.start, &padded.part),
            pending => sum.add_assign(&pending.into_dense()),
        }
    }
}

/// The shape of the product of `a [.., m, k]` and `b [.., k, n]`.
fn product_shape<E: Float>(a: &Tensor<E>, b: &Tensor<E>) -> Shape {
    a.shape().with_axis(a.rank() - 1, b.dims()[b.rank() - 1]) // [.., m, n]
}

fn zero_product<E: Float>((a, b): &(Tensor<E>, Tensor<E>)) -> Tensor<E> {
    Tensor::zeros(product_shape(a, b))
}

/// `sum += Σ a · b`, as one product where the terms are matrices.
fn add_products<E: Float>(sum: &mut Tensor<E>, terms: &[(Tensor<E>, Tensor<E>)]) {
    if sum.rank() > 2 {
        terms.iter().for_each(|(a, b)| sum.add_assign(&a.matmul(b)));
    } else {
        sum.matmul_acc_sum(terms);
    }
}

impl<E: Float> Value for Adjoint<'_, E> {
    fn shape(&self) -> Shape {
        match self {
            Adjoint::Dense(value) => value.shape(),
            Adjoint::Kept(value) => value.shape(),
            Adjoint::Product(a, b) => product_shape(a, b),
            Adjoint::Products { sum: Some(sum), .. } => sum.shape(),
            Adjoint::Products { terms, .. } => product_shape(&terms[0].0, &terms[0].1),
            Adjoint::Padded(padded) => padded.part.shape().with_axis(padded.axis, padded.size),
            Adjoint::Concatenated(parts) => parts.value().shape(),
            Adjoint::Unread(shape) => **shape,
        }
    }

    fn apply(op: Op, x: &[&Self]) -> Self {
        Adjoint::Dense(match x {
            [x] => op.compute(&[&*x.dense()]),
            [a, b] => op.compute(&[&*a.dense(), &*b.dense()]),
            x => {
                let x: Vec<_> = x.iter().map(|x| x.dense()).collect();
                op.compute(&x.iter().map(|x| &**x).collect::<Vec<_>>())
            }
        })
    }

    fn finish(&mut self) {
        if !matches!(self, Adjoint::Dense(_)) {
            *self = Adjoint::Dense(self.take().into_dense());
        }
    }

    fn has_shape_of(&self, x: &Self) -> bool {
        match (self, x) {
            // As below, without copies of the shapes.
            (Adjoint::Dense(d), Adjoint::Kept(x)) => d.dims() == x.dims(),
            (Adjoint::Dense(d), Adjoint::Unread(shape)) => *d.dims() == ***shape,
            (Adjoint::Product(a, b), Adjoint::Kept(x)) if a.rank() == 2 => {
                x.dims() == [a.dims()[0], b.dims()[1]] // m, n
            }
            (d, x) => d.shape() == x.shape(),
        }
    }

    fn accumulate(&mut self, other: Self) {
        match (self, other) {
            (Adjoint::Dense(sum), other) => Self::add_into(sum, other),
            (Adjoint::Products { sum, terms }, Adjoint::Product(a, b)) => {
                terms.push((a, b));
                let (_, b) = &terms[0];
                if terms.len() * b.dims()[b.rank() - 2] > ROWS {
                    add_products(sum.get_or_insert_with(|| zero_product(&terms[0])), terms);
                    terms.clear();
                }
            }
            (Adjoint::Concatenated(parts), Adjoint::Padded(next)) if next.axis == parts.axis() => {
                parts.add(next.start, &next.part);
            }
            (sum, other) => {
                *sum = match (sum.take(), &other) {
                    (Adjoint::Product(a, b), Adjoint::Product(..)) => {
                        Adjoint::Products { sum: None, terms: vec![(a, b)] }
                    }
                    (Adjoint::Padded(first), Adjoint::Padded(next)) if first.axis == next.axis => {
                        Adjoint::Concatenated(Concatenated::new(&first))
                    }
                    (sum, _) => Adjoint::Dense(sum.into_dense()),
                };
                sum.accumulate(other);
            }
        }
    }

    fn matmul_nt(&self, b: &Self) -> Self {
        let (a, b) = (self.dense(), b.dense().t());
        if a.rank() != 2 || b.rank() != 2 {
            return Adjoint::Dense(a.matmul(&b));
        }
        Adjoint::Product(a.into_owned(), b)
    }

    fn matmul_tn(&self, b: &Self) -> Self {
        let (a, b) = (self.dense().into_owned(), b.dense().into_owned());
        let rank = a.rank().max(b.rank());
        if a.rank() != b.rank() || a.dims()[..rank - 2] != b.dims()[..rank - 2] {
            return Adjoint::Dense(a.t().matmul(&b));
        }
        Adjoint::Product(a.t(), b)
    }

    fn sum_like(&self, x: &Self) -> Self {
        let (from, to) = (self.shape(), x.shape());
        match self {
            _ if from == to => self.clone(),
            // Summed over the batch, a product of stacks of matrices is the product of the matrices below one another.
            Adjoint::Product(a, b) if from[from.rank() - 2..] == to[..] => {
                let rows = |x: &Tensor<E>| {
                    let columns = x.dims()[x.rank() - 1];
                    let rows = x.dims()[..x.rank() - 1].iter().product();
                    x.reshape([rows, columns]) // [.., k, n] -> [.. k, n]
                };
                Adjoint::Product(rows(&a.t()).t(), rows(b))
            }
            _ => Adjoint::Dense(self.dense().sum_to(to)),
        }
    }

    fn reshape(&self, shape: Shape) -> Self {
        Adjoint::Dense(self.dense().reshape(shape))
    }

    fn pad(&self, axis: usize, start: usize, size: usize) -> Self {
        let part = self.dense().into_owned();
        Adjoint::Padded(Padded { part, axis, start, size })
    }

    fn tanh_grad(&self, y: &Self) -> Self {
        Adjoint::Dense(self.dense().zip(&y.dense(), |g, y| g * (E::from_f64(1.0) - y * y)))
    }

    fn sign_grad(&self, x: &Self) -> Self {
        let zero = E::default();
        let slope = |g: E, x: E| match () {
            () if x > zero => g,
            () if x < zero => -g,
            () => x, // 0 or NaN
        };
        Adjoint::Dense(self.dense().zip(&x.dense(), slope))
    }

    fn sigmoid_grad(&self, y: &Self) -> Self {
        Adjoint::Dense(self.dense().zip(&y.dense(), |g, y| g * y * (E::from_f64(1.0) - y)))
    }
}

/// The reading that overrides nothing: every rule as its default bodies say. The oracle of all fused kernels.
#[derive(Clone)]
pub struct Plain<E>(pub Tensor<E>);

impl<E: Scalar> fmt::Debug for Plain<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Plain").field(&self.0).finish()
    }
}

impl<E: Scalar> Value for Plain<E> {
    fn shape(&self) -> Shape {
        self.0.shape()
    }

    fn apply(op: Op, x: &[&Self]) -> Self {
        Plain(op.compute(&x.iter().map(|x| &x.0).collect::<Vec<_>>()))
    }
}
