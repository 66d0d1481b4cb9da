//! All operations, a row each.

use std::fmt;

use retrograde_tensor::{Scalar, Shape, Tensor};

use super::{Comparison, Unary};
use crate::{Error, Result};

/// Makes the operations of rows: the variant with its attributes; the pattern that names them in what follows; the
/// name; the number of operands, `None` for any; the attributes as printed tapes show them; the shape; the value. In the
/// last two, `op` is the name.
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

        /// The rows, in order.
        enum Row {
            $($variant,)*
        }

        #[allow(unused_variables)]
        impl Op {
            /// The number of kinds of operations: rows, and functions of one element.
            pub(crate) const KINDS: usize = [$(Row::$variant),*].len() + Unary::ALL.len();

            /// The number of its kind, below [`KINDS`](Self::KINDS): attributes make no other kind, but functions of one
            /// element are told apart.
            pub(crate) fn kind(&self) -> usize {
                if let Op::Unary(function) = self {
                    return *function as usize;
                }
                let row = match self {
                    $($pattern => Row::$variant,)*
                };
                row as usize + Unary::ALL.len()
            }

            /// Returns the name in lower case, as errors and printed tapes give it.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self {
                    $($pattern => $name,)*
                }
            }

            /// Returns the number of operands, or `None` if it takes any number.
            #[must_use]
            pub fn arity(&self) -> Option<usize> {
                match self {
                    $($pattern => $arity,)*
                }
            }

            /// The shape of the result for the right number of operands.
            pub(super) fn infer(&self, x: &[Shape]) -> Result<Shape> {
                Ok(match self {
                    $($pattern => {
                        let ($op, $s) = ($name, x);
                        $shape
                    })*
                })
            }

            /// The value for the right number of operands. It fails where [`Op::shape`] does, and where memory does
            /// not hold it.
            pub(super) fn evaluate<S: Scalar>(&self, x: &[&Tensor<S>]) -> Result<Tensor<S>> {
                Ok(match self {
                    $($pattern => {
                        let ($op, $x) = ($name, x);
                        $value
                    })*
                })
            }

            pub(super) fn write_attributes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $($pattern => write!(f, $($shown)*),)*
                }
            }
        }
    };
}

/// The operand of a function of each element, whose result has its size: a view may be larger than memory.
fn fitting<'x, S: Scalar>(op: &'static str, x: &'x Tensor<S>) -> Result<&'x Tensor<S>> {
    x.shape().require_memory::<S>(op)?;
    Ok(x)
}

/// The shape of zeros of size `size` along `axis`, in which `part` is placed from `start`.
fn padded(op: &'static str, part: &Shape, axis: usize, start: usize, size: usize) -> Result<Shape> {
    let whole = part.try_with_axis(op, axis, size)?;
    whole.narrowed(op, axis, start, part[axis])?;
    Ok(whole)
}

/// Bounds between which there is a number.
fn ordered(op: &'static str, lo: f64, hi: f64) -> Result<(f64, f64)> {
    if lo <= hi { Ok((lo, hi)) } else { Err(Error::Bounds { op, lo, hi }) }
}

/// Checks that each of several sizes starts where those in front of it end.
fn end_to_end(op: &'static str, sizes: impl Iterator<Item = usize> + Clone, starts: &[usize]) -> Result<()> {
    let expected = sizes.scan(0, |end, size| Some(std::mem::replace(end, *end + size)));
    if expected.clone().eq(starts.iter().copied()) {
        return Ok(());
    }
    Err(Error::Starts { op, expected: expected.collect(), found: starts.to_vec() })
}

