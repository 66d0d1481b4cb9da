//! Parts of an array, and arrays of parts.

use retrograde_tensor::Float;

use crate::Result;
use crate::op::Op;
use crate::tape::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
    /// `K` consecutive parts of `axis`, of one size, such as the gates of a cell that are computed side by side.
    ///
    /// # Shapes
    /// `[.., K n, ..] -> K of [.., n, ..]`
    ///
    /// # Derivative
    /// Each cotangent in its place, in one buffer.
    ///
    /// # Panics
    /// If `K` does not divide the size of the axis; [`try_chunk`](Self::try_chunk) returns that as an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let t = tape.var(Tensor::from([[1.0_f64, 2.0, 3.0, 4.0]]));
    /// let [z, n] = t.chunk(1);
    /// assert_eq!(n.value(), &Tensor::from([[3.0, 4.0]]));
    /// let gradients = (z * n).sum().backward()?;
    /// assert_eq!(gradients.get(&t), Some(&Tensor::from([[3.0, 4.0, 1.0, 2.0]])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn chunk<const K: usize>(&self, axis: usize) -> [Self; K] {
        or_panic(self.try_chunk(axis))
    }

    /// As [`chunk`](Self::chunk).
    ///
    /// # Errors
    /// If there is no such axis, or if `K` does not divide its size.
    #[track_caller]
    pub fn try_chunk<const K: usize>(&self, axis: usize) -> Result<[Self; K]> {
        self.try_split(axis, [self.shape().chunked::<K>("chunk", axis)?; K])
    }

    /// Consecutive parts of `axis`, of these sizes.
    ///
    /// # Shapes
    /// `[.., Σ n, ..] -> [.., n, ..]` each
    ///
    /// # Derivative
    /// Each cotangent in its place, in one buffer.
    ///
    /// # Panics
    /// If the parts do not fill the axis; [`try_split`](Self::try_split) returns that as an error.
    #[track_caller]
    #[must_use]
    pub fn split<const K: usize>(&self, axis: usize, sizes: [usize; K]) -> [Self; K] {
        or_panic(self.try_split(axis, sizes))
    }

    /// As [`split`](Self::split).
    ///
    /// # Errors
    /// If there is no such axis, or if the parts do not fill it.
    #[track_caller]
    pub fn try_split<const K: usize>(&self, axis: usize, sizes: [usize; K]) -> Result<[Self; K]> {
        let starts = self.shape().parted("split", axis, sizes)?;
        // Not by `map`, in which the caller's line would be lost.
        let mut parts = [const { None }; K];
        for (i, part) in parts.iter_mut().enumerate() {
            *part = Some(self.try_narrow(axis, starts[i], sizes[i])?);
        }
        Ok(parts.map(|part| part.expect("all parts were cut")))
    }

    fallible! {
        /// `length` entries along `axis`, from `start`.
        ///
        /// # Shapes
        /// `[.., n, ..] -> [.., length, ..]`
        ///
        /// # Derivative
        /// `g` in its place, 0 elsewhere.
        narrow or try_narrow(&self, axis: usize, start: usize, length: usize), "the range does not lie within the axis"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([1.0_f64, 2.0, 3.0, 4.0]));
        /// let y = x.narrow(0, 1, 2);
        /// assert_eq!(y.value(), &Tensor::from([2.0, 3.0]));
        /// let dx = y.backward_with(&Tensor::from([5.0, 6.0]))?;
        /// assert_eq!(dx.get(&x), Some(&Tensor::from([0.0, 5.0, 6.0, 0.0])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::Narrow { axis, start, length }) }

        /// Zeros of size `size` along `axis`, with the operand placed from `start`.
        ///
        /// # Shapes
        /// `[.., n, ..] -> [.., size, ..]`
        ///
        /// # Derivative
        /// The part of `g` where the operand was placed.
        pad or try_pad(&self, axis: usize, start: usize, size: usize), "the operand does not fit there"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([1.0_f64, 2.0]));
        /// assert_eq!(x.pad(0, 1, 4).value(), &Tensor::from([0.0, 1.0, 2.0, 0.0]));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::Pad { axis, start, size }) }

        /// Entry `index` along `axis`, which disappears: `xs[:, t]` is `xs.select(1, t)`.
        ///
        /// # Shapes
        /// `[.., n, ..] -> [.., ..]`
        ///
        /// # Derivative
        /// `g` in its place, 0 elsewhere.
        select or try_select(&self, axis: usize, index: usize), "the axis or the index is out of range"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let xs = tape.var(Tensor::from([[1.0_f64, 2.0, 3.0], [4.0, 5.0, 6.0]])); // [N, T]
        /// let x = xs.select(1, 2);
        /// assert_eq!(x.value(), &Tensor::from([3.0, 6.0]));
        /// let dxs = x.backward_with(&Tensor::from([1.0, 10.0]))?;
        /// assert_eq!(dxs.get(&xs), Some(&Tensor::from([[0.0, 0.0, 1.0], [0.0, 0.0, 10.0]])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::Select { axis, index }) }
    }

    /// Variables of one shape, side by side along a new axis.
    ///
    /// # Shapes
    /// T times `[..] -> [.., T, ..]`
    ///
    /// # Derivative
    /// Entry `i` of `g` for part `i`.
    ///
    /// # Panics
    /// If there is no part, if shapes differ, or the axis is out of range; [`try_stack`](Self::try_stack)
    /// returns that as an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Tape, Var};
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let h_1 = tape.var(Tensor::from([1.0_f64, 2.0]));
    /// let h_2 = tape.var(Tensor::from([3.0, 4.0]));
    /// let hs = Var::stack(&[h_1.clone(), h_2], 1);
    /// assert_eq!(hs.value(), &Tensor::from([[1.0, 3.0], [2.0, 4.0]]));
    /// let gradients = hs.backward_with(&Tensor::from([[5.0, 6.0], [7.0, 8.0]]))?;
    /// assert_eq!(gradients.get(&h_1), Some(&Tensor::from([5.0, 7.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn stack(parts: &[Self], axis: usize) -> Self {
        or_panic(Self::try_stack(parts, axis))
    }

    /// As [`stack`](Self::stack).
    ///
    /// # Errors
    /// If there is no part, if shapes differ, or the axis is out of range.
    #[track_caller]
    pub fn try_stack(parts: &[Self], axis: usize) -> Result<Self> {
        let first = parts.first().ok_or(retrograde_tensor::Error::NoTensors { op: "stack" })?;
        first.tape().apply(Op::Stack { axis }, &parts.iter().collect::<Vec<_>>())
    }

    /// Variables end to end along an axis.
    ///
    /// # Shapes
    /// `[.., a, ..], [.., b, ..] -> [.., a + b, ..]`
    ///
    /// # Derivative
    /// The part of `g` that came from each.
    ///
    /// # Panics
    /// If there is no part, if shapes differ off the axis, or it is out of range;
    /// [`try_concat`](Self::try_concat) returns that as an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Tape, Var};
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let a = tape.var(Tensor::from([1.0_f64]));
    /// let b = tape.var(Tensor::from([2.0, 3.0]));
    /// let y = Var::concat(&[a, b.clone()], 0);
    /// assert_eq!(y.value(), &Tensor::from([1.0, 2.0, 3.0]));
    /// let gradients = y.backward_with(&Tensor::from([4.0, 5.0, 6.0]))?;
    /// assert_eq!(gradients.get(&b), Some(&Tensor::from([5.0, 6.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn concat(parts: &[Self], axis: usize) -> Self {
        or_panic(Self::try_concat(parts, axis))
    }

    /// As [`concat`](Self::concat).
    ///
    /// # Errors
    /// If there is no part, if shapes differ off the axis, or it is out of range.
    #[track_caller]
    pub fn try_concat(parts: &[Self], axis: usize) -> Result<Self> {
        let first = parts.first().ok_or(retrograde_tensor::Error::NoTensors { op: "concat" })?;
        let mut end = 0;
        let starts = parts
            .iter()
            .map(|part| {
                let start = end;
                end += part.shape().require_axis("concat", axis)?[axis];
                Ok(start)
            })
            .collect::<Result<Vec<usize>>>()?;
        first.tape().apply(Op::Concat { axis, starts }, &parts.iter().collect::<Vec<_>>())
    }
}
