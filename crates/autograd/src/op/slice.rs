//! Parts of an array, and arrays of parts.

use retrograde_tensor::Float;

use crate::Result;
use crate::op::Op;
use crate::tape::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
    /// `length` entries along `axis`, from `start`.
    ///
    /// # Shapes
    /// `[.., n, ..] -> [.., length, ..]`
    ///
    /// # Derivative
    /// `g` in its place, 0 elsewhere.
    ///
    /// # Panics
    /// If the range does not lie within the axis; [`try_narrow`](Self::try_narrow) returns that as an error.
    ///
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
    #[track_caller]
    pub fn narrow(&self, axis: usize, start: usize, length: usize) -> Self {
        or_panic(self.try_narrow(axis, start, length))
    }

    /// As [`narrow`](Self::narrow).
    ///
    /// # Errors
    /// If the range does not lie within the axis.
    #[track_caller]
    pub fn try_narrow(&self, axis: usize, start: usize, length: usize) -> Result<Self> {
        self.try_unary(Op::Narrow { axis, start, length })
    }

    /// Zeros of size `size` along `axis`, with the operand placed from `start`.
    ///
    /// # Shapes
    /// `[.., n, ..] -> [.., size, ..]`
    ///
    /// # Derivative
    /// The part of `g` where the operand was placed.
    ///
    /// # Panics
    /// If the operand does not fit there; [`try_pad`](Self::try_pad) returns that as an error.
    ///
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
    #[track_caller]
    pub fn pad(&self, axis: usize, start: usize, size: usize) -> Self {
        or_panic(self.try_pad(axis, start, size))
    }

    /// As [`pad`](Self::pad).
    ///
    /// # Errors
    /// If the operand does not fit there.
    #[track_caller]
    pub fn try_pad(&self, axis: usize, start: usize, size: usize) -> Result<Self> {
        self.try_unary(Op::Pad { axis, start, size })
    }

    /// Entry `index` along `axis`, which disappears: `xs[:, t]` is `xs.select(1, t)`.
    ///
    /// # Shapes
    /// `[.., n, ..] -> [.., ..]`
    ///
    /// # Derivative
    /// `g` in its place, 0 elsewhere.
    ///
    /// # Panics
    /// If the axis or the index is out of range; [`try_select`](Self::try_select) returns that as an error.
    ///
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
    #[track_caller]
    pub fn select(&self, axis: usize, index: usize) -> Self {
        or_panic(self.try_select(axis, index))
    }

    /// As [`select`](Self::select).
    ///
    /// # Errors
    /// If the axis or the index is out of range.
    #[track_caller]
    pub fn try_select(&self, axis: usize, index: usize) -> Result<Self> {
        self.try_unary(Op::Select { axis, index })
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
