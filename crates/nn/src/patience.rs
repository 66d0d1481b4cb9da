//! When to stop.

use crate::range::Range;

/// Stops training after a number of observations, such as epochs, without a loss that is better than the best so far.
///
/// Its fields are all that has to be kept to resume. [`Snapshot`](crate::Snapshot) shows it with the best model.
///
/// # Example
/// ```
/// use retrograde_nn::{Patience, Progress};
///
/// let mut patience = Patience::new(2);
/// let progress = [3.0, 2.0, 2.5, 2.0].map(|loss| patience.observe(loss));
/// assert_eq!(progress, [Progress::Best, Progress::Best, Progress::Wait, Progress::Stop]);
/// ```
///
/// # Source
/// L. Prechelt, *Early stopping — but when?* (1998), criterion UP.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patience {
    /// The number of observations without a better one after which training stops.
    pub patience: usize,
    /// The amount by which a loss has to fall to be better.
    pub min_delta: f64,
    /// The best loss so far; infinite at first.
    pub best: f64,
    /// The number of observations since the best one.
    pub waited: usize,
}

/// The outcome of an observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Progress {
    /// The loss is the best so far.
    Best,
    /// It is not, and training may go on.
    Wait,
    /// It is time to stop.
    Stop,
}

impl Patience {
    /// Creates one that has seen nothing yet, with a `min_delta` of 0.
    ///
    /// # Panics
    /// If `patience` is 0.
    #[must_use]
    #[track_caller]
    pub fn new(patience: usize) -> Self {
        Range::Count.check("patience", "patience", patience as f64).unwrap_or_else(|error| panic!("{error}"));
        Patience { patience, min_delta: 0.0, best: f64::INFINITY, waited: 0 }
    }

    /// Takes a loss into account. One that is not a number is no improvement.
    ///
    /// # Panics
    /// If `min_delta` is not a finite number of at least 0.
    #[track_caller]
    pub fn observe(&mut self, loss: f64) -> Progress {
        Range::Rate.check("patience", "min_delta", self.min_delta).unwrap_or_else(|error| panic!("{error}"));
        if loss < self.best - self.min_delta || self.best == f64::INFINITY && loss < f64::INFINITY {
            (self.best, self.waited) = (loss, 0);
            return Progress::Best;
        }
        self.waited = self.waited.saturating_add(1);
        if self.waited < self.patience { Progress::Wait } else { Progress::Stop }
    }
}
