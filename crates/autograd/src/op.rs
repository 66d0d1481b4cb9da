//! The closed set of operations: what each is called, the shape it gives, and how it is computed.

use retrograde_tensor::{Shape, Tensor};

/// An operation that a tape can record, with its attributes. Its operands are nodes of the tape.
///
/// Large attributes are boxed: a tape holds one `Op` a node.
///
/// Everything that is differentiable is written in these; [`rules::cotangent`](crate::rules::cotangent) has the
/// derivative of each.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Op {
    /// `x0 + x1`, broadcasting.
    Add,
    /// `x0 - x1`, broadcasting.
    Sub,
    /// `x0 ⊙ x1`, the elementwise product, broadcasting.
    Mul,
    /// `x0 / x1`, elementwise, broadcasting.
    Div,
    /// The larger of two elements, broadcasting.
    Maximum,
    /// The smaller of two elements, broadcasting.
    Minimum,
    /// A mask: 1 where the comparison holds, 0 elsewhere, broadcasting.
    Compare(Comparison),
    /// `x1` where the mask `x0` is not zero, `x2` elsewhere, broadcasting.
    Where,
    /// `x1` where `(x0 != 0) == when`, zero elsewhere, broadcasting.
    Masked {
        /// Keep where the mask is set (`true`), or where it is not (`false`).
        when: bool,
    },
    /// `-x`.
    Neg,
    /// `c x` for a constant `c`.
    Scale(f64),
    /// `x + c` for a constant `c`.
    Shift(f64),
    /// The hyperbolic tangent.
    Tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// `max(x, 0)`.
    Relu,
    /// `eˣ`.
    Exp,
    /// The natural logarithm.
    Ln,
    /// The square root.
    Sqrt,
    /// `x²`.
    Square,
    /// The sine, of radians.
    Sin,
    /// The cosine, of radians.
    Cos,
    /// `|x|`.
    Abs,
    /// -1, 0 or 1.
    Sign,
    /// `x` held within `[lo, hi]`.
    Clamp {
        /// The lower bound.
        lo: f64,
        /// The upper bound.
        hi: f64,
    },
    /// `exp(x) / Σ exp(x)` along an axis.
    Softmax {
        /// The axis that sums to one.
        axis: usize,
    },
    /// `x - ln Σ exp(x)` along an axis.
    LogSoftmax {
        /// The axis whose exponentials sum to one.
        axis: usize,
    },
    /// `ln Σ exp(x)` along an axis, which stays with size 1.
    LogSumExp {
        /// The axis that is summed.
        axis: usize,
    },
    /// The largest element over axes, which stay with size 1.
    Max {
        /// The axes that are searched.
        axes: Vec<usize>,
    },
    /// Sums over the axes that broadcasting had added or stretched: the transpose of [`Op::BroadcastTo`].
    SumTo(Shape),
    /// Repeats along new axes and along axes of size 1.
    BroadcastTo(Shape),
    /// The matrix product over the last two axes, broadcasting the others; both operands have rank 2 or more.
    MatMul,
    /// The same elements, in row-major order, in another shape.
    Reshape(Shape),
    /// Axis `i` of the result is axis `axes[i]` of the operand.
    Permute(Vec<usize>),
    /// `length` entries along `axis`, from `start`.
    Narrow {
        /// The axis that is cut.
        axis: usize,
        /// The first entry.
        start: usize,
        /// How many entries.
        length: usize,
    },
    /// Zeros of size `size` along `axis`, with the operand placed from `start`: the transpose of [`Op::Narrow`].
    Pad {
        /// The axis that grows.
        axis: usize,
        /// Where the operand begins.
        start: usize,
        /// The size of the result along `axis`.
        size: usize,
    },
    /// Entry `index` along `axis`, which disappears.
    Select {
        /// The axis that disappears.
        axis: usize,
        /// The entry.
        index: usize,
    },
    /// Operands end to end along an axis; operand `i` begins at `starts[i]`.
    Concat {
        /// The axis that grows.
        axis: usize,
        /// Where each operand begins.
        starts: Vec<usize>,
    },
    /// Operands side by side along a new axis.
    Stack {
        /// The new axis.
        axis: usize,
    },
    /// Rows of a table: `[V, ..] -> [indices.., ..]`.
    Gather(Box<Tensor<usize>>),
    /// Rows added up where they came from, `[indices.., ..] -> [rows, ..]`: the transpose of [`Op::Gather`].
    Scatter {
        /// The number of rows of the result.
        rows: usize,
        /// The row of the result that each row of the operand is added to.
        indices: Box<Tensor<usize>>,
    },
}

/// A comparison of two elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `x0 > x1`
    Gt,
    /// `x0 >= x1`
    Ge,
    /// `x0 < x1`
    Lt,
    /// `x0 <= x1`
    Le,
    /// `x0 == x1`
    Eq,
    /// `x0 != x1`
    Ne,
}

impl Op {
    /// The operation's name in lower case, as errors and printed tapes give it.
    pub fn name(&self) -> &'static str {
        use Comparison::*;
        match self {
            Op::Add => "add",
            Op::Sub => "sub",
            Op::Mul => "mul",
            Op::Div => "div",
            Op::Maximum => "maximum",
            Op::Minimum => "minimum",
            Op::Compare(Gt) => "gt",
            Op::Compare(Ge) => "ge",
            Op::Compare(Lt) => "lt",
            Op::Compare(Le) => "le",
            Op::Compare(Eq) => "eq_mask",
            Op::Compare(Ne) => "ne_mask",
            Op::Where => "where_mask",
            Op::Masked { .. } => "masked",
            Op::Neg => "neg",
            Op::Scale(_) => "scale",
            Op::Shift(_) => "shift",
            Op::Tanh => "tanh",
            Op::Sigmoid => "sigmoid",
            Op::Relu => "relu",
            Op::Exp => "exp",
            Op::Ln => "ln",
            Op::Sqrt => "sqrt",
            Op::Square => "square",
            Op::Sin => "sin",
            Op::Cos => "cos",
            Op::Abs => "abs",
            Op::Sign => "sign",
            Op::Clamp { .. } => "clamp",
            Op::Softmax { .. } => "softmax",
            Op::LogSoftmax { .. } => "log_softmax",
            Op::LogSumExp { .. } => "logsumexp",
            Op::Max { .. } => "max",
            Op::SumTo(_) => "sum_to",
            Op::BroadcastTo(_) => "broadcast_to",
            Op::MatMul => "matmul",
            Op::Reshape(_) => "reshape",
            Op::Permute(_) => "permute",
            Op::Narrow { .. } => "narrow",
            Op::Pad { .. } => "pad",
            Op::Select { .. } => "select",
            Op::Concat { .. } => "concat",
            Op::Stack { .. } => "stack",
            Op::Gather(_) => "gather_rows",
            Op::Scatter { .. } => "scatter_add_rows",
        }
    }
}
