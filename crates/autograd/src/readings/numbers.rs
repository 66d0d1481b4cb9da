//! The numeric reading of the rules: tensors, with fused kernels, and sums that stay unevaluated until they are read.

use std::borrow::Cow;
use std::fmt;

use retrograde_tensor::{Float, Scalar, Shape, Tensor};

use crate::op::Op;
use crate::readings::pending::{Concatenated, Padded};
use crate::readings::product::Product;
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
    /// A product over the last two axes.
    Product(Product<E>),
    /// `sum + Σ a · b`.
    Products { sum: Option<Tensor<E>>, terms: Vec<Product<E>> },
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
            Adjoint::Product(product) => product.value(),
            Adjoint::Products { sum, terms } => {
                let mut sum = sum.unwrap_or_else(|| terms[0].zeros());
                Product::add_all(&terms, &mut sum);
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
            Adjoint::Product(term) => Product::add_all(&[term], sum),
            Adjoint::Products { sum: None, terms } => Product::add_all(&terms, sum),
            Adjoint::Padded(padded) => sum.add_at(padded.axis, padded.start, &padded.part),
            pending => sum.add_assign(&pending.into_dense()),
        }
    }
}

impl<E: Float> Value for Adjoint<'_, E> {
    fn shape(&self) -> Shape {
        match self {
            Adjoint::Dense(value) => value.shape(),
            Adjoint::Kept(value) => value.shape(),
            Adjoint::Product(product) => product.shape(),
            Adjoint::Products { sum: Some(sum), .. } => sum.shape(),
            Adjoint::Products { terms, .. } => terms[0].shape(),
            Adjoint::Padded(padded) => padded.shape(),
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
        let shape: &[usize] = match x {
            Adjoint::Dense(x) => x.dims(),
            Adjoint::Kept(x) => x.dims(),
            Adjoint::Unread(shape) => shape,
            pending => return self.shape() == pending.shape(),
        };
        match self {
            Adjoint::Dense(value) => value.dims() == shape,
            Adjoint::Product(product) => product.has_shape(shape),
            Adjoint::Padded(padded) => padded.has_shape(shape),
            value => *value.shape() == *shape,
        }
    }

    fn accumulate(&mut self, other: Self) {
        match (self, other) {
            (Adjoint::Dense(sum), other) => Self::add_into(sum, other),
            (Adjoint::Products { sum, terms }, Adjoint::Product(term)) => {
                terms.push(term);
                if terms.len() * terms[0].terms() > ROWS {
                    Product::add_all(terms, sum.get_or_insert_with(|| terms[0].zeros()));
                    terms.clear();
                }
            }
            (Adjoint::Concatenated(parts), Adjoint::Padded(next)) if next.axis == parts.axis() => {
                parts.add(&next);
            }
            (sum, other) => {
                *sum = match (sum.take(), &other) {
                    (Adjoint::Product(first), Adjoint::Product(_)) => {
                        Adjoint::Products { sum: None, terms: vec![first] }
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
        let (a, b) = (self.dense(), b.dense());
        if a.rank() != 2 || b.rank() != 2 {
            return Adjoint::Dense(a.matmul(&b.t()));
        }
        Adjoint::Product(Product::nt(a.into_owned(), b.into_owned()))
    }

    fn matmul_tn(&self, b: &Self) -> Self {
        let (a, b) = (self.dense().into_owned(), b.dense().into_owned());
        let rank = a.rank().max(b.rank());
        if a.rank() != b.rank() || a.dims()[..rank - 2] != b.dims()[..rank - 2] {
            return Adjoint::Dense(a.t().matmul(&b));
        }
        Adjoint::Product(Product::tn(a, b))
    }

    fn sum_like(&self, x: &Self) -> Self {
        let (from, to) = (self.shape(), x.shape());
        match self {
            _ if from == to => self.clone(),
            Adjoint::Product(product) if from[from.rank() - 2..] == to[..] => {
                Adjoint::Product(product.summed())
            }
            _ => Adjoint::Dense(self.dense().sum_to(to)),
        }
    }

    fn reshape(&self, shape: Shape) -> Self {
        Adjoint::Dense(self.dense().reshape(shape))
    }

    fn pad(&self, axis: usize, start: usize, size: usize) -> Self {
        let part = self.dense().into_owned();
        let length = Some(part.dims()[axis]);
        Adjoint::Padded(Padded { part, axis, start, length, size })
    }

    fn place(&self, axis: usize, start: usize, size: usize) -> Self {
        Adjoint::Padded(Padded { part: self.dense().into_owned(), axis, start, length: None, size })
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
