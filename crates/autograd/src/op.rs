//! The closed set of operations: what each is called, the shape it gives, and how it is computed.

use retrograde_tensor::{Scalar, Shape, Tensor};

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
    /// A function of each element.
    Unary(Unary),
    /// `c x` for a constant `c`.
    Scale(f64),
    /// `x + c` for a constant `c`.
    Shift(f64),
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
    SumTo(Box<Shape>),
    /// Repeats along new axes and along axes of size 1.
    BroadcastTo(Box<Shape>),
    /// The matrix product over the last two axes, broadcasting the others; both operands have rank 2 or more.
    MatMul,
    /// The same elements, in row-major order, in another shape.
    Reshape(Box<Shape>),
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

/// Functions of one element, a row each: the variant, and the method of a tensor that it is called after and computed by.
macro_rules! unary {
    ($($(#[$doc:meta])* $function:ident = $method:ident,)*) => {
        /// A function of each element of one operand.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Unary {
            $($(#[$doc])* $function,)*
        }

        impl Unary {
            /// All of them.
            pub const ALL: &[Unary] = &[$(Unary::$function),*];

            /// The name, which is that of the method.
            pub fn name(self) -> &'static str {
                match self {
                    $(Unary::$function => stringify!($method),)*
                }
            }

            /// The function of each element.
            pub(crate) fn eval<S: Scalar>(self, x: &Tensor<S>) -> Tensor<S> {
                match self {
                    $(Unary::$function => x.$method(),)*
                }
            }
        }
    };
}

unary! {
    /// `-x`.
    Neg = neg,
    /// The hyperbolic tangent.
    Tanh = tanh,
    /// `1 / (1 + exp(-x))`.
    Sigmoid = sigmoid,
    /// `max(x, 0)`.
    Relu = relu,
    /// `ln(1 + eˣ)`.
    Softplus = softplus,
    /// `eˣ`.
    Exp = exp,
    /// The natural logarithm.
    Ln = ln,
    /// The square root.
    Sqrt = sqrt,
    /// `x²`.
    Square = square,
    /// The sine, of radians.
    Sin = sin,
    /// The cosine, of radians.
    Cos = cos,
    /// `|x|`.
    Abs = abs,
    /// -1, 0 or 1.
    Sign = sign,
}

impl From<Unary> for Op {
    fn from(function: Unary) -> Self {
        Op::Unary(function)
    }
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
            Op::Unary(function) => function.name(),
            Op::Scale(_) => "scale",
            Op::Shift(_) => "shift",
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
