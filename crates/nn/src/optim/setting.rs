//! Numbers that an optimizer is set by.

use crate::Result;
use crate::range::Range;

/// A setting of an optimizer, such as its learning rate.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Setting {
    /// The name of the field, such as `lr` or `betas.0`.
    pub name: &'static str,
    /// The value; 0 or 1 for a `bool`.
    pub value: f64,
    range: Range,
}

/// A setting with the range of its values.
pub fn setting(name: &'static str, value: impl Number, range: Range) -> Setting {
    Setting { name, value: value.number(), range }
}

impl Setting {
    /// Refuses a value that is out of the range.
    pub(super) fn check(&self, op: &'static str) -> Result<()> {
        self.range.check(op, self.name, self.value).map(drop)
    }
}

/// A field that is stored as a number.
pub trait Number {
    /// The number that it is stored as.
    fn number(self) -> f64;
    /// The value that a number stands for.
    fn of(number: f64) -> Self;
}

impl Number for f64 {
    fn number(self) -> f64 {
        self
    }
    fn of(number: f64) -> f64 {
        number
    }
}

impl Number for bool {
    fn number(self) -> f64 {
        self.into()
    }
    fn of(number: f64) -> bool {
        number != 0.0
    }
}
