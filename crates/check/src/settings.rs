//! The settings of a check: how thoroughly it looks, and what it keeps.

use crate::{Check, Error};

/// The settings of a check.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    pub(crate) directions: usize,
    pub(crate) points: usize,
    pub(crate) jacobian: Option<bool>,
    pub(crate) keep_entries: bool,
    pub(crate) second_order: bool,
    pub(crate) taylor: bool,
    /// Of finite differences, relative to the magnitude of a block.
    pub(crate) tolerance: f64,
    /// Of the adjoint identity and of the comparison with the tape.
    pub(crate) exact: f64,
    /// Tensors of at most this many elements are perturbed element by element; of larger ones, about this many elements.
    pub(crate) elements: usize,
    pub(crate) cotangent_scale: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            seed: 0,
            directions: 3,
            points: 1,
            jacobian: None,
            keep_entries: false,
            second_order: false,
            taylor: false,
            tolerance: 1e-8,
            exact: 1e-12,
            elements: 400,
            cotangent_scale: 1.0,
        }
    }
}

/// More random directions or points than these tell nothing new, and take for ever.
const MOST: usize = 1000;

impl Settings {
    /// Refuses settings that cannot be used.
    pub(crate) fn require(&self) -> Result<(), Error> {
        for (found, least, most) in [
            (self.directions, "at least one random direction", "at most 1000 random directions"),
            (self.points, "at least one point", "at most 1000 points"),
        ] {
            if found == 0 || found > MOST {
                let expected = if found == 0 { least } else { most };
                return Err(Error::Setting { expected, found: found as f64 });
            }
        }
        for found in [self.tolerance, self.exact] {
            if !(found > 0.0 && found < 1.0) {
                return Err(Error::Setting { expected: "a tolerance between 0 and 1", found });
            }
        }
        let found = self.cotangent_scale;
        if !(found.abs() >= 1e-100 && found.abs() <= 1e100) {
            return Err(Error::Setting { expected: "a scale of cotangents from 1e-100 to 1e100", found });
        }
        Ok(())
    }
}

impl Check {
    /// Sets the seed of everything random: directions, cotangents, further points, and the example inputs of a layer.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.settings.seed = seed;
        self
    }

    /// Sets the number of random directions of each block, and of random cotangents of all outputs: from 1 to 1000.
    #[must_use]
    pub fn directions(mut self, directions: usize) -> Self {
        self.settings.directions = directions;
        self
    }

    /// Sets the number of elements up to which each element of a tensor is perturbed alone, 400 by default. Of larger
    /// tensors about this many are, evenly spaced, and random directions speak for the others.
    #[must_use]
    pub fn elements(mut self, elements: usize) -> Self {
        self.settings.elements = elements;
        self
    }

    /// Sets the number of points at which to check, from 1 to 1000: the values given, and others, for which each element
    /// moves at random by about the root mean square of its tensor, or by about 1 in a tensor of zeros.
    ///
    /// A block is wrong if it is wrong at one of them, and verified if it is at one of them and wrong at none: a relu that
    /// is off at one point may be on at the next.
    #[must_use]
    pub fn points(mut self, points: usize) -> Self {
        self.settings.points = points;
        self
    }

    /// Sets the factor of all cotangents, by default 1: a gradient is linear in them, so that a right one is right at
    /// every scale, and one that is clipped is not.
    #[must_use]
    pub fn cotangent_scale(mut self, scale: f64) -> Self {
        self.settings.cotangent_scale = scale;
        self
    }

    /// Whether every entry of the Jacobian is compared, of which there may be some 16 million; by default, if it is
    /// small.
    #[must_use]
    pub fn full_jacobian(mut self, full: bool) -> Self {
        self.settings.jacobian = Some(full);
        self
    }

    /// Whether the report keeps every entry of the Jacobian, for [`Report::entries`](crate::Report::entries) and JSON. The
    /// full Jacobian is compared then.
    #[must_use]
    pub fn keep_entries(mut self, keep: bool) -> Self {
        self.settings.keep_entries = keep;
        self
    }

    /// Checks Hessian-vector products too, of what is recorded on a tape.
    #[must_use]
    pub fn second_order(mut self, second_order: bool) -> Self {
        self.settings.second_order = second_order;
        self
    }

    /// Whether the report has a [Taylor table](crate::Taylor) for each tensor, which shows the order at which the
    /// remainder of a linear approximation vanishes.
    #[must_use]
    pub fn taylor(mut self, taylor: bool) -> Self {
        self.settings.taylor = taylor;
        self
    }

    /// Sets the tolerance of finite differences, relative to the magnitude of each block.
    #[must_use]
    pub fn tolerance(mut self, tolerance: f64) -> Self {
        self.settings.tolerance = tolerance;
        self
    }

    /// Sets the tolerance of the adjoint identity and of the comparison with the tape, relative to the terms compared.
    #[must_use]
    pub fn exact_tolerance(mut self, tolerance: f64) -> Self {
        self.settings.exact = tolerance;
        self
    }
}
