//! The forward reading of an operation: its shape, and its value on tensors of any scalar.

use retrograde_tensor::{Scalar, Shape, Tensor};

use crate::op::{Comparison, Op};
use crate::{Error, Result};

impl Op {
    /// The shape of the result for operands of shapes `x`.
    ///
    /// # Errors
    /// Where the operands do not fit the operation: the only way in which an operation can fail.
    pub fn shape(&self, x: &[Shape]) -> Result<Shape> {
        let shape = match self {
            Op::Add
            | Op::Sub
            | Op::Mul
            | Op::Div
            | Op::Maximum
            | Op::Minimum
            | Op::Compare(_)
            | Op::Masked { .. } => Shape::broadcast(self.name(), &x[0], &x[1])?,
            Op::Where => {
                let branches = Shape::broadcast(self.name(), &x[1], &x[2])?;
                Shape::broadcast(self.name(), &x[0], &branches)?
            }
            Op::Unary(_) | Op::Scale(_) | Op::Shift(_) => x[0],
            Op::Clamp { lo, hi } if lo <= hi => x[0],
            Op::Clamp { lo, hi } => return Err(Error::Bounds { op: self.name(), lo: *lo, hi: *hi }),
            Op::Softmax { axis } | Op::LogSoftmax { axis } => x[0].require_axis(self.name(), *axis)?,
            Op::LogSumExp { axis } => x[0].reduced(self.name(), &[*axis])?,
            Op::Max { axes } => x[0].reduced_non_empty(self.name(), axes)?,
            Op::SumTo(to) => to.broadcast_to(self.name(), x[0]).map(|_| **to)?,
            Op::BroadcastTo(to) => x[0].broadcast_to(self.name(), **to)?,
            Op::MatMul => x[0].matmul(self.name(), &x[1])?,
            Op::Reshape(to) => x[0].reshaped(self.name(), **to)?,
            Op::Permute(axes) => x[0].permuted(self.name(), axes)?,
            Op::Narrow { axis, start, length } => x[0].narrowed(self.name(), *axis, *start, *length)?,
            Op::Pad { axis, start, size } => {
                let padded = x[0].require_axis(self.name(), *axis)?.with_axis(*axis, *size);
                padded.narrowed(self.name(), *axis, *start, x[0][*axis]).map(|_| padded)?
            }
            Op::Select { axis, index } => x[0].selected(self.name(), *axis, *index)?,
            Op::Concat { axis, .. } => Shape::concatenated(self.name(), x, *axis)?,
            Op::Stack { axis } => Shape::stacked(self.name(), x, *axis)?,
            Op::Gather(indices) => x[0].gathered(self.name(), indices)?,
            Op::Scatter { rows, indices } => x[0].scattered(self.name(), *rows, indices)?,
        };
        Ok(shape)
    }

    /// The value of the operation on `x`, whose shapes [`Op::shape`] has accepted.
    ///
    /// Generic over the scalar: with `f32` and `f64` it computes, with dual numbers it differentiates forwards.
    pub fn eval<S: Scalar>(&self, x: &[&Tensor<S>]) -> Tensor<S> {
        match self {
            Op::Add => x[0] + x[1],
            Op::Sub => x[0] - x[1],
            Op::Mul => x[0] * x[1],
            Op::Div => x[0] / x[1],
            Op::Maximum => x[0].maximum(x[1]),
            Op::Minimum => x[0].minimum(x[1]),
            Op::Compare(Comparison::Gt) => x[0].gt(x[1]),
            Op::Compare(Comparison::Ge) => x[0].ge(x[1]),
            Op::Compare(Comparison::Lt) => x[0].lt(x[1]),
            Op::Compare(Comparison::Le) => x[0].le(x[1]),
            Op::Compare(Comparison::Eq) => x[0].eq_mask(x[1]),
            Op::Compare(Comparison::Ne) => x[0].ne_mask(x[1]),
            Op::Where => Tensor::where_mask(x[0], x[1], x[2]),
            Op::Masked { when: true } => Tensor::where_mask(x[0], x[1], &Tensor::zeros([])),
            Op::Masked { when: false } => Tensor::where_mask(x[0], &Tensor::zeros([]), x[1]),
            Op::Unary(function) => function.eval(x[0]),
            Op::Scale(c) => x[0] * S::from_f64(*c),
            Op::Shift(c) => x[0] + S::from_f64(*c),
            Op::Clamp { lo, hi } => x[0].clamp(S::from_f64(*lo), S::from_f64(*hi)),
            Op::Softmax { axis } => x[0].softmax(*axis),
            Op::LogSoftmax { axis } => x[0].log_softmax(*axis),
            Op::LogSumExp { axis } => x[0].logsumexp(*axis, true),
            Op::Max { axes } => x[0].max_axes(axes, true),
            Op::SumTo(to) => x[0].sum_to(**to),
            Op::BroadcastTo(to) => x[0].broadcast_to(**to),
            Op::MatMul => x[0].matmul(x[1]),
            Op::Reshape(to) => x[0].reshape(**to),
            Op::Permute(axes) => x[0].permute(axes),
            Op::Narrow { axis, start, length } => x[0].narrow(*axis, *start, *length),
            Op::Pad { axis, start, size } => {
                let mut y = Tensor::zeros(x[0].shape().with_axis(*axis, *size));
                y.add_at(*axis, *start, x[0]);
                y
            }
            Op::Select { axis, index } => x[0].select(*axis, *index),
            Op::Concat { axis, .. } => Tensor::concat(x, *axis),
            Op::Stack { axis } => Tensor::stack(x, *axis),
            Op::Gather(indices) => x[0].gather_rows(indices),
            Op::Scatter { rows, indices } => x[0].scatter_add_rows(*rows, indices),
        }
    }
}
