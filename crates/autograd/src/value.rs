//! The values that rules are read over.

use retrograde_tensor::{Shape, Tensor};

use crate::op::{Comparison, Op, Unary};

/// A kind of value that the table of rules is read over: numbers, recorded variables, formulas, sets of reads.
///
/// [`apply`](Value::apply) is the one required operation. Every other method is a default whose body says what it
/// means; an implementor may override it with a fused kernel, which is then tested against the default.
pub trait Value: Clone {
    /// The shape of the value. Asking for it does not read the elements.
    fn shape(&self) -> Shape;

    /// The result of an operation on values whose shapes fit it.
    fn apply(op: Op, x: &[&Self]) -> Self;

    /// `self += other`: how the sweep adds up the cotangents that reach one node.
    fn accumulate(&mut self, other: Self) {
        *self = self.add(&other);
    }

    /// Whether the value has the shape of `x`.
    fn has_shape_of(&self, x: &Self) -> bool {
        self.shape() == x.shape()
    }

    /// Evaluates what is left to evaluate: rules read the value once all contributions have been added up.
    fn finish(&mut self) {}

    /// `g ⊙ (1 - y²)`, for `y = tanh(x)`.
    fn tanh_grad(&self, y: &Self) -> Self {
        self.mul(&y.square().one_minus())
    }
    /// `g ⊙ y ⊙ (1 - y)`, for `y = sigmoid(x)`.
    fn sigmoid_grad(&self, y: &Self) -> Self {
        self.mul(y).mul(&y.one_minus())
    }
    /// `g ⊙ sign(x)`, and 0 where `x` is 0, however large `g`: the derivative of `|x|`, and of `max(x, 0)`, whose output
    /// has the sign of its slope.
    fn sign_grad(&self, x: &Self) -> Self {
        self.mul(&x.sign()).masked(x, true)
    }
    /// `y ⊙ (g - Σ g ⊙ y)`, for `y = softmax(x)` along `axis`.
    fn softmax_grad(&self, y: &Self, axis: usize) -> Self {
        y.mul(&self.sub(&self.mul(y).sum_axis(axis)))
    }
    /// `g - eʸ Σ g`, for `y = log_softmax(x)` along `axis`.
    fn log_softmax_grad(&self, y: &Self, axis: usize) -> Self {
        self.sub(&y.exp().mul(&self.sum_axis(axis)))
    }
    /// `a · bᵀ` over the last two axes.
    fn matmul_nt(&self, b: &Self) -> Self {
        Self::apply(Op::MatMul, &[self, &b.transposed()])
    }
    /// `aᵀ · b` over the last two axes.
    fn matmul_tn(&self, b: &Self) -> Self {
        Self::apply(Op::MatMul, &[&self.transposed(), b])
    }
    /// `aᵀ`: the last two axes change places.
    fn transposed(&self) -> Self {
        let rank = self.shape().rank();
        let mut axes: Vec<usize> = (0..rank).collect();
        axes.swap(rank - 2, rank - 1);
        self.permute(&axes)
    }
    /// `1 - x`.
    fn one_minus(&self) -> Self {
        self.neg().plus(1.0)
    }
    /// Sums over what broadcasting had stretched, down to the shape of `x`.
    fn sum_like(&self, x: &Self) -> Self {
        if self.shape() == x.shape() {
            self.clone()
        } else {
            Self::apply(Op::SumTo(Box::new(x.shape())), &[self])
        }
    }
    /// Repeats up to the shape of `x`.
    fn broadcast_like(&self, x: &Self) -> Self {
        if self.shape() == x.shape() {
            self.clone()
        } else {
            Self::apply(Op::BroadcastTo(Box::new(x.shape())), &[self])
        }
    }
    /// Sums over one axis, which stays with size 1.
    fn sum_axis(&self, axis: usize) -> Self {
        Self::apply(Op::SumTo(Box::new(self.shape().with_axis(axis, 1))), &[self])
    }
    /// The same elements in another shape.
    fn reshape(&self, shape: Shape) -> Self {
        if self.shape() == shape { self.clone() } else { Self::apply(Op::Reshape(Box::new(shape)), &[self]) }
    }
    /// Zeros of size `size` along `axis`, with `self` placed from `start`.
    fn pad(&self, axis: usize, start: usize, size: usize) -> Self {
        Self::apply(Op::Pad { axis, start, size }, &[self])
    }
    /// Zeros of size `size` along a new axis, with `self` placed at `index`.
    fn place(&self, axis: usize, index: usize, size: usize) -> Self {
        self.reshape(self.shape().inserted(axis, 1)).pad(axis, index, size)
    }

