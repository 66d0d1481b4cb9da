//! Functions of each element that have attributes, and softmax.

use retrograde_tensor::Float;

use crate::Result;
use crate::op::Op;
use crate::tape::var::{Var, or_panic};

impl<E: Float> Var<'_, E> {
    fallible! {
        /// Every element held within `[lo, hi]`.
        ///
        /// # Shapes
        /// `[..] -> [..]`
        ///
        /// # Derivative
        /// `g` where `lo <= x <= hi`, else 0.
        clamp or try_clamp(&self, lo: f64, hi: f64), "`lo > hi` or either is NaN"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([-3.0_f64, 0.5, 1.0]));
        /// let y = x.clamp(-1.0, 1.0);
        /// assert_eq!(y.value(), &Tensor::from([-1.0, 0.5, 1.0]));
        /// assert_eq!(y.sum().backward()?.get(&x), Some(&Tensor::from([0.0, 1.0, 1.0])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::Clamp { lo, hi }) }

        /// `exp(x) / Σ exp(x)` along `axis`, safe for every finite `x`; NaN where the greatest
        /// is +∞ or NaN, or where all are -∞.
        ///
        /// # Shapes
        /// `[..] -> [..]`
        ///
        /// # Derivative
        /// `y (g - Σ g y)`.
        softmax or try_softmax(&self, axis: usize), "the axis is out of range"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([[0.0_f64, 0.0], [1000.0, 0.0]]));
        /// let y = x.softmax(1);
        /// assert_eq!(y.value(), &Tensor::from([[0.5, 0.5], [1.0, 0.0]]));
        /// let dx = y.backward_with(&Tensor::from([[1.0, 0.0], [1.0, 0.0]]))?;
        /// assert_eq!(dx.get(&x), Some(&Tensor::from([[0.25, -0.25], [0.0, 0.0]])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::Softmax { axis }) }

        /// `x - ln Σ exp(x)` along `axis`, safe for every finite `x`; NaN where the greatest
        /// is +∞ or NaN, or where all are -∞.
        ///
        /// # Shapes
        /// `[..] -> [..]`
        ///
        /// # Derivative
        /// `g - eʸ Σ g`.
        log_softmax or try_log_softmax(&self, axis: usize), "the axis is out of range"
        /// # Example
        /// ```
        /// use retrograde_autograd::Tape;
        /// use retrograde_tensor::Tensor;
        ///
        /// let tape = Tape::new();
        /// let x = tape.var(Tensor::from([0.0_f64, 0.0]));
        /// let y = x.log_softmax(0);
        /// assert_eq!(y.value(), &Tensor::from([-2.0_f64.ln(), -2.0_f64.ln()]));
        /// let dx = y.backward_with(&Tensor::from([1.0, 0.0]))?;
        /// assert_eq!(dx.get(&x), Some(&Tensor::from([0.5, -0.5])));
        /// # Ok::<(), retrograde_autograd::Error>(())
        /// ```
        { self.try_unary(Op::LogSoftmax { axis }) }
    }
}
