//! Numbers that an optimizer is set by.

use crate::{Error, Result};

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

/// The values that a setting may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Range {
    /// A finite number of at least 0.
    Rate,
    /// At least 0 and below 1: a running mean with it forgets.
    Decay,
    /// 0 or 1.
    Switch,
}

impl Setting {
    pub(super) fn new(name: &'static str, value: impl Number, range: Range) -> Self {
        Setting { name, value: value.number(), range }
    }

    /// Refuses a value that is out of the range.
    pub(super) fn check(&self, op: &'static str) -> Result<()> {
        let &Setting { name, value: found, range } = self;
        let (expected, holds) = match range {
            Range::Rate => ("finite and at least 0", found.is_finite() && found >= 0.0),
            Range::Decay => ("at least 0 and below 1", (0.0..1.0).contains(&found)),
            Range::Switch => ("0 or 1", found == 0.0 || found == 1.0),
        };
        if holds { Ok(()) } else { Err(Error::Setting { op, name, expected, found }) }
    }
}

/// A field that is stored as a number.
pub(super) trait Number {
    fn number(self) -> f64;
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
