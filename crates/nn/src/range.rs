//! Numbers in their ranges: the check of every setting.

use crate::{Error, Result};

/// The values that a number may have.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Range {
    /// A finite number of at least 0, such as a learning rate.
    Rate,
    /// At least 0, or infinite, such as a limit.
    Limit,
    /// At least 0 and below 1, such as the decay of a running mean, or the probability of a dropout.
    BelowOne,
    /// From 0 to 1, both included, such as the target of a probability.
    Unit,
    /// Above 0 and at most 1.
    Share,
    /// A finite number above 1, by which a rate falls.
    Divisor,
    /// At least 1.
    Count,
    /// 0 or 1.
    Switch,
}

impl Range {
    /// Returns a number of the range, or an error that names the operation and the setting.
    pub(crate) fn check(self, op: &'static str, name: &'static str, found: f64) -> Result<f64> {
        let (expected, holds) = match self {
            Range::Rate => ("finite and at least 0", found.is_finite() && found >= 0.0),
            Range::Limit => ("at least 0", found >= 0.0),
            Range::BelowOne => ("at least 0 and below 1", (0.0..1.0).contains(&found)),
            Range::Unit => ("between 0 and 1", (0.0..=1.0).contains(&found)),
            Range::Share => ("above 0 and at most 1", found > 0.0 && found <= 1.0),
            Range::Divisor => ("finite and above 1", found.is_finite() && found > 1.0),
            Range::Count => ("at least 1", found >= 1.0),
            Range::Switch => ("0 or 1", found == 0.0 || found == 1.0),
        };
        if holds { Ok(found) } else { Err(Error::Setting { op, name, expected, found }) }
    }
}
