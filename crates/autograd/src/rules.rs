//! The one page of derivative rules: the cotangent of every input of every operation.
//!
//! `g` is the cotangent of the output `y`, `x[i]` are the inputs; a row returns the cotangent of input `i`. A rule
//! never accumulates, never undoes broadcasting, never asks what needs a gradient and never fails: the sweep does the
//! first three, and shapes were checked when the operation was recorded. Because the table is generic over [`Value`], the same
//! rows compute numbers, record higher derivatives, and print the formulas:
//!
#![doc = include_str!("rules.md")]

use crate::op::Op;
use crate::value::Value;

/// The cotangent of input `i` of `op`, or `None` where the operation has no derivative with respect to it.
///
/// # Source
/// A. Griewank and A. Walther, *Evaluating Derivatives* (2008), chapter 3; for `matmul`, M. Giles, *An extended
/// collection of matrix derivative results* (2008), section 2.2.
pub fn cotangent<V: Value>(op: &Op, i: usize, x: &[V], y: &V, g: &V) -> Option<V> {
    use crate::op::Op::*;
    use crate::op::Unary::*;

    let d = match (op, i) {
        (Add | BroadcastTo(_), _) => g.clone(),
        (Sub, 0) => g.clone(),
        (Sub, _) => g.neg(),
        (Mul, _) => g.mul(&x[1 - i]),
        (Div, 0) => g.div(&x[1]),
        (Div, _) => g.mul(y).div(&x[1]).neg(),

        // Where a side is flat, a mask cuts the cotangent off: multiplied by 0, an infinite one would be NaN.
        // Elements that attain the extremum share its cotangent: halves for two, as at any kink a subgradient.
        (Maximum | Minimum, _) => {
            let ties = x[0].equal(y).add(&x[1].equal(y));
            g.masked(&x[i].equal(y), true).div(&ties)
        }
        (Max { .. }, _) => {
            let ties = x[0].equal(y);
            g.masked(&ties, true).div(&ties.sum_like(y))
        }
        (Clamp { .. }, _) => g.masked(&x[0].equal(y), true),
        (Unary(Relu), _) => g.sign_grad(y),
        (Unary(Abs), _) => g.sign_grad(&x[0]),
        (Unary(Sign | Floor | Round) | Compare(_), _) | (Where | Masked { .. }, 0) => return None,
        (Where, 1) => g.masked(&x[0], true),
        (Where, _) => g.masked(&x[0], false),
        (Masked { when }, _) => g.masked(&x[0], *when),

        (Unary(Neg), _) => g.neg(),
        (Scale(c), _) => g.scale(*c),
        (Shift(_), _) => g.clone(),
        (Unary(Tanh), _) => g.tanh_grad(y),
        (Unary(Sigmoid), _) => g.sigmoid_grad(y),
        (Unary(Softplus), _) => g.mul(&x[0].sigmoid()),
        (Unary(Exp), _) => g.mul(y),
        (Unary(Ln), _) => g.div(&x[0]),
        (Unary(Ln1p), _) => g.div(&x[0].plus(1.0)),
        (Unary(ExpM1), _) => g.mul(&x[0].exp()),
        (Unary(Erf), _) => g.mul(&x[0].square().neg().exp()).scale(std::f64::consts::FRAC_2_SQRT_PI),
        (Unary(Sqrt), _) => g.div(&y.scale(2.0)),
        (Unary(Square), _) => g.mul(&x[0].scale(2.0)),
        (Unary(Sin), _) => g.mul(&x[0].cos()),
        (Unary(Cos), _) => g.mul(&x[0].sin()).neg(),

        (Softmax { axis }, _) => g.softmax_grad(y, *axis),
        (LogSoftmax { axis }, _) => g.log_softmax_grad(y, *axis),
        (LogSumExp { axis }, _) => g.mul(&x[0].softmax(*axis)),

        (MatMul, 0) => g.matmul_nt(&x[1]), // g · x1ᵀ
        (MatMul, _) => x[0].matmul_tn(g),  // x0ᵀ · g

        (SumTo(_), _) => g.broadcast_like(&x[0]),
        (Reshape(_), _) => g.reshape(x[0].shape()),
        (Permute(axes), _) => g.permute(&inverse(axes)),
        (Narrow { axis, start, .. }, _) => g.pad(*axis, *start, x[0].shape()[*axis]),
        (Pad { axis, start, .. }, _) => g.narrow(*axis, *start, x[0].shape()[*axis]),
        (Select { axis, index }, _) => g.place(*axis, *index, x[0].shape()[*axis]),
        (Concat { axis, starts }, _) => g.narrow(*axis, starts[i], x[i].shape()[*axis]),
        (Stack { axis }, _) => g.select(*axis, i),
        (Gather(indices), _) => g.scatter(x[0].shape()[0], indices),
        (Scatter { indices, .. }, _) => g.gather(indices),
    };
    Some(d)
}

/// The permutation that undoes `axes`.
fn inverse(axes: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; axes.len()];
    for (to, &from) in axes.iter().enumerate() {
        inverse[from] = to;
    }
    inverse
}
