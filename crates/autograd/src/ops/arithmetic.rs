//! Arithmetic on two operands, and masks.

use retrograde_tensor::Float;

use crate::Result;
use crate::op::{Comparison, Op};
use crate::tape::operand::Operand;
use crate::tape::var::{Var, or_panic};

impl<'t, E: Float> Var<'t, E> {
    /// `self + r`, elementwise; the operator `+` panics with this error's text.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// `g` for both operands, summed over what was broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_add(&self, r: impl Operand<'t, E>) -> Result<Self> {
        match r.number() {
            Some(c) => self.try_unary(Op::Shift(c)),
            None => self.try_binary(Op::Add, r),
        }
    }

    /// `self - r`, elementwise; the operator `-` panics with this error's text.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// `g` and `-g`, summed over what was broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_sub(&self, r: impl Operand<'t, E>) -> Result<Self> {
        match r.number() {
            Some(c) => self.try_unary(Op::Shift(-c)),
            None => self.try_binary(Op::Sub, r),
        }
    }

    /// `self * r`, elementwise; the operator `*` panics with this error's text.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// `g x1` and `g x0`, summed over what was broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_mul(&self, r: impl Operand<'t, E>) -> Result<Self> {
        match r.number() {
            Some(c) => self.try_unary(Op::Scale(c)),
            None => self.try_binary(Op::Mul, r),
        }
    }

    /// `self / r`, elementwise; the operator `/` panics with this error's text.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// `g / x1` and `-g y / x1`, summed over what was broadcast.
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_div(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Div, r)
    }

    /// The larger of two elements; NaN if either is NaN.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// `g` for the larger operand, half of it for each of two equals.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_maximum`](Self::try_maximum) returns that as an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([1.0_f64, 5.0, 3.0]));
    /// let y = x.maximum(3.0);
    /// assert_eq!(y.value(), &Tensor::from([3.0, 5.0, 3.0]));
    /// assert_eq!(y.sum().backward()?.get(&x), Some(&Tensor::from([0.0, 1.0, 0.5])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    pub fn maximum(&self, r: impl Operand<'t, E>) -> Self {
        or_panic(self.try_maximum(r))
    }

    /// As [`maximum`](Self::maximum).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_maximum(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Maximum, r)
    }

    /// The smaller of two elements; NaN if either is NaN.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// `g` for the smaller operand, half of it for each of two equals.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_minimum`](Self::try_minimum) returns that as an error.
    #[track_caller]
    pub fn minimum(&self, r: impl Operand<'t, E>) -> Self {
        or_panic(self.try_minimum(r))
    }

    /// As [`minimum`](Self::minimum).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_minimum(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Minimum, r)
    }

    /// A mask: 1 where `self > r`, else 0.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// None: no gradient flows through a mask.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_gt`](Self::try_gt) returns that as an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([1.0_f64, 5.0, 3.0]));
    /// assert_eq!(x.gt(2.0).value(), &Tensor::from([0.0, 1.0, 1.0]));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    pub fn gt(&self, r: impl Operand<'t, E>) -> Self {
        or_panic(self.try_gt(r))
    }

    /// As [`gt`](Self::gt).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_gt(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Compare(Comparison::Gt), r)
    }

    /// A mask: 1 where `self >= r`, else 0.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// None: no gradient flows through a mask.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_ge`](Self::try_ge) returns that as an error.
    #[track_caller]
    pub fn ge(&self, r: impl Operand<'t, E>) -> Self {
        or_panic(self.try_ge(r))
    }

    /// As [`ge`](Self::ge).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_ge(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Compare(Comparison::Ge), r)
    }

    /// A mask: 1 where `self < r`, else 0.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// None: no gradient flows through a mask.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_lt`](Self::try_lt) returns that as an error.
    #[track_caller]
    pub fn lt(&self, r: impl Operand<'t, E>) -> Self {
        or_panic(self.try_lt(r))
    }

    /// As [`lt`](Self::lt).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_lt(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Compare(Comparison::Lt), r)
    }

    /// A mask: 1 where `self <= r`, else 0.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// None: no gradient flows through a mask.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_le`](Self::try_le) returns that as an error.
    #[track_caller]
    pub fn le(&self, r: impl Operand<'t, E>) -> Self {
        or_panic(self.try_le(r))
    }

    /// As [`le`](Self::le).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_le(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Compare(Comparison::Le), r)
    }

    /// A mask: 1 where `self == r`, else 0.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// None: no gradient flows through a mask.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_eq_mask`](Self::try_eq_mask) returns that as an error.
    #[track_caller]
    pub fn eq_mask(&self, r: impl Operand<'t, E>) -> Self {
        or_panic(self.try_eq_mask(r))
    }

    /// As [`eq_mask`](Self::eq_mask).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_eq_mask(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Compare(Comparison::Eq), r)
    }

    /// A mask: 1 where `self != r`, else 0.
    ///
    /// # Shapes
    /// Any two shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// None: no gradient flows through a mask.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_ne_mask`](Self::try_ne_mask) returns that as an error.
    #[track_caller]
    pub fn ne_mask(&self, r: impl Operand<'t, E>) -> Self {
        or_panic(self.try_ne_mask(r))
    }

    /// As [`ne_mask`](Self::ne_mask).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_ne_mask(&self, r: impl Operand<'t, E>) -> Result<Self> {
        self.try_binary(Op::Compare(Comparison::Ne), r)
    }

    /// The elements of `self` where `mask` is not zero, those of `otherwise` elsewhere. What is not taken
    /// is not read: a NaN
    /// there reaches neither the value nor the gradient.
    ///
    /// # Shapes
    /// Any three shapes that broadcast as in NumPy.
    ///
    /// # Derivative
    /// `g` where taken, 0 where not, summed over what was broadcast.
    ///
    /// # Panics
    /// If the shapes do not broadcast; [`try_where_mask`](Self::try_where_mask) returns that as an error.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([1.0_f64, 2.0, f64::NAN]));
    /// let mask = Tensor::from([1.0, 1.0, 0.0]);
    /// let y = x.where_mask(&mask, 0.0);
    /// assert_eq!(y.value(), &Tensor::from([1.0, 2.0, 0.0]));
    /// assert_eq!(y.sum().backward()?.get(&x), Some(&Tensor::from([1.0, 1.0, 0.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    #[track_caller]
    pub fn where_mask(&self, mask: impl Operand<'t, E>, otherwise: impl Operand<'t, E>) -> Self {
        or_panic(self.try_where_mask(mask, otherwise))
    }

    /// As [`where_mask`](Self::where_mask).
    ///
    /// # Errors
    /// If the shapes do not broadcast.
    #[track_caller]
    pub fn try_where_mask(&self, mask: impl Operand<'t, E>, otherwise: impl Operand<'t, E>) -> Result<Self> {
        let (mask, otherwise) = (mask.on(self.tape()), otherwise.on(self.tape()));
        self.tape().apply(Op::Where, &[&mask, self, &otherwise])
    }
}
