//! The functions in double-double arithmetic, about 100 bits: what `f64` results are measured against.
//!
//! # Source
//! T. J. Dekker, *A floating-point technique for extending the available precision* (1971).

use std::ops::{Add, Div, Mul, Neg, Sub};

/// The unevaluated sum of two numbers, of which the second is less than half an ulp of the first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dd(pub(super) f64, pub(super) f64);

const ONE: Dd = Dd(1.0, 0.0);
const LN_2: Dd = Dd(std::f64::consts::LN_2, 2.319_046_813_846_299_6e-17);
/// Terms of the series: the next one is beyond the last bit, also relative to the sum.
const EXP_TERMS: usize = 27;
const ARTANH_TERMS: usize = 22;
const LN_1P_TERMS: usize = 36;
const SINE_TERMS: usize = 14;
/// `π/2`.
const QUARTER_TURN: [f64; 4] = [
    std::f64::consts::FRAC_PI_2,
    6.123_233_995_736_766e-17,
    -1.497_384_904_859_169_8e-33,
    5.562_271_104_316_826e-50,
];

/// `a + b` for `|a| >= |b|`.
fn ordered_sum(a: f64, b: f64) -> Dd {
    let sum = a + b;
    Dd(sum, b - (sum - a))
}

fn sum(a: f64, b: f64) -> Dd {
    let sum = a + b;
    let part = sum - a;
    Dd(sum, (a - (sum - part)) + (b - part))
}

impl Add for Dd {
    type Output = Dd;
    fn add(self, r: Dd) -> Dd {
        let (high, low) = (sum(self.0, r.0), sum(self.1, r.1));
        let high = ordered_sum(high.0, high.1 + low.0);
        ordered_sum(high.0, high.1 + low.1)
    }
}

impl Neg for Dd {
    type Output = Dd;
    fn neg(self) -> Dd {
        Dd(-self.0, -self.1)
    }
}

impl Sub for Dd {
    type Output = Dd;
    fn sub(self, r: Dd) -> Dd {
        self + -r
    }
}

impl Mul for Dd {
    type Output = Dd;
    fn mul(self, r: Dd) -> Dd {
        let product = self.0 * r.0;
        let lost = self.0.mul_add(r.0, -product);
        ordered_sum(product, lost + (self.0 * r.1 + self.1 * r.0))
    }
}

impl Div for Dd {
    type Output = Dd;
    fn div(self, r: Dd) -> Dd {
        let first = self.0 / r.0;
        let rest = self - r * Dd(first, 0.0);
        let second = rest.0 / r.0;
        let rest = rest - r * Dd(second, 0.0);
        ordered_sum(first, second) + Dd(rest.0 / r.0, 0.0)
    }
}

/// `value · 2^exponent`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scaled {
    pub(super) value: Dd,
    pub(super) exponent: i32,
}

impl From<Dd> for Scaled {
    fn from(value: Dd) -> Self {
        Scaled { value, exponent: 0 }
    }
}

/// `n` and `eʳ - 1` with `x = n ln 2 + r`; `n = 0` for small `x`.
fn reduced(x: f64) -> (i32, Dd) {
    let n = if x.abs() < 0.3 { 0.0 } else { (x / std::f64::consts::LN_2).round() };
    let r = Dd(x, 0.0) - Dd(n, 0.0) * LN_2;
    // r (1 + r/2 (1 + r/3 (1 + ..)))
    let series = (2..=EXP_TERMS).rev().fold(ONE, |sum, k| ONE + r * sum / Dd(k as f64, 0.0));
    (n as i32, r * series)
}

fn power_of_two(n: i32) -> Dd {
    Dd(f64::from_bits(((n + 1023) as u64) << 52), 0.0)
}

/// `eˣ`, for `|x| <= 750`.
pub(super) fn exp(x: f64) -> Scaled {
    let (exponent, y) = reduced(x);
    Scaled { value: ONE + y, exponent }
}

/// `(1 - e) / (1 + e)` with `e = exp(-2 |x|)`, from `e - 1`.
pub(super) fn tanh(x: f64) -> Scaled {
    // From 40 on, the result is 1 to more than 100 bits.
    let (n, y) = reduced(-2.0 * x.abs().min(40.0));
    let power = power_of_two(n);
    let t = if n == 0 { y } else { y * power + (power - ONE) };
    let y = -t / (Dd(2.0, 0.0) + t);
    Scaled::from(if x.is_sign_negative() { -y } else { y })
}

/// `1 / (1 + e)` or `e / (1 + e)` with `e = exp(-|x|)`, for `|x| <= 750`.
pub(super) fn sigmoid(x: f64) -> Scaled {
    let e = exp(-x.abs());
    // Below 2^-200, e does not show in 1 + e.
    let divisor = if e.exponent < -200 { ONE } else { ONE + e.value * power_of_two(e.exponent) };
    if x < 0.0 { Scaled { value: e.value / divisor, ..e } } else { (ONE / divisor).into() }
}

