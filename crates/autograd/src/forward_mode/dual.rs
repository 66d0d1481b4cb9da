//! Dual numbers: a value and its derivative along one direction, `a + b ε` with `ε² = 0`.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use retrograde_tensor::{Element, Float, Scalar};

/// A number that carries its derivative along.
///
/// It knows the derivatives of scalar functions only and never looks at the table of rules, so what is computed with
/// it is an oracle for the table.
///
/// # Source
/// W. Clifford (1873); for differentiation, R. Wengert, *A simple automatic derivative evaluation program* (1964).
#[derive(Clone, Copy, Debug, Default)]
pub struct Dual<F> {
    /// The value.
    pub value: F,
    /// The derivative.
    pub derivative: F,
}

impl<F: Float> Dual<F> {
    /// A value with a derivative.
    pub fn new(value: F, derivative: F) -> Self {
        Dual { value, derivative }
    }

    /// `f(x)` with the derivative `f'(x) ẋ`.
    fn chain(self, f: F, slope: F) -> Self {
        Dual { value: f, derivative: along(self.derivative, slope) }
    }

    /// The mean of two numbers of equal value, the derivative at a kink between them.
    fn mean(self, other: Self) -> Self {
        Dual { value: self.value, derivative: (self.derivative + other.derivative) / F::from_f64(2.0) }
    }
}

/// The value that a tape computes for an element. Functions of single numbers may differ from it in the last place, which
/// is much of a derivative that cancels, such as `1 - y²` of a saturated tanh.
fn by_kernel<F: Float>(x: F, kernel: impl Fn(&mut [F])) -> F {
    let mut x = [x];
    kernel(&mut x);
    x[0]
}

/// A slope times how far it is followed. What does not move has no derivative, however steep the slope: `0 · ∞` is 0 here,
/// as in the sweep, where an absent cotangent meets no rule.
fn along<F: Float>(moved: F, slope: F) -> F {
    if moved == F::default() { moved } else { slope * moved }
}

impl<F: Float> Element for Dual<F> {}

/// Equal by value, as they are ordered: a comparison has no derivative, and takes the branch that the value alone would.
impl<F: Float> PartialEq for Dual<F> {
    fn eq(&self, r: &Self) -> bool {
        self.value == r.value
    }
}

/// Ordered by value.
impl<F: Float> PartialOrd for Dual<F> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<F: Float> Add for Dual<F> {
    type Output = Self;
    fn add(self, r: Self) -> Self {
        Dual { value: self.value + r.value, derivative: self.derivative + r.derivative }
    }
}

impl<F: Float> Sub for Dual<F> {
    type Output = Self;
    fn sub(self, r: Self) -> Self {
        Dual { value: self.value - r.value, derivative: self.derivative - r.derivative }
    }
}

impl<F: Float> Mul for Dual<F> {
    type Output = Self;
    fn mul(self, r: Self) -> Self {
        Dual {
            value: self.value * r.value,
            derivative: along(self.derivative, r.value) + along(r.derivative, self.value),
        }
    }
}

impl<F: Float> Div for Dual<F> {
    type Output = Self;
    fn div(self, r: Self) -> Self {
        let value = self.value / r.value;
        let moved = self.derivative - along(r.derivative, value);
        Dual { value, derivative: if moved == F::default() { moved } else { moved / r.value } }
    }
}

impl<F: Float> Neg for Dual<F> {
    type Output = Self;
    fn neg(self) -> Self {
        Dual { value: -self.value, derivative: -self.derivative }
    }
}

impl<F: Float> AddAssign for Dual<F> {
    fn add_assign(&mut self, r: Self) {
        *self = *self + r;
    }
}

impl<F: Float> Scalar for Dual<F> {
    fn from_f64(x: f64) -> Self {
        Dual { value: F::from_f64(x), derivative: F::default() }
    }
    fn to_f64(self) -> f64 {
        self.value.to_f64()
    }
    fn tanh(self) -> Self {
        let y = by_kernel(self.value, F::tanh_slice);
        self.chain(y, F::from_f64(1.0) - y * y)
    }
    fn exp(self) -> Self {
        let y = by_kernel(self.value, F::exp_slice);
        self.chain(y, y)
    }
    fn sigmoid(self) -> Self {
        let y = by_kernel(self.value, F::sigmoid_slice);
        self.chain(y, y * (F::from_f64(1.0) - y))
    }
    fn ln(self) -> Self {
        self.chain(by_kernel(self.value, F::ln_slice), F::from_f64(1.0) / self.value)
    }
    fn ln_1p(self) -> Self {
        self.chain(self.value.ln_1p(), F::from_f64(1.0) / (F::from_f64(1.0) + self.value))
    }
    fn exp_m1(self) -> Self {
        self.chain(self.value.exp_m1(), self.value.exp())
    }
    fn erf(self) -> Self {
        let bell = (-self.value * self.value).exp();
        self.chain(self.value.erf(), F::from_f64(std::f64::consts::FRAC_2_SQRT_PI) * bell)
    }
    fn sqrt(self) -> Self {
        let y = self.value.sqrt();
        self.chain(y, F::from_f64(0.5) / y)
    }
    fn ln_1p_exp(self) -> Self {
        let [y, slope] = [F::ln_1p_exp_slice, F::sigmoid_slice].map(|kernel| by_kernel(self.value, kernel));
        self.chain(y, slope)
    }
    fn sin(self) -> Self {
        let [sin, cos] = [F::sin_slice, F::cos_slice].map(|kernel| by_kernel(self.value, kernel));
        self.chain(sin, cos)
    }
    fn cos(self) -> Self {
        let [sin, cos] = [F::sin_slice, F::cos_slice].map(|kernel| by_kernel(self.value, kernel));
        self.chain(cos, -sin)
    }
    fn abs(self) -> Self {
        match self.value.partial_cmp(&F::default()) {
            Some(Ordering::Greater) => self,
            Some(Ordering::Less) => -self,
            Some(Ordering::Equal) => Dual::new(self.value.abs(), F::default()),
            None => self,
        }
    }
    fn maximum(self, r: Self) -> Self {
        match self.value.partial_cmp(&r.value) {
            Some(Ordering::Equal) => self.mean(r),
            Some(Ordering::Greater) => self,
            Some(Ordering::Less) => r,
            None => self + r,
        }
    }
    fn minimum(self, r: Self) -> Self {
        -(-self).maximum(-r)
    }
}