    /// `self + b`
    fn add(&self, b: &Self) -> Self {
        Self::apply(Op::Add, &[self, b])
    }
    /// `self - b`
    fn sub(&self, b: &Self) -> Self {
        Self::apply(Op::Sub, &[self, b])
    }
    /// `self ⊙ b`
    fn mul(&self, b: &Self) -> Self {
        Self::apply(Op::Mul, &[self, b])
    }
    /// `self / b`
    fn div(&self, b: &Self) -> Self {
        Self::apply(Op::Div, &[self, b])
    }
    /// 1 where `self == b`, else 0.
    fn equal(&self, b: &Self) -> Self {
        Self::apply(Op::Compare(Comparison::Eq), &[self, b])
    }
    /// `self` where `(mask != 0) == when`, else 0.
    fn masked(&self, mask: &Self, when: bool) -> Self {
        Self::apply(Op::Masked { when }, &[mask, self])
    }
    /// `-self`
    fn neg(&self) -> Self {
        Self::apply(Op::Unary(Unary::Neg), &[self])
    }
    /// `c self`
    fn scale(&self, c: f64) -> Self {
        Self::apply(Op::Scale(c), &[self])
    }
    /// `self + c`
    fn plus(&self, c: f64) -> Self {
        Self::apply(Op::Shift(c), &[self])
    }
    /// `e` to the power of each element.
    fn exp(&self) -> Self {
        Self::apply(Op::Unary(Unary::Exp), &[self])
    }
    /// `self²`
    fn square(&self) -> Self {
        Self::apply(Op::Unary(Unary::Square), &[self])
    }
    /// The sign of each element.
    fn sign(&self) -> Self {
        Self::apply(Op::Unary(Unary::Sign), &[self])
    }
    /// The logistic function.
    fn sigmoid(&self) -> Self {
        Self::apply(Op::Unary(Unary::Sigmoid), &[self])
    }
    /// The sine.
    fn sin(&self) -> Self {
        Self::apply(Op::Unary(Unary::Sin), &[self])
    }
    /// The cosine.
    fn cos(&self) -> Self {
        Self::apply(Op::Unary(Unary::Cos), &[self])
    }
    /// The softmax along `axis`.
    fn softmax(&self, axis: usize) -> Self {
        Self::apply(Op::Softmax { axis }, &[self])
    }
    /// Axis `i` of the result is axis `axes[i]`.
    fn permute(&self, axes: &[usize]) -> Self {
        Self::apply(Op::Permute(axes.to_vec()), &[self])
    }
    /// `length` entries along `axis`, from `start`.
    fn narrow(&self, axis: usize, start: usize, length: usize) -> Self {
        Self::apply(Op::Narrow { axis, start, length }, &[self])
    }
    /// Entry `index` along `axis`, which disappears.
    fn select(&self, axis: usize, index: usize) -> Self {
        Self::apply(Op::Select { axis, index }, &[self])
    }
    /// Rows of `self` by index.
    fn gather(&self, indices: &Tensor<usize>) -> Self {
        Self::apply(Op::Gather(Box::new(indices.clone())), &[self])
    }
    /// Rows of `self` added up into a table of `rows` rows.
    fn scatter(&self, rows: usize, indices: &Tensor<usize>) -> Self {
        Self::apply(Op::Scatter { rows, indices: Box::new(indices.clone()) }, &[self])
    }
}
