//! The distance of results from expected ones.

use std::fmt;

use retrograde::tensor::{Shape, Tensor};

/// The tensors of one case, compared: the one that is farthest off.
#[derive(Debug, Default)]
pub struct Comparison {
    worst: Option<(String, Difference)>,
}

/// The difference of two tensors.
#[derive(Clone, Debug, PartialEq)]
pub enum Difference {
    /// `max |found - expected| / max |expected|`; absolute where everything expected is zero, zero where nothing is.
    Relative(f64),
    /// A NaN or an infinity in either.
    NotFinite {
        /// The element expected.
        expected: f64,
        /// The element found.
        found: f64,
    },
    /// Another shape.
    Shape {
        /// The shape expected.
        expected: Shape,
        /// The shape found.
        found: Shape,
    },
}

impl Comparison {
    /// Compares a tensor with what was expected of it. A gradient that is `None`, because nothing flowed there, is zero.
    pub fn check<'a>(
        &mut self,
        tensor: &str,
        found: impl Into<Option<&'a Tensor<f64>>>,
        expected: &Tensor<f64>,
    ) {
        let difference = match found.into() {
            Some(found) => Difference::between(found, expected),
            None => Difference::between(&Tensor::zeros(expected.shape()), expected),
        };
        if self.worst.as_ref().is_none_or(|(_, worst)| difference.size() > worst.size()) {
            self.worst = Some((tensor.to_owned(), difference));
        }
    }

    /// The tensor that is farthest off, and how far.
    pub fn worst(self) -> Option<(String, Difference)> {
        self.worst
    }
}

impl Difference {
    /// The difference between two tensors.
    pub fn between(found: &Tensor<f64>, expected: &Tensor<f64>) -> Self {
        if found.shape() != expected.shape() {
            return Difference::Shape { expected: expected.shape(), found: found.shape() };
        }
        let (mut difference, mut scale) = (0.0_f64, 0.0_f64);
        for (found, expected) in found.iter().zip(expected.iter()) {
            if !(found - expected).is_finite() {
                return Difference::NotFinite { expected, found };
            }
            difference = difference.max((found - expected).abs());
            scale = scale.max(expected.abs());
        }
        Difference::Relative(if scale == 0.0 { difference } else { difference / scale })
    }

    /// As a relative error: infinite where there is none.
    pub fn size(&self) -> f64 {
        match self {
            Difference::Relative(error) => *error,
            Difference::NotFinite { .. } | Difference::Shape { .. } => f64::INFINITY,
        }
    }
}

/// The expected tensor, and the one found.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Relative(error) => {
                write!(f, "expected a relative error of at most {:e}, found {error:.1e}", super::TOLERANCE)
            }
            Difference::NotFinite { expected, found } => {
                write!(f, "expected finite numbers, found {found} for {expected}")
            }
            Difference::Shape { expected, found } => write!(f, "expected shape {expected}, found {found}"),
        }
    }
}
