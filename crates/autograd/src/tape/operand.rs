//! The operands of an operation: a variable, a parameter, a plain tensor or a number, mixed as the formula has them.

use std::ops::{Add, Div, Mul, Neg, Sub};

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::op::{Op, Unary};
use crate::tape::Tape;
use crate::tape::param::Param;
use crate::tape::var::{Var, or_panic};

/// Anything that an operation on a tape accepts beside a variable.
///
/// A parameter is put on the tape once; a tensor or a number becomes a constant. A number is an `f64` whatever the element
/// type, so generic code reads like its formula; beside a variable of `f32`, one on the right may also be an `f32`.
///
/// # Example
/// ```
/// use retrograde_autograd::{Tape, Var};
/// use retrograde_tensor::{Float, Tensor};
///
/// fn mixed<'t, E: Float>(z: &Var<'t, E>, n: &Var<'t, E>) -> Var<'t, E> {
///     (1.0 - z) * n + 2.0 / (z + 1.0)
/// }
///
/// let tape = Tape::<f32>::new();
/// let z = tape.var(Tensor::from([1.0, 0.0]));
/// assert_eq!(mixed(&z, &(&z * 3.0)).value(), &Tensor::from([1.0, 2.0]));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be an operand beside a variable of `{E}`",
    note = "operands are variables, parameters and tensors of the same element type, by value or by reference \
            (parameters by reference), and numbers of type `f64`: write `2.0`, not `2`; `f64::from(c)` for another `c`"
)]
pub trait Operand<'t, E> {
    /// The operand as a variable of `tape`.
    ///
    /// # Errors
    /// If it is a parameter of which the tape recorded another value: [`Error::ParamChanged`](crate::Error::ParamChanged).
    #[track_caller]
    fn try_on(self, tape: &'t Tape<E>) -> Result<Var<'t, E>>;

    /// The operand if it is a plain number, which needs no node of its own.
    fn number(&self) -> Option<f64> {
        None
    }
}

impl<'t, E: Float> Operand<'t, E> for Var<'t, E> {
    #[track_caller]
    fn try_on(self, _: &'t Tape<E>) -> Result<Var<'t, E>> {
        Ok(self)
    }
}

impl<'t, E: Float> Operand<'t, E> for &Var<'t, E> {
    #[track_caller]
    fn try_on(self, _: &'t Tape<E>) -> Result<Var<'t, E>> {
        Ok(self.clone())
    }
}

impl<'t, E: Float> Operand<'t, E> for &Param<E> {
    #[track_caller]
    fn try_on(self, tape: &'t Tape<E>) -> Result<Var<'t, E>> {
        tape.try_param(self)
    }
}

impl<'t, E: Float> Operand<'t, E> for Tensor<E> {
    #[track_caller]
    fn try_on(self, tape: &'t Tape<E>) -> Result<Var<'t, E>> {
        Ok(tape.constant(self))
    }
}

impl<'t, E: Float> Operand<'t, E> for &Tensor<E> {
    #[track_caller]
    fn try_on(self, tape: &'t Tape<E>) -> Result<Var<'t, E>> {
        Ok(tape.constant(self.clone()))
    }
}

impl<E: Float> Tape<E> {
    /// The variable of anything that can be an operand.
    ///
    /// # Panics
    /// As [`param`](Self::param); [`Operand::try_on`] returns that as an error.
    #[track_caller]
    pub fn operand<'t>(&'t self, x: impl Operand<'t, E>) -> Var<'t, E> {
        or_panic(x.try_on(self))
    }
}

impl<'t, E: Float> Var<'t, E> {
    /// Records an operation of two operands; a number on the right needs no node where it can be an attribute.
    #[track_caller]
    pub(crate) fn try_binary(&self, op: Op, r: impl Operand<'t, E>) -> Result<Self> {
        match r.number().and_then(|c| op.with_number(c)) {
            Some(op) => self.try_unary(op),
            None => self.tape().apply(op, &[self, &r.try_on(self.tape())?]),
        }
    }