operations! {
    /// `x0 + x1`, broadcasting.
    Add: Op::Add => "add", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0].try_add(x[1])?;
    /// `x0 - x1`, broadcasting.
    Sub: Op::Sub => "sub", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0].try_sub(x[1])?;
    /// `x0 ⊙ x1`, the elementwise product, broadcasting.
    Mul: Op::Mul => "mul", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0].try_mul(x[1])?;
    /// `x0 / x1`, elementwise, broadcasting.
    Div: Op::Div => "div", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0].try_div(x[1])?;
    /// The larger of two elements, broadcasting.
    Maximum: Op::Maximum => "maximum", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0].try_maximum(x[1])?;
    /// The smaller of two elements, broadcasting.
    Minimum: Op::Minimum => "minimum", Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| x[0].try_minimum(x[1])?;
    /// A mask: 1 where the comparison holds, 0 elsewhere, broadcasting.
    Compare(Comparison): Op::Compare(comparison) => comparison.name(), Some(2), (""),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| comparison.eval(x[0], x[1])?;
    /// `x1` where the mask `x0` is not zero, `x2` elsewhere, broadcasting.
    Where: Op::Where => "where_mask", Some(3), (""),
        |op, s| Shape::broadcast(op, &s[0], &Shape::broadcast(op, &s[1], &s[2])?)?,
        |x| Tensor::try_where_mask(x[0], x[1], x[2])?;
    /// `x1` where `(x0 != 0) == when`, zero elsewhere, broadcasting.
    Masked {
        /// Keep where the mask is set (`true`), or where it is not (`false`).
        when: bool,
    }: Op::Masked { when } => "masked", Some(2), (" where {}", if *when { "set" } else { "not set" }),
        |op, s| Shape::broadcast(op, &s[0], &s[1])?,
        |x| {
            let zero = &Tensor::zeros([]);
            let [set, not_set] = if *when { [x[1], zero] } else { [zero, x[1]] };
            Tensor::try_where_mask(x[0], set, not_set)?
        };
    /// A function of each element.
    Unary(Unary): Op::Unary(function) => function.name(), Some(1), (""),
        |op, s| s[0],
        |x| function.eval(fitting(op, x[0])?);
    /// `c x` for a constant `c`.
    Scale(f64): Op::Scale(c) => "scale", Some(1), (" {c}"),
        |op, s| s[0],
        |x| fitting(op, x[0])? * S::from_f64(*c);
    /// `x + c` for a constant `c`.
    Shift(f64): Op::Shift(c) => "shift", Some(1), (" {c}"),
        |op, s| s[0],
        |x| fitting(op, x[0])? + S::from_f64(*c);
    /// `x` held within `[lo, hi]`.
    Clamp {
        /// The lower bound.
        lo: f64,
        /// The upper bound.
        hi: f64,
    }: Op::Clamp { lo, hi } => "clamp", Some(1), (" {lo}..={hi}"),
        |op, s| ordered(op, *lo, *hi).map(|_| s[0])?,
        |x| {
            let (lo, hi) = ordered(op, *lo, *hi)?;
            fitting(op, x[0])?.clamp(S::from_f64(lo), S::from_f64(hi))
        };
    /// `exp(x) / Σ exp(x)` along an axis.
    Softmax {
        /// The axis that sums to one.
        axis: usize,
    }: Op::Softmax { axis } => "softmax", Some(1), (" axis {axis}"),
        |op, s| s[0].require_axis(op, *axis)?,
        |x| x[0].try_softmax(*axis)?;
    /// `x - ln Σ exp(x)` along an axis.
    LogSoftmax {
        /// The axis whose exponentials sum to one.
        axis: usize,
    }: Op::LogSoftmax { axis } => "log_softmax", Some(1), (" axis {axis}"),
        |op, s| s[0].require_axis(op, *axis)?,
        |x| x[0].try_log_softmax(*axis)?;
    /// `ln Σ exp(x)` along an axis, which stays with size 1.
    LogSumExp {
        /// The axis that is summed.
        axis: usize,
    }: Op::LogSumExp { axis } => "logsumexp", Some(1), (" axis {axis}"),
        |op, s| s[0].reduced(op, &[*axis])?,
        |x| x[0].try_logsumexp(*axis, true)?;
    /// The largest element over axes, which stay with size 1.
    Max {
        /// The axes that are searched.
        axes: Vec<usize>,
    }: Op::Max { axes } => "max", Some(1), (" axes {axes:?}"),
        |op, s| s[0].reduced_non_empty(op, axes)?,
        |x| x[0].try_max_axes(axes, true)?;
    /// Sums over the axes that broadcasting had added or stretched: the transpose of [`Op::BroadcastTo`].
    SumTo(Box<Shape>): Op::SumTo(to) => "sum_to", Some(1), (" {to}"),
        |op, s| to.broadcast_to(op, s[0]).map(|_| **to)?,
        |x| x[0].try_sum_to(**to)?;
    /// Repeats along new axes and along axes of size 1.
    BroadcastTo(Box<Shape>): Op::BroadcastTo(to) => "broadcast_to", Some(1), (" {to}"),
        |op, s| s[0].broadcast_to(op, **to)?,
        |x| x[0].try_broadcast_to(**to)?;
    /// The matrix product over the last two axes, broadcasting the others; both operands have rank 2 or more.
    MatMul: Op::MatMul => "matmul", Some(2), (""),
        |op, s| s[0].matmul(op, &s[1])?,
        |x| {
            if let Some(x) = x.iter().find(|x| x.rank() < 2) {
                x.shape().require_rank(op, 2)?;
            }
            x[0].try_matmul(x[1])?
        };
    /// The same elements, in row-major order, in another shape.
    Reshape(Box<Shape>): Op::Reshape(to) => "reshape", Some(1), (" {to}"),
        |op, s| s[0].reshaped(op, **to)?,
        |x| x[0].try_reshape(**to)?;
    /// Axis `i` of the result is axis `axes[i]` of the operand.
    Permute(Vec<usize>): Op::Permute(axes) => "permute", Some(1), (" {axes:?}"),
        |op, s| s[0].permuted(op, axes)?,
        |x| x[0].try_permute(axes)?;
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
        |x| x[0].try_narrow(*axis, *start, *length)?;
    /// Zeros of size `size` along `axis`, with the operand placed from `start`: the transpose of [`Op::Narrow`].
    Pad {
        /// The axis that grows.
        axis: usize,
        /// Where the operand begins.
        start: usize,
        /// The size of the result along `axis`.
        size: usize,
    }: Op::Pad { axis, start, size } => "pad", Some(1), (" axis {axis}, from {start} of {size}"),
        |op, s| padded(op, &s[0], *axis, *start, *size)?,
        |x| {
            let shape = padded(op, &x[0].shape(), *axis, *start, *size)?;
            shape.require_memory::<S>(op)?;
            let mut y = Tensor::zeros(shape);
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
        |x| x[0].try_select(*axis, *index)?;
    /// Operands end to end along an axis; operand `i` begins at `starts[i]`.
    Concat {
        /// The axis that grows.
        axis: usize,
        /// Where each operand begins: the sum of the sizes before it.
        starts: Vec<usize>,
    }: Op::Concat { axis, starts } => "concat", None, (" axis {axis}"),
        |op, s| {
            let joined = Shape::concatenated(op, s, *axis)?;
            end_to_end(op, s.iter().map(|s| s[*axis]), starts)?;
            joined
        },
        |x| {
            let joined = Tensor::try_concat(x, *axis)?;
            end_to_end(op, x.iter().map(|x| x.dims()[*axis]), starts)?;
            joined
        };
    /// Operands side by side along a new axis.
    Stack {
        /// The new axis.
        axis: usize,
    }: Op::Stack { axis } => "stack", None, (" axis {axis}"),
        |op, s| Shape::stacked(op, s, *axis)?,
        |x| Tensor::try_stack(x, *axis)?;
    /// Rows of a table: `[V, ..] -> [indices.., ..]`.
    Gather(Box<Tensor<usize>>): Op::Gather(indices) => "gather_rows", Some(1), (" by {}", indices.shape()),
        |op, s| s[0].gathered(op, indices)?,
        |x| x[0].try_gather_rows(indices)?;
    /// Rows added up where they came from, `[indices.., ..] -> [rows, ..]`: the transpose of [`Op::Gather`].
    Scatter {
        /// The number of rows of the result.
        rows: usize,
        /// The row of the result that each row of the operand is added to.
        indices: Box<Tensor<usize>>,
    }: Op::Scatter { rows, indices } => "scatter_add_rows", Some(1), (" {rows} by {}", indices.shape()),
        |op, s| s[0].scattered(op, *rows, indices)?,
        |x| x[0].try_scatter_add_rows(*rows, indices)?;
}
