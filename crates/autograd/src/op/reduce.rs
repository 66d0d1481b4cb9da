//! Sums, means and extrema over axes.

use retrograde_tensor::{Float, IntoShape, Shape};

use crate::Result;
use crate::op::{Op, Unary};
use crate::tape::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
    /// The sum of all elements, a scalar.
    ///
    /// # Shapes
    /// `[..] -> []`
    ///
    /// # Derivative
    /// `g` for every element.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]));
    /// let y = x.sum();
    /// assert_eq!(y.value(), &Tensor::scalar(10.0));
    /// assert_eq!(y.backward()?.get(&x), Some(&Tensor::ones([2, 2])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn sum(&self) -> Self {
        self.unary(Op::SumTo(Box::new(Shape::from([]))))
    }

    /// The mean of all elements, a scalar; NaN if there are none.
    ///
    /// # Shapes
    /// `[..] -> []`
    ///
    /// # Derivative
    /// `g / n` for each of `n` elements.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]));
    /// let y = x.mean();
    /// assert_eq!(y.value(), &Tensor::scalar(2.5));
    /// assert_eq!(y.backward()?.get(&x), Some(&Tensor::full([2, 2], 0.25)));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    #[must_use]
    pub fn mean(&self) -> Self {
        or_panic(self.sum().divided(self.value().numel()))
    }

    fallible! {
        /// The sum over several axes.
        ///
        /// # Shapes
        /// `[..] -> [..]` without `axes`, or with size 1 there if `keep`.
        ///
        /// # Derivative
        /// `g` for every element that was summed.
        sum_axes or try_sum_axes(&self, axes: &[usize], keep: bool), "an axis is out of range or given twice"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]));
        /// let y = x.sum_axes(&[0], false);
        /// assert_eq!(y.value(), &Tensor::from([4.0, 6.0]));
        /// let dx = y.backward_with(&Tensor::from([1.0, 10.0]))?;
        /// assert_eq!(dx.get(&x), Some(&Tensor::from([[1.0, 10.0], [1.0, 10.0]])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        {
            let kept = self.shape().reduced("sum_axes", axes)?;
            Ok(self.try_unary(Op::SumTo(Box::new(kept)))?.without(axes, keep))
        }

        /// The mean over several axes; NaN over no elements.
        ///
        /// # Shapes
        /// `[..] -> [..]` without `axes`, or with size 1 there if `keep`.
        ///
        /// # Derivative
        /// `g / n` for each of `n` elements that were averaged.
        mean_axes or try_mean_axes(&self, axes: &[usize], keep: bool), "an axis is out of range or given twice"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]));
        /// assert_eq!(x.mean_axes(&[1], true).value(), &Tensor::from([[1.5], [3.5]]));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        {
            let kept = self.shape().reduced("mean_axes", axes)?;
            let count: usize = axes.iter().map(|&axis| self.shape()[axis]).product();
            let sum = self.try_unary(Op::SumTo(Box::new(kept)))?;
            Ok(sum.divided(count)?.without(axes, keep))
        }

        /// The largest element over several axes.
        ///
        /// # Shapes
        /// `[..] -> [..]` without `axes`, or with size 1 there if `keep`.
        ///
        /// # Derivative
        /// `g` for the largest element, shared equally among equals.
        max_axes or try_max_axes(&self, axes: &[usize], keep: bool), "an axis is out of range or given twice, or if there is no element to choose from"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([[1.0_f64, 7.0], [4.0, 4.0]]));
        /// let y = x.max_axes(&[1], false);
        /// assert_eq!(y.value(), &Tensor::from([7.0, 4.0]));
        /// assert_eq!(y.sum().backward()?.get(&x), Some(&Tensor::from([[0.0, 1.0], [0.5, 0.5]])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        {
            Ok(self.try_unary(Op::Max { axes: axes.to_vec() })?.without(axes, keep))
        }

        /// The smallest element over several axes.
        ///
        /// # Shapes
        /// `[..] -> [..]` without `axes`, or with size 1 there if `keep`.
        ///
        /// # Derivative
        /// `g` for the smallest element, shared equally among equals.
        min_axes or try_min_axes(&self, axes: &[usize], keep: bool), "an axis is out of range or given twice, or if there is no element to choose from"
        {
            self.shape().reduced_non_empty("min_axes", axes)?;
            let negated = self.try_unary(Unary::Neg.into())?;
            Ok((-negated.try_unary(Op::Max { axes: axes.to_vec() })?).without(axes, keep))
        }

        /// `ln Σ exp(x)` along `axis`, safe for every finite `x`; +∞ where the greatest is, -∞ where all are.
        ///
        /// # Shapes
        /// `[..] -> [..]` without `axes`, or with size 1 there if `keep`.
        ///
        /// # Derivative
        /// `g softmax(x)`, which is NaN where the result is infinite.
        logsumexp or try_logsumexp(&self, axis: usize, keep: bool), "the axis is out of range"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([1000.0_f64, 1000.0]));
        /// let y = x.logsumexp(0, false);
        /// assert_eq!(y.value(), &Tensor::scalar(1000.0 + 2.0_f64.ln()));
        /// assert_eq!(y.backward()?.get(&x), Some(&Tensor::from([0.5, 0.5])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { Ok(self.try_unary(Op::LogSumExp { axis })?.without(&[axis], keep)) }

        /// The transpose of broadcasting: sums over the axes in which `shape` is smaller.
        ///
        /// # Shapes
        /// Any shape that `shape` broadcasts to.
        ///
        /// # Derivative
        /// `g`, repeated.
        sum_to or try_sum_to(&self, shape: impl IntoShape), "`shape` does not broadcast to this one"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([[1.0_f64, 2.0], [3.0, 4.0]]));
        /// assert_eq!(x.sum_to([2, 1]).value(), &Tensor::from([[3.0], [7.0]]));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::SumTo(Box::new(shape.into_shape("sum_to")?))) }
    }

    /// Divides by a count. To multiply by the rounded `1 / count` would change the mean of equal numbers.
    #[track_caller]
    fn divided(&self, count: usize) -> Result<Self> {
        self.try_div(count as f64)
    }

    /// Drops reduced axes of size 1, unless they are to be kept.
    #[track_caller]
    fn without(self, axes: &[usize], keep: bool) -> Self {
        if keep || axes.is_empty() {
            return self;
        }
        let kept: Vec<usize> = self
            .shape()
            .iter()
            .enumerate()
            .filter(|(axis, _)| !axes.contains(axis))
            .map(|(_, &n)| n)
            .collect();
        self.unary(Op::Reshape(Box::new(Shape::new(&kept).expect("a lower rank fits"))))
    }
}
