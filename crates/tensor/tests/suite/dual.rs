//! A number type of the user's own, which carries a derivative along, goes through the same code.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use retrograde_tensor::{Element, Scalar, Shape, Tensor, assert_close};

/// `x + dx·ε` with `ε² = 0` (Clifford 1873).
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Dual {
    x: f64,
    dx: f64,
}

impl Dual {
    fn chain(self, x: f64, slope: f64) -> Self {
        Self { x, dx: self.dx * slope }
    }
}

impl PartialOrd for Dual {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.x.partial_cmp(&other.x)
    }
}

impl Add for Dual {
    type Output = Self;
    fn add(self, y: Self) -> Self {
        Self { x: self.x + y.x, dx: self.dx + y.dx }
    }
}

impl Sub for Dual {
    type Output = Self;
    fn sub(self, y: Self) -> Self {
        Self { x: self.x - y.x, dx: self.dx - y.dx }
    }
}

impl Mul for Dual {
    type Output = Self;
    fn mul(self, y: Self) -> Self {
        Self { x: self.x * y.x, dx: self.dx * y.x + self.x * y.dx }
    }
}

impl Div for Dual {
    type Output = Self;
    fn div(self, y: Self) -> Self {
        Self { x: self.x / y.x, dx: (self.dx - self.x / y.x * y.dx) / y.x }
    }
}

impl Neg for Dual {
    type Output = Self;
    fn neg(self) -> Self {
        Self { x: -self.x, dx: -self.dx }
    }
}

impl AddAssign for Dual {
    fn add_assign(&mut self, y: Self) {
        *self = *self + y;
    }
}

impl Element for Dual {}

impl Scalar for Dual {
    fn from_f64(x: f64) -> Self {
        Self { x, dx: 0.0 }
    }
    fn to_f64(self) -> f64 {
        self.x
    }
    fn tanh(self) -> Self {
        let y = self.x.tanh();
        self.chain(y, 1.0 - y * y)
    }
    fn exp(self) -> Self {
        let y = self.x.exp();
        self.chain(y, y)
    }
    fn ln(self) -> Self {
        self.chain(self.x.ln(), 1.0 / self.x)
    }
    fn sqrt(self) -> Self {
        let y = self.x.sqrt();
        self.chain(y, 0.5 / y)
    }
    fn sin(self) -> Self {
        self.chain(self.x.sin(), self.x.cos())
    }
    fn cos(self) -> Self {
        self.chain(self.x.cos(), -self.x.sin())
    }
    fn abs(self) -> Self {
        self.chain(self.x.abs(), self.x.signum())
    }
}

/// A tensor at a point and its direction of change.
fn point(shape: Shape, phase: f64) -> (Tensor<f64>, Tensor<f64>) {
    let wave = |scale: f64| {
        let count = Tensor::linspace(0.0, shape.numel() as f64 - 1.0, shape.numel());
        count.map(|flat| (phase + scale * flat).sin()).reshape(shape)
    };
    (wave(1.3), wave(2.1))
}

/// The derivative that the dual numbers carry, against a central difference of the same function of `f64`.
fn check(
    shape: Shape,
    on_dual: &dyn Fn(&Tensor<Dual>) -> Tensor<Dual>,
    on_f64: &dyn Fn(&Tensor<f64>) -> Tensor<f64>,
) {
    let (x, dx) = point(shape, 0.4);
    let y = on_dual(&x.zip(&dx, |x, dx| Dual { x, dx }));
    assert_close!(y.map(|y| y.x), on_f64(&x), 1e-12, 1e-12);
    let step = 1e-5;
    let difference = on_f64(&(&x + &dx * step)) - on_f64(&(&x - &dx * step));
    assert_close!(y.map(|y| y.dx), difference / (2.0 * step), 1e-7, 1e-8);
}

macro_rules! check {
    ($dims:expr, |$x:ident| $body:expr) => {
        check($dims.into(), &|$x: &Tensor<Dual>| $body, &|$x: &Tensor<f64>| $body)
    };
}

#[test]
fn elementwise() {
    check!([3, 4], |x| x.tanh());
    check!([3, 4], |x| x.sigmoid());
    check!([3, 4], |x| x.exp() * x.sin() - x.cos() / (x.square() + &Tensor::ones([])));
    check!([3, 4], |x| (x.abs() + Tensor::ones([1, 4])).sqrt().ln());
    check!([3, 4], |x| x.maximum(&-x.t().reshape([3, 4])).relu());
    check!([3, 4], |x| (x * &Tensor::full([], Scalar::from_f64(9.0))).softplus() * x.sign());
    check!([3, 4], |x| Tensor::where_mask(&x.gt(&x.flip(0)), x, &x.square()));
}

#[test]
fn at_the_kinks() {
    let x =
        Tensor::from([Dual { x: 0.0, dx: 1.0 }, Dual { x: -0.0, dx: 1.0 }, Dual { x: f64::NAN, dx: 1.0 }]);
    let slopes = |y: Tensor<Dual>| y.map(|y| y.dx).to_vec();
    assert_eq!(slopes(x.relu())[..2], [0.0, 0.0]);
    assert!(x.relu().at(&[2]).x.is_nan());
    assert_eq!(slopes(x.sign()), [0.0; 3]);
    let smooth = slopes(x.softplus());
    assert!(smooth[..2].iter().all(|slope| (slope - 0.5).abs() < 1e-15), "{smooth:?}");
}

#[test]
fn products() {
    check!([3, 4], |x| x.matmul(&x.t()));
    check!([2, 3, 4], |x| x.matmul(&x.transpose(1, 2).flip(0)));
    check!([9, 12], |x| x.t().matmul(x));
    check!([5], |x| x.matmul(x));
    check!([4, 4], |x| {
        let mut y = x.tanh();
        y.matmul_acc(x, &x.t());
        y
    });
}

#[test]
fn reductions() {
    check!([3, 4, 2], |x| x.sum_axes(&[0, 2], false));
    check!([3, 4, 2], |x| x.mean_axis(1, true) * x.sum_to([4, 1]).sum());
    check!([3, 4, 2], |x| x.max_axis(1, false) + x.min_axis(1, false));
    check!([700, 2], |x| x.sum_axis(0, false));
}

#[test]
fn softmax() {
    for axis in 0..2 {
        check!([3, 4], |x| x.softmax(axis));
        check!([3, 4], |x| x.log_softmax(axis));
        check!([3, 4], |x| x.logsumexp(axis, false));
    }
}

#[test]
fn rows() {
    let at = Tensor::from([2_usize, 0, 2]);
    check!([3, 4], |x| x.gather_rows(&at).scatter_add_rows(4, &at).square());
    check!([3, 4], |x| Tensor::concat(&[x, &x.square()], 0));
}
