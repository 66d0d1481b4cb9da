//! The distance of two tensors.

use retrograde::tensor::{Scalar, Tensor};

/// The largest difference between the elements of two tensors.
///
/// The relative difference is that to the largest element of the tensor, not of each element to itself: a gradient
/// whose elements cancel to nearly zero is not wrong by what rounding leaves of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// `max |found - expected|`
    pub absolute: f64,
    /// `max |found - expected| / max |expected|`; 0 if both tensors are zero.
    pub relative: f64,
    /// `max |expected|`
    pub magnitude: f64,
}

impl Difference {
    /// Between what was found and what was expected, in double precision. NaN wherever either has one.
    ///
    /// # Panics
    /// If the shapes differ.
    pub fn between<E: Scalar, F: Scalar>(found: &Tensor<E>, expected: &Tensor<F>) -> Self {
        assert_eq!(found.shape(), expected.shape(), "a difference is between tensors of one shape");
        let largest = |x: &mut dyn Iterator<Item = f64>| {
            x.fold(0.0, |most: f64, x| if x.is_nan() || most.is_nan() { f64::NAN } else { most.max(x.abs()) })
        };
        let absolute = largest(&mut found.iter().zip(expected.iter()).map(|(a, b)| a.to_f64() - b.to_f64()));
        let magnitude = largest(&mut expected.iter().map(|b| b.to_f64()));
        let relative = if absolute == 0.0 { 0.0 } else { absolute / magnitude };
        Difference { absolute, relative, magnitude }
    }

    /// The worse of two, judged by the relative difference.
    #[must_use]
    pub fn worse(self, other: Self) -> Self {
        if self.relative.is_nan() || self.relative >= other.relative { self } else { other }
    }

    /// Whether the relative difference is at most `tolerance`. NaN is not.
    pub fn within(&self, tolerance: f64) -> bool {
        self.relative <= tolerance
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_relative_to_the_largest_element() {
        let found = Tensor::from([1.0, 200.0]);
        let expected = Tensor::from([0.0, -400.0]);
        let difference = Difference::between(&found, &expected);
        assert_eq!(difference, Difference { absolute: 600.0, relative: 1.5, magnitude: 400.0 });
    }

    #[test]
    fn nothing_that_is_not_a_number_is_within_a_tolerance() {
        let good = Difference::between(&Tensor::from([1.0]), &Tensor::from([1.0]));
        assert!(good.within(0.0));
        for (a, b) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::INFINITY, f64::INFINITY), (1.0, 0.0)] {
            let bad = Difference::between(&Tensor::from([0.5, a, 0.5]), &Tensor::from([0.5, b, 0.5]));
            assert!(!bad.within(0.4), "{a} and {b}: {bad:?}");
            assert!(!bad.worse(good).within(0.4) && !good.worse(bad).within(0.4));
        }
    }

    #[test]
    fn empty_tensors_agree() {
        let empty = Tensor::<f32>::zeros([0, 3]);
        assert!(Difference::between(&empty, &empty).within(0.0));
    }
}
