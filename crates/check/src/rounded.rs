//! Numbers that round at random: what a computation makes of them differs by as much as its rounding may be worth.

use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

use retrograde_tensor::{Element, Scalar};

/// A double that is rounded up or down at random after each operation, and not at all where the result is exact: a
/// product with 0 stays 0, and a difference of near numbers is what it is.
///
/// # Source
/// J. Vignes, *A stochastic arithmetic for reliable scientific computation* (1993); errors of single operations by
/// D. Knuth, *The Art of Computer Programming* 2, section 4.2.2.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rounded {
    pub(crate) value: f64,
    salt: u64,
}

impl Rounded {
    /// A number unchanged; numbers of equal salt that are equal are rounded alike.
    pub(crate) fn new(value: f64, salt: u64) -> Self {
        Rounded { value, salt }
    }

    /// One of the two neighbours of an exact result, of which only the sign of its distance from `value` is known.
    fn between(value: f64, error: f64, salt: u64) -> Self {
        let value = match choice(value, salt) {
            1 if error > 0.0 => value.next_up(),
            1 if error < 0.0 => value.next_down(),
            _ => value,
        };
        Rounded { value, salt }
    }

    /// The value of a function, which may be off by about a unit in the last place.
    fn function(self, kernel: impl Fn(&mut [f64])) -> Self {
        let mut y = [self.value];
        kernel(&mut y);
        let [y] = y;
        let value = match choice(y, self.salt) {
            _ if self.value == 0.0 || y == 0.0 || !y.is_finite() => y,
            0 => y.next_down(),
            _ => y.next_up(),
        };
        Rounded { value, ..self }
    }
}

/// A bit that looks random. Salts that differ in their last bit have opposite bits, so that one of two rounds otherwise.
fn choice(x: f64, salt: u64) -> u64 {
    let h = (x.to_bits() ^ (salt >> 1)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let h = (h ^ (h >> 29)).wrapping_mul(0xBF58_476D_1CE4_E5B9) >> 32;
    (h ^ salt) & 1
}

impl Element for Rounded {}

impl PartialEq for Rounded {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl PartialOrd for Rounded {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl Add for Rounded {
    type Output = Self;
    fn add(self, r: Self) -> Self {
        let (a, b) = (self.value, r.value);
        let sum = a + b;
        let of_b = sum - a;
        Self::between(sum, (a - (sum - of_b)) + (b - of_b), self.salt | r.salt)
    }
}

impl Sub for Rounded {
    type Output = Self;
    fn sub(self, r: Self) -> Self {
        self + -r
    }
}

impl Mul for Rounded {
    type Output = Self;
    fn mul(self, r: Self) -> Self {
        let product = self.value * r.value;
        Self::between(product, self.value.mul_add(r.value, -product), self.salt | r.salt)
    }
}

impl Div for Rounded {
    type Output = Self;
    fn div(self, r: Self) -> Self {
        let quotient = self.value / r.value;
        let rest = (-quotient).mul_add(r.value, self.value);
        Self::between(quotient, rest * r.value.signum(), self.salt | r.salt)
    }
}

impl Neg for Rounded {
    type Output = Self;
    fn neg(self) -> Self {
        Rounded { value: -self.value, ..self }
    }
}

impl AddAssign for Rounded {
    fn add_assign(&mut self, r: Self) {
        *self = *self + r;
    }
}

impl Scalar for Rounded {
    fn from_f64(x: f64) -> Self {
        Rounded::new(x, 0)
    }
    fn to_f64(self) -> f64 {
        self.value
    }
    fn tanh(self) -> Self {
        self.function(f64::tanh_slice)
    }
    fn exp(self) -> Self {
        self.function(f64::exp_slice)
    }
    fn sigmoid(self) -> Self {
        self.function(f64::sigmoid_slice)
    }
    fn ln(self) -> Self {
        self.function(f64::ln_slice)
    }
    fn sqrt(self) -> Self {
        let y = self.value.sqrt();
        Self::between(y, (-y).mul_add(y, self.value), self.salt)
    }
    fn sin(self) -> Self {
        self.function(f64::sin_slice)
    }
    fn cos(self) -> Self {
        self.function(f64::cos_slice)
    }
    fn abs(self) -> Self {
        Rounded { value: self.value.abs(), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The values that an operation takes over many salts.
    fn values(f: impl Fn(&dyn Fn(f64) -> Rounded) -> Rounded) -> Vec<f64> {
        let mut values: Vec<f64> = (1..200_u64)
            .map(|salt| f(&|x| Rounded::new(x, salt.wrapping_mul(0x2545_F491_4F6C_DD1D))).value)
            .collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        values
    }

    #[test]
    fn what_is_exact_stays() {
        assert_eq!(values(|x| x(0.1) * x(0.0)), [0.0]);
        assert_eq!(values(|x| x(0.1) + x(0.1)), [0.2]);
        assert_eq!(values(|x| x(1.0) - x(0.9)), [1.0 - 0.9]); // near numbers
        assert_eq!(values(|x| x(3.0) / x(-2.0)), [-1.5]);
        assert_eq!(values(|x| x(2.25).sqrt()), [1.5]);
        assert_eq!(values(|x| x(0.0).tanh()), [0.0]);
    }

    #[test]
    fn what_is_not_lies_on_either_side() {
        let thirds = values(|x| x(1.0) / x(3.0));
        assert_eq!(thirds.len(), 2);
        assert!(thirds[0].mul_add(3.0, -1.0) < 0.0 && thirds[1].mul_add(3.0, -1.0) > 0.0);
        let thirds = values(|x| x(1.0) / x(-3.0));
        assert!(thirds[0].mul_add(-3.0, -1.0) > 0.0 && thirds[1].mul_add(-3.0, -1.0) < 0.0);
        assert_eq!(values(|x| x(0.1) + x(0.2)).len(), 2);
        assert_eq!(values(|x| x(0.1) * x(0.3)).len(), 2);
        assert_eq!(values(|x| x(2.0).sqrt()).len(), 2);
        assert_eq!(values(|x| x(0.3).tanh()).len(), 2);
    }

    #[test]
    fn a_derivative_that_cancels_spreads() {
        let slope = values(|x| x(1.0) - x(9.0).tanh() * x(9.0).tanh());
        let spread = (slope[slope.len() - 1] - slope[0]) / slope[0];
        assert!(spread > 1e-9 && spread < 1e-7, "{spread}");
    }
}
