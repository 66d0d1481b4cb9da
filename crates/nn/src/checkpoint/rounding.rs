//! The order in which sums are rounded, on which the last digits of a run depend.

use std::fmt;

use retrograde_tensor::Isa;

use crate::{Error, Result};

/// The conditions that decide in which order sums are rounded, and with it the last digits of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rounding {
    /// The level of SIMD instructions that kernels use, such as `avx2`.
    pub simd: String,
    /// The number of parts that the rows of a batch are divided into, as by [`Parallel`](crate::Parallel).
    pub parts: usize,
}

impl Rounding {
    /// Returns the conditions of this process, with batches in this number of parts.
    #[must_use]
    pub fn here(parts: usize) -> Self {
        Rounding { simd: Isa::current().name().to_string(), parts }
    }
}

impl fmt::Display for Rounding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Rounding { simd, parts } = self;
        write!(f, "simd level {simd} and batches in {parts} part{}", if *parts == 1 { "" } else { "s" })
    }
}

/// A run that has been restored, maybe on another machine.
///
/// # Example
/// ```
/// use retrograde_autograd::Param;
/// use retrograde_nn::{Checkpoint, Rounding, Sgd};
///
/// let model: Vec<Param<f32>> = Vec::new();
/// let mut sgd = Sgd::new(0.1);
/// let mut checkpoint = Checkpoint::of(&model, &sgd)?;
/// checkpoint.rounding = Rounding::here(4);
/// let restored = checkpoint.restore(&model, &mut sgd)?;
/// assert!(restored.expect_exact(4).is_ok());
/// if let Err(difference) = restored.expect_exact(2) {
///     eprintln!("{difference}"); // expected .. 4 parts, found .. 2 parts
/// }
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "the run may go on with other last digits: ask `expect_exact`"]
#[non_exhaustive]
pub struct Restored {
    saved: Rounding,
}

impl Restored {
    pub(super) fn new(saved: Rounding) -> Self {
        Restored { saved }
    }

    /// Checks that the run goes on bit for bit, with its batches in this number of parts.
    ///
    /// # Errors
    /// If the checkpoint was made on another level of SIMD instructions or with another number of parts. The run is restored
    /// in any case: a caller who accepts other last digits goes on.
    pub fn expect_exact(&self, parts: usize) -> Result<()> {
        let (expected, found) = (self.saved.clone(), Rounding::here(parts));
        if expected == found { Ok(()) } else { Err(Error::OtherRounding { expected, found }) }
    }
}
