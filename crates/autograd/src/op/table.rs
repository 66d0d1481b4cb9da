//! All operations, a row each.

use std::fmt;

use retrograde_tensor::{Scalar, Shape, Tensor};

use super::{Comparison, Unary};
use crate::{Error, Result};

/// Makes the operations of rows: the variant with its attributes; the pattern that names them in what follows; the
/// name; the number of operands, `None` for any; the attributes as printed tapes show them; the shape; the value.
macro_rules! operations {
    ($(
        $(#[$doc:meta])*
        $variant:ident $(($inner:ty))? $({ $($(#[$field_doc:meta])* $field:ident: $type:ty,)* })?:
            $pattern:pat => $name:expr, $arity:expr, ($($shown:tt)*),
            |$op:ident, $s:ident| $shape:expr,
            |$x:ident| $value:expr;
    )*) => {
        /// An operation that a tape can record, with its attributes. Its operands are nodes of the tape.
        ///
        /// Large attributes are boxed: a tape holds one `Op` per node.
        ///
        /// Everything that is differentiable is written in these; [`rules::cotangent`](crate::rules::cotangent) has
        /// the derivative of each.
        #[derive(Clone, Debug, PartialEq)]
        #[non_exhaustive]
        pub enum Op {
            $($(#[$doc])* $variant $(($inner))? $({ $($(#[$field_doc])* $field: $type,)* })?,)*
        }

        #[allow(unused_variables)]
        impl Op {
            /// Returns the name in lower case, as errors and printed tapes give it.
            pub fn name(&self) -> &'static str {
                match self {
                    $($pattern => $name,)*
                }
            }

            /// Returns the number of operands, or `None` if it takes any number.
            pub fn arity(&self) -> Option<usize> {
                match self {
                    $($pattern => $arity,)*
                }
            }

            /// The shape of the result for the right number of operands.
            pub(super) fn infer(&self, x: &[Shape]) -> Result<Shape> {
                let name = self.name();
                Ok(match self {
                    $($pattern => {
                        let ($op, $s) = (name, x);
                        $shape
                    })*
                })
            }

            /// The value on operands whose shapes [`Op::shape`] has accepted.
            pub(crate) fn compute<S: Scalar>(&self, x: &[&Tensor<S>]) -> Tensor<S> {
                match self {
                    $($pattern => {
                        let $x = x;
                        $value
                    })*
                }
            }

            pub(super) fn write_attributes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $($pattern => write!(f, $($shown)*),)*
                }
            }
        }
    };
}

operations! {
    /// `x0 + x1`, broadcasting.
    Add: Op::Add => "add", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0] + x[1];
    /// `x0 - x1`, broadcasting.
    Sub: Op::Sub => "sub", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0] - x[1];
    /// `x0 ⊙ x1`, the elementwise product, broadcasting.
    Mul: Op::Mul => "mul", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0] * x[1];
    /// `x0 / x1`, elementwise, broadcasting.
    Div: Op::Div => "div", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0] / x[1];
    /// The larger of two elements, broadcasting.
    Maximum: Op::Maximum => "maximum", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0].maximum(x[1]);
    /// The smaller of two elements, broadcasting.
    Minimum: Op::Minimum => "minimum", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0].minimum(x[1]);
    /// A mask: 1 where the comparison holds, 0 elsewhere, broadcasting.
    Compare(Comparison): Op::Compare(comparison) => comparison.name(), Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| comparison.eval(x[0], x[1]);
    /// `x1` where the mask `x0` is not zero, `x2` elsewhere, broadcasting.
    Where: Op::Where => "where_mask", Some(3), (""),
        |op, s| Shape::broadcast(op, &s[0], &Shape::broadcast(op, &s[1], &s[2])?)?,
        |x| Tensor::where_mask(x[0], x[1], x[2]);
    /// `x1` where `(x0 != 0) == when`, zero elsewhere, broadcasting.
    Masked {
        /// Keep where the mask is set (`true`), or where it is not (`false`).
        when: bool,
    }: Op::Masked { when } => "masked", Some(2), (" where {}", if *when { "set" } else { "not set" }),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| if *when {
            Tensor::where_mask(x[0], x[1], &Tensor::zeros([]))
        } else {
            Tensor::where_mask(x[0], &Tensor::zeros([]), x[1])
        };
    /// A function of each element.
    Unary(Unary): Op::Unary(function) => function.name(), Some(1), (""),
        |op, s| s[0],
        |x| function.eval(x[0]);
    /// `c x` for a constant `c`.
    Scale(f64): Op::Scale(c) => "scale", Some(1), (" {c}"),
        |op, s| s[0],
        |x| x[0] * S::from_f64(*c);
    /// `x + c` for a constant `c`.
    Shift(f64): Op::Shift(c) => "shift", Some(1), (" {c}"),
        |op, s| s[0],
        |x| x[0] + S::from_f64(*c);
    /// `x` held within `[lo, hi]`.
    Clamp {
        /// The lower bound.
        lo: f64,
        /// The upper bound.
        hi: f64,
    }: Op::Clamp { lo, hi } => "clamp", Some(1), (" {lo}..={hi}"),
        |op, s| if lo <= hi { s[0] } else { return Err(Error::Bounds { op, lo: *lo, hi: *hi }) },
        |x| x[0].clamp(S::from_f64(*lo), S::from_f64(*hi));
    /// `exp(x) / Σ exp(x)` along an axis.
    Softmax {
        /// The axis that sums to one.
        axis: usize,
    }: Op::Softmax { axis } => "softmax", Some(1), (" axis {axis}"),
        |op, s| s[0].require_axis(op, *axis)?,
        |x| x[0].softmax(*axis);
    /// `x - ln Σ exp(x)` along an axis.
    LogSoftmax {
        /// The axis whose exponentials sum to one.
        axis: usize,
    }: Op::LogSoftmax { axis } => "log_softmax", Some(1), (" axis {axis}"),
        |op, s| s[0].require_axis(op, *axis)?,
        |x| x[0].log_softmax(*axis);
    /// `ln Σ exp(x)` along an axis, which stays with size 1.
    LogSumExp {
        /// The axis that is summed.
        axis: usize,
    }: Op::LogSumExp { axis } => "logsumexp", Some(1), (" axis {axis}"),
        |op, s| s[0].reduced(op, &[*axis])?,
        |x| x[0].logsumexp(*axis, true);
    /// The largest element over axes, which stay with size 1.
    Max {
        /// The axes that are searched.
        axes: Vec<usize>,
    }: Op::Max { axes } => "max", Some(1), (" axes {axes:?}"),
        |op, s| s[0].reduced_non_empty(op, axes)?,
        |x| x[0].max_axes(axes, true);
    /// Sums over the axes that broadcasting had added or stretched: the transpose of [`Op::BroadcastTo`].
    SumTo(Box<Shape>): Op::SumTo(to) => "sum_to", Some(1), (" {to}"),
        |op, s| to.broadcast_to(op, s[0]).map(|_| **to)?,
        |x| x[0].sum_to(**to);
    /// Repeats along new axes and along axes of size 1.
    BroadcastTo(Box<Shape>): Op::BroadcastTo(to) => "broadcast_to", Some(1), (" {to}"),
        |op, s| s[0].broadcast_to(op, **to)?,
        |x| x[0].broadcast_to(**to);
    /// The matrix product over the last two axes, broadcasting the others; both operands have rank 2 or more.
    MatMul: Op::MatMul => "matmul", Some(2), (""),
        |op, s| s[0].matmul(op, &s[1])?,
        |x| x[0].matmul(x[1]);
    /// The same elements, in row-major order, in another shape.
    Reshape(Box<Shape>): Op::Reshape(to) => "reshape", Some(1), (" {to}"),
        |op, s| s[0].reshaped(op, **to)?,
        |x| x[0].reshape(**to);
    /// Axis `i` of the result is axis `axes[i]` of the operand.
    Permute(Vec<usize>): Op::Permute(axes) => "permute", Some(1), (" {axes:?}"),
        |op, s| s[0].permuted(op, axes)?,
        |x| x[0].permute(axes);
    /// `length` entries along `axis`, from `start`.
    Narrow {
        /// The axis that is cut.
        axis: usize,
        /// The first entry.
        start: usize,
        /// The number of entries.
        length: usize,
    }: Op::Narrow { axis, start, length } => "narrow", Some(1),
        (" axis {axis}, {start}..{}", start.saturating_add(*length)),
        |op, s| s[0].narrowed(op, *axis, *start, *length)?,
        |x| x[0].narrow(*axis, *start, *length);
    /// Zeros of size `size` along `axis`, with the operand placed from `start`: the transpose of [`Op::Narrow`].
    Pad {
        /// The axis that grows.
        axis: usize,
        /// Where the operand begins.
        start: usize,
        /// The size of the result along `axis`.
        size: usize,
    }: Op::Pad { axis, start, size } => "pad", Some(1), (" axis {axis}, from {start} of {size}"),
        |op, s| {
            let padded = s[0].try_with_axis(op, *axis, *size)?;
            padded.narrowed(op, *axis, *start, s[0][*axis])?;
            padded
        },
        |x| {
            let mut y = Tensor::zeros(x[0].shape().with_axis(*axis, *size));
            y.add_at(*axis, *start, x[0]);
            y
        };
    /// Entry `index` along `axis`, which disappears.
    Select {
        /// The axis that disappears.
        axis: usize,
        /// The entry.
        index: usize,
    }: Op::Select { axis, index } => "select", Some(1), (" axis {axis}, {index}"),
        |op, s| s[0].selected(op, *axis, *index)?,
        |x| x[0].select(*axis, *index);
    /// Operands end to end along an axis; operand `i` begins at `starts[i]`.
    Concat {
        /// The axis that grows.
        axis: usize,
        /// Where each operand begins: the sum of the sizes before it.
        starts: Vec<usize>,
    }: Op::Concat { axis, starts } => "concat", None, (" axis {axis}"),
        |op, s| {
            let joined = Shape::concatenated(op, s, *axis)?;
            let sizes = s.iter().map(|s| s[*axis]);
            let expected = sizes.scan(0, |end, size| Some(std::mem::replace(end, *end + size)));
            if !expected.clone().eq(starts.iter().copied()) {
                return Err(Error::Starts { op, expected: expected.collect(), found: starts.clone() });
            }
            joined
        },
        |x| Tensor::concat(x, *axis);
    /// Operands side by side along a new axis.
    Stack {
        /// The new axis.
        axis: usize,
    }: Op::Stack { axis } => "stack", None, (" axis {axis}"),
        |op, s| Shape::stacked(op, s, *axis)?,
        |x| Tensor::stack(x, *axis);
    /// Rows of a table: `[V, ..] -> [indices.., ..]`.
    Gather(Box<Tensor<usize>>): Op::Gather(indices) => "gather_rows", Some(1), (" by {}", indices.shape()),
        |op, s| s[0].gathered(op, indices)?,
        |x| x[0].gather_rows(indices);
    /// Rows added up where they came from, `[indices.., ..] -> [rows, ..]`: the transpose of [`Op::Gather`].
    Scatter {
        /// The number of rows of the result.
        rows: usize,
        /// The row of the result that each row of the operand is added to.
        indices: Box<Tensor<usize>>,
    }: Op::Scatter { rows, indices } => "scatter_add_rows", Some(1), (" {rows} by {}", indices.shape()),
        |op, s| s[0].scattered(op, *rows, indices)?,
        |x| x[0].scatter_add_rows(*rows, indices);
}