    /// As [`try_add`](Self::try_add), in the buffer of this variable where nothing else holds it.
    #[track_caller]
    fn try_into_sum(self, r: impl Operand<'t, E>) -> Result<Self> {
        match r.number() {
            Some(_) => self.try_add(r),
            None => {
                let r = r.try_on(self.tape())?;
                self.tape().add_into(self, &r)
            }
        }
    }
}

/// `x + r` and its like: panics where the `try_` method returns an error.
macro_rules! operator {
    ($trait:ident, $method:ident, $try:ident, $try_owned:ident) => {
        impl<'t, E: Float, R: Operand<'t, E>> $trait<R> for &Var<'t, E> {
            type Output = Var<'t, E>;
            #[track_caller]
            fn $method(self, r: R) -> Var<'t, E> {
                or_panic(self.$try(r))
            }
        }

        impl<'t, E: Float, R: Operand<'t, E>> $trait<R> for Var<'t, E> {
            type Output = Var<'t, E>;
            #[track_caller]
            fn $method(self, r: R) -> Var<'t, E> {
                or_panic(self.$try_owned(r))
            }
        }
    };
}

operator!(Add, add, try_add, try_into_sum);
operator!(Sub, sub, try_sub, try_sub);
operator!(Mul, mul, try_mul, try_mul);
operator!(Div, div, try_div, try_div);

impl<'t, E: Float> Neg for &Var<'t, E> {
    type Output = Var<'t, E>;
    #[track_caller]
    fn neg(self) -> Var<'t, E> {
        self.unary(Unary::Neg)
    }
}

impl<'t, E: Float> Neg for Var<'t, E> {
    type Output = Var<'t, E>;
    #[track_caller]
    fn neg(self) -> Var<'t, E> {
        self.unary(Unary::Neg)
    }
}

/// `r op x` where the left operand is not a variable.
macro_rules! left_operator {
    ([$($generic:tt)*] $left:ty, $e:ty, $trait:ident, $method:ident, |$l:ident, $x:ident| $result:expr) => {
        impl<'t $($generic)*> $trait<Var<'t, $e>> for $left {
            type Output = Var<'t, $e>;
            #[track_caller]
            fn $method(self, x: Var<'t, $e>) -> Var<'t, $e> {
                self.$method(&x)
            }
        }

        impl<'t $($generic)*> $trait<&Var<'t, $e>> for $left {
            type Output = Var<'t, $e>;
            #[track_caller]
            fn $method(self, $x: &Var<'t, $e>) -> Var<'t, $e> {
                let $l = self;
                $result
            }
        }
    };
}

/// A parameter or a tensor on the left.
macro_rules! tensor {
    ($left:ty) => {
        left_operator!([, E: Float] $left, E, Add, add, |l, x| x.tape().operand(l).add(x));
        left_operator!([, E: Float] $left, E, Sub, sub, |l, x| x.tape().operand(l).sub(x));
        left_operator!([, E: Float] $left, E, Mul, mul, |l, x| x.tape().operand(l).mul(x));
        left_operator!([, E: Float] $left, E, Div, div, |l, x| x.tape().operand(l).div(x));
    };
}

tensor!(&Param<E>);
tensor!(&Tensor<E>);
tensor!(Tensor<E>);

/// A number, whatever the element type: `1.0 - z` in generic code.
impl<'t, E: Float> Operand<'t, E> for f64 {
    #[track_caller]
    fn try_on(self, tape: &'t Tape<E>) -> Result<Var<'t, E>> {
        Ok(tape.constant(Tensor::scalar(E::from_f64(self))))
    }
    fn number(&self) -> Option<f64> {
        Some(*self)
    }
}

/// A number of single precision, on the right alone: on the left, a second type would leave that of `1.0` open.
impl<'t> Operand<'t, f32> for f32 {
    #[track_caller]
    fn try_on(self, tape: &'t Tape<f32>) -> Result<Var<'t, f32>> {
        f64::from(self).try_on(tape)
    }
    fn number(&self) -> Option<f64> {
        Some(f64::from(*self))
    }
}

left_operator!([, E: Float] f64, E, Add, add, |c, x| x.add(c));
left_operator!([, E: Float] f64, E, Sub, sub, |c, x| x.neg().add(c));
left_operator!([, E: Float] f64, E, Mul, mul, |c, x| x.mul(c));
left_operator!([, E: Float] f64, E, Div, div, |c, x| x.tape().operand(c).div(x));