/// `e ln 2 + 2 artanh((m - 1) / (m + 1))` with `x = m · 2ᵉ`, `m` from `√½` to `√2`, for `x > 0`.
pub(super) fn ln(x: f64) -> Scaled {
    let (normal, lift) = if x < f64::MIN_POSITIVE { (x * 2_f64.powi(54), 54.0) } else { (x, 0.0) };
    let mut e = (normal.to_bits() >> 52) as f64 - 1023.0;
    let mut m = f64::from_bits(normal.to_bits() & ((1 << 52) - 1) | 1023 << 52);
    if m > std::f64::consts::SQRT_2 {
        (m, e) = (m / 2.0, e + 1.0);
    }
    let s = Dd(m - 1.0, 0.0) / sum(m, 1.0);
    let z = s * s;
    let term = |k: usize| ONE / Dd((2 * k + 1) as f64, 0.0);
    let series = (0..ARTANH_TERMS).rev().fold(Dd(0.0, 0.0), |sum, k| sum * z + term(k));
    (Dd(e - lift, 0.0) * LN_2 + (s + s) * series).into()
}

/// `max(x, 0) + 2 artanh(e / (2 + e))` with `e = exp(-|x|)`.
pub(super) fn ln_1p_exp(x: f64) -> Scaled {
    // From 750 on, e does not show in x.
    let e = exp(-x.abs().min(750.0));
    // Below 2^-200, e does not show in 1 + e.
    if e.exponent < -200 {
        return if x < 0.0 { e } else { Dd(x, 0.0).into() };
    }
    let e = e.value * power_of_two(e.exponent);
    let s = e / (Dd(2.0, 0.0) + e);
    let z = s * s;
    let term = |k: usize| ONE / Dd((2 * k + 1) as f64, 0.0);
    let series = (0..LN_1P_TERMS).rev().fold(Dd(0.0, 0.0), |sum, k| sum * z + term(k));
    let log = (s + s) * series;
    if x < 0.0 { log.into() } else { (Dd(x, 0.0) + log).into() }
}

pub(super) fn sin(x: f64) -> Scaled {
    sine(x, 0)
}

pub(super) fn cos(x: f64) -> Scaled {
    sine(x, 1)
}

/// `sin(x + quarters · π/2)`, for `|x| <= 2²⁰`: of the sum of four products, of which each is exact, no fewer than 130 bits
/// behind the point are right.
fn sine(x: f64, quarters: i64) -> Scaled {
    let n = (x / QUARTER_TURN[0]).round();
    let r = QUARTER_TURN.iter().fold(Dd(x, 0.0), |r, &part| r - Dd(n, 0.0) * Dd(part, 0.0));
    let z = r * r;
    // 1 - z / ((k - 1) k) (1 - z / ((k + 1) (k + 2)) (1 - ..)) for k = 3 (of r: the sine) or 2 (the cosine)
    let series = |first: usize| {
        let divisor = |k: usize| ((first + 2 * k - 1) * (first + 2 * k)) as f64;
        (0..SINE_TERMS).rev().fold(ONE, |sum, k| ONE - z * sum / Dd(divisor(k), 0.0))
    };
    let quarter = (n as i64 + quarters).rem_euclid(4);
    let y = if quarter % 2 == 0 { r * series(3) } else { series(2) };
    Scaled::from(if quarter < 2 { y } else { -y })
}

#[test]
fn the_reference_keeps_a_hundred_bits() {
    let close = |x: Dd, y: Dd| ((x - y).0 / y.0).abs() < 2_f64.powi(-98);
    // e, by digits; the second number is what the first lacks.
    let e = exp(1.0);
    let e = e.value * power_of_two(e.exponent);
    assert!(close(e, Dd(std::f64::consts::E, 1.445_646_891_729_250_2e-16)), "{e:?}");
    // ln 2, by digits; sin π is what the number lacks.
    assert!(close(ln_1p_exp(0.0).value, LN_2));
    assert!(close(
        sine(std::f64::consts::PI, 0).value,
        Dd(1.224_646_799_147_353_2e-16, -2.994_769_809_718_339_7e-33)
    ));
    for x in [1e-9_f64, 0.01, 0.2, 0.34, 0.35, 0.7, 1.0, 1.7, 5.0, 33.3, 300.0, 700.0] {
        let (up, down) = (exp(x), exp(-x));
        assert_eq!(up.exponent, -down.exponent);
        assert!(close(up.value * down.value, ONE), "{x}");
        // tanh (2x) = 2 t / (1 + t²)
        let (t, twice) = (tanh(x).value, tanh(2.0 * x).value);
        assert!(close((t + t) / (ONE + t * t), twice), "{x}");
        // 2 σ(x) - 1 = tanh (x/2)
        let s = sigmoid(x).value;
        assert!(((s + s - ONE) - tanh(x / 2.0).value).0.abs() < 2_f64.powi(-98), "{x}");
        // sin 2x = 2 sin x cos x, sin² x + cos² x = 1, sin π = 0
        let (sin, cos) = (sine(x, 0).value, sine(x, 1).value);
        assert!(close(sin * cos + sin * cos, sine(2.0 * x, 0).value), "{x}");
        assert!(close(sin * sin + cos * cos, ONE), "{x}");
        // ln_1p_exp x - ln_1p_exp -x = x
        let (up, down) = (ln_1p_exp(x).value, ln_1p_exp(-x));
        let down = down.value * power_of_two(down.exponent.max(-1000));
        assert!(close(up - down, Dd(x, 0.0)), "{x}");
        // ln eˣ = x, where eʸ with y = ln x corrects what rounding `x` lost.
        let log = ln(x).value;
        let back = exp(log.0);
        let back = back.value * power_of_two(back.exponent) * (ONE + Dd(log.1, 0.0));
        assert!(close(back, Dd(x, 0.0)), "{x}");
    }
}
