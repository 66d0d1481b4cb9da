//! The error of the crate.

use crate::Shape;

/// An error in the input of a tensor operation.
///
/// Each variant names the operation (`op`) and carries the shapes, so the message says what was expected and
/// what was found. A method that panics does so with exactly this text.
///
/// # Example
/// ```
/// use retrograde_tensor::Tensor;
///
/// let (a, b) = (Tensor::<f32>::zeros([2, 3]), Tensor::<f32>::zeros([4, 5]));
/// assert_eq!(
///     a.try_matmul(&b).unwrap_err().to_string(),
///     "matmul: expected inner dimensions to agree, found [2, 3] and [4, 5]",
/// );
/// ```
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A shape with more axes than [`MAX_RANK`](crate::MAX_RANK).
    #[error("{op}: expected at most {max} axes, found {found} in {dims:?}")]
    Rank {
        /// The operation.
        op: &'static str,
        /// The limit.
        max: usize,
        /// The number of axes found.
        found: usize,
        /// The sizes found.
        dims: Box<[usize]>,
    },
    /// A shape whose number of elements does not fit in `isize`.
    #[error("{op}: expected a number of elements that fits in isize, found {dims:?}")]
    TooLarge {
        /// The operation.
        op: &'static str,
        /// The sizes found.
        dims: Box<[usize]>,
    },
    /// A tensor that does not fit in memory: beyond `isize::MAX` bytes, or refused by the system.
    #[error("{op}: expected a tensor that fits in memory, found {shape} of {size} bytes each")]
    Memory {
        /// The operation.
        op: &'static str,
        /// The bytes of an element.
        size: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// Two shapes that do not broadcast together.
    #[error("{op}: expected shapes that broadcast together, found {lhs} and {rhs}")]
    Broadcast {
        /// The operation.
        op: &'static str,
        /// The shape on the left.
        lhs: Box<Shape>,
        /// The shape on the right.
        rhs: Box<Shape>,
    },
    /// A shape that does not broadcast to the one wanted.
    #[error("{op}: expected a shape that broadcasts to {target}, found {found}")]
    BroadcastTo {
        /// The operation.
        op: &'static str,
        /// The shape to broadcast to.
        target: Box<Shape>,
        /// The shape found.
        found: Box<Shape>,
    },
    /// A number of elements that does not fill the shape.
    #[error("{op}: expected {} elements for shape {shape}, found {found}", shape.numel())]
    Elements {
        /// The operation.
        op: &'static str,
        /// The shape to fill.
        shape: Box<Shape>,
        /// The number of elements found.
        found: usize,
    },
    /// A new shape with another number of elements.
    #[error("{op}: expected a shape of {} elements for {shape}, found {found}", shape.numel())]
    Reshape {
        /// The operation.
        op: &'static str,
        /// The shape of the tensor.
        shape: Box<Shape>,
        /// The shape asked for.
        found: Box<Shape>,
    },
    /// A shape other than the one that the operation needs.
    #[error("{op}: expected shape {expected}, found {found}")]
    Expected {
        /// The operation.
        op: &'static str,
        /// The shape needed.
        expected: Box<Shape>,
        /// The shape found.
        found: Box<Shape>,
    },
    /// An axis that the tensor does not have.
    #[error("{op}: expected an axis below {}, found {axis} in {shape}", shape.rank())]
    Axis {
        /// The operation.
        op: &'static str,
        /// The axis asked for.
        axis: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// A place for a new axis that lies beyond the last one.
    #[error("{op}: expected a new axis at most at {}, found {axis} in {shape}", shape.rank())]
    NewAxis {
        /// The operation.
        op: &'static str,
        /// The axis asked for.
        axis: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// A list of axes that names one twice.
    #[error("{op}: expected distinct axes, found {axes:?} in {shape}")]
    RepeatedAxis {
        /// The operation.
        op: &'static str,
        /// The axes asked for.
        axes: Box<[usize]>,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// A list of axes that is not a permutation.
    #[error("{op}: expected each axis of {shape} once, found {axes:?}")]
    Permutation {
        /// The operation.
        op: &'static str,
        /// The axes asked for.
        axes: Box<[usize]>,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// Too few axes.
    #[error("{op}: expected at least {min} axes, found {shape}")]
    TooFewAxes {
        /// The operation.
        op: &'static str,
        /// The least number of axes.
        min: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// A number of axes other than the one that the operation needs.
    #[error("{op}: expected {expected} axes, found {shape}")]
    Axes {
        /// The operation.
        op: &'static str,
        /// The number of axes needed.
        expected: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// Parts that do not fill the axis that is cut.
    #[error("{op}: expected parts that fill axis {axis} of size {}, found {sizes:?} in {shape}", shape[*axis])]
    Parts {
        /// The operation.
        op: &'static str,
        /// The axis.
        axis: usize,
        /// The sizes of the parts.
        sizes: Vec<usize>,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// An axis whose size the number of parts does not divide.
    #[error("{op}: expected a size of axis {axis} that {parts} divides, found {shape}")]
    Chunks {
        /// The operation.
        op: &'static str,
        /// The axis.
        axis: usize,
        /// The number of parts.
        parts: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// A range that leaves its axis.
    #[error("{op}: expected start + length within axis {axis} of size {}, found {start} + {len} in {shape}", shape[*axis])]
    Range {
        /// The operation.
        op: &'static str,
        /// The axis.
        axis: usize,
        /// The first index of the range.
        start: usize,
        /// The length of the range.
        len: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// An index beyond the end of an axis.
    #[error("{op}: expected an index below {} along axis {axis}, found {index} in {shape}", shape[*axis])]
    AxisIndex {
        /// The operation.
        op: &'static str,
        /// The axis.
        axis: usize,
        /// The index asked for.
        index: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// An index outside of the tensor, or with another number of axes.
    #[error("{op}: expected an index within {shape}, found {index:?}")]
    Index {
        /// The operation.
        op: &'static str,
        /// The index asked for.
        index: Box<[usize]>,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// A tensor of exactly one element was needed.
    #[error("{op}: expected exactly one element, found {shape}")]
    OneElement {
        /// The operation.
        op: &'static str,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// An axis of size one was needed.
    #[error("{op}: expected axis {axis} to have size 1, found {shape}")]
    SizeOne {
        /// The operation.
        op: &'static str,
        /// The axis.
        axis: usize,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// An empty list of tensors.
    #[error("{op}: expected at least one tensor, found none")]
    NoTensors {
        /// The operation.
        op: &'static str,
    },
    /// Tensors that differ in more than the axis along which they are joined.
    #[error("{op}: expected shapes that differ only in axis {axis}, found {first} and {found}")]
    Join {
        /// The operation.
        op: &'static str,
        /// The axis along which to join.
        axis: usize,
        /// The shape of the first tensor.
        first: Box<Shape>,
        /// The shape of the tensor that does not fit.
        found: Box<Shape>,
    },
    /// A matrix product whose summed axes differ in size.
    #[error("{op}: expected inner dimensions to agree, found {lhs} and {rhs}")]
    InnerDims {
        /// The operation.
        op: &'static str,
        /// The shape on the left.
        lhs: Box<Shape>,
        /// The shape on the right.
        rhs: Box<Shape>,
    },
    /// The greatest or least of no elements.
    #[error("{op}: expected at least one element along the reduced axes, found {shape}")]
    EmptyReduction {
        /// The operation.
        op: &'static str,
        /// The shape of the tensor.
        shape: Box<Shape>,
    },
    /// An index (of a row, say) that is too large.
    #[error("{op}: expected an index below {limit}, found {index} at {at:?} of {indices}")]
    RowIndex {
        /// The operation.
        op: &'static str,
        /// The number of rows.
        limit: usize,
        /// The index found.
        index: usize,
        /// Where it was found in the tensor of indices.
        at: Box<[usize]>,
        /// The shape of the tensor of indices.
        indices: Box<Shape>,
    },
    /// A tensor whose first axes are not those of its indices.
    #[error("{op}: expected a shape that starts with {indices}, found {found}")]
    Prefix {
        /// The operation.
        op: &'static str,
        /// The shape of the indices.
        indices: Box<Shape>,
        /// The shape found.
        found: Box<Shape>,
    },
    /// A number that is no index.
    #[error("{op}: expected whole numbers of at least 0 that fit in usize, found {found}")]
    NotAnIndex {
        /// The operation.
        op: &'static str,
        /// The first such number.
        found: f64,
    },
    /// More elements than an axis has, or no axis.
    #[error("{op}: expected an axis of at least {k} elements, found {found}")]
    TopK {
        /// The operation.
        op: &'static str,
        /// The number of elements asked for.
        k: usize,
        /// The shape found.
        found: Box<Shape>,
    },
    /// Shapes that are not those of a system of linear equations.
    #[error("{op}: expected a square matrix and a right-hand side of as many rows, found {a} and {b}")]
    System {
        /// The operation.
        op: &'static str,
        /// The shape of the matrix.
        a: Box<Shape>,
        /// The shape of the right-hand side.
        b: Box<Shape>,
    },
    /// A matrix without an inverse.
    #[error("{op}: expected a matrix that has an inverse, found a singular one")]
    Singular {
        /// The operation.
        op: &'static str,
    },
    /// Bounds that are not finite or not in order.
    #[error("{op}: expected finite bounds with low < high, found {low} and {high}")]
    Bounds {
        /// The operation.
        op: &'static str,
        /// The lower bound.
        low: f64,
        /// The upper bound.
        high: f64,
    },
    /// Parameters that no normal distribution has.
    #[error("{op}: expected a finite mean and a finite std >= 0, found {mean} and {std}")]
    Normal {
        /// The operation.
        op: &'static str,
        /// The mean.
        mean: f64,
        /// The standard deviation.
        std: f64,
    },
    /// An arithmetic sequence that is not finite.
    #[error("{op}: expected finite bounds and a finite step other than 0, found {start}, {end}, {step}")]
    Step {
        /// The operation.
        op: &'static str,
        /// The first value.
        start: f64,
        /// The end.
        end: f64,
        /// The distance between two values.
        step: f64,
    },
    /// An arithmetic sequence that is too long.
    #[error("{op}: expected at most isize::MAX values, found more from {start} to {end} by {step}")]
    TooManySteps {
        /// The operation.
        op: &'static str,
        /// The first value.
        start: f64,
        /// The end.
        end: f64,
        /// The distance between two values.
        step: f64,
    },
}

/// The value, or a panic with the error's own text at the caller's line.
#[track_caller]
pub(crate) fn or_panic<T>(result: Result<T, Error>) -> T {
    match result {
        Ok(value) => value,
        Err(error) => panic!("{error}"),
    }
}
