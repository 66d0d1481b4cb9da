//! Batches in a shuffled order.

use rand::{RngExt, SeedableRng};
use retrograde_tensor::Tensor;

use crate::range::Range;
use crate::{Generator, Result};

const OP: &str = "batches";

/// An endless iterator of batches of rows, in another order in each epoch. The order follows from the seed and the number of
/// the epoch alone, so a run resumes from the [`position`](Self::position), which a checkpoint keeps.
///
/// Each epoch has every row once; its last batch has the rows that are left, unless they are
/// [dropped](Self::drop_last).
///
/// # Example
/// ```
/// use retrograde_nn::Batches;
/// use retrograde_tensor::Tensor;
///
/// let xs = Tensor::from([[0.0], [0.1], [0.2], [0.3], [0.4]]); // [5, D]
/// let mut batches = Batches::new(5, 2, 7)?;
/// let mut seen = Vec::new();
/// for rows in batches.by_ref().take(3) {
///     let batch = xs.gather_rows(&rows); // [2, D], and at last [1, D]
///     assert_eq!(batch.dims()[0], rows.numel());
///     seen.extend(rows.to_vec());
/// }
/// seen.sort();
/// assert_eq!(seen, [0, 1, 2, 3, 4]);
/// assert_eq!((batches.position(), batches.epoch()), (3, 1));
///
/// let mut resumed = Batches::new(5, 2, 7)?.at(batches.position());
/// assert_eq!(resumed.next(), batches.next());
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// R. Fisher and F. Yates (1938), in the form of D. Knuth, *The art of computer programming*, volume 2, algorithm 3.4.2P.
#[derive(Clone, Debug)]
pub struct Batches {
    rows: usize,
    batch: usize,
    seed: u64,
    drop_last: bool,
    position: usize,
    /// The epoch whose order is known, and the order.
    order: Option<(usize, Vec<usize>)>,
}

impl Batches {
    /// Creates batches of `batch` of the rows `0..rows`.
    ///
    /// # Errors
    /// If there are no rows, or none in a batch.
    pub fn new(rows: usize, batch: usize, seed: u64) -> Result<Self> {
        Range::Count.check(OP, "rows", rows as f64)?;
        Range::Count.check(OP, "batch", batch as f64)?;
        Ok(Batches { rows, batch, seed, drop_last: false, position: 0, order: None })
    }

    /// Leaves out the last batch of each epoch where it has fewer rows than the others.
    ///
    /// # Errors
    /// If no batch is left.
    pub fn drop_last(self) -> Result<Self> {
        Range::Count.check(OP, "whole batches", (self.rows / self.batch) as f64)?;
        Ok(Batches { drop_last: true, ..self })
    }

    /// Returns the same batches from another position on, as a resumed run needs them.
    #[must_use]
    pub fn at(self, position: usize) -> Self {
        Batches { position, ..self }
    }

    /// Returns the number of batches before the next one, in all epochs.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// Returns the number of batches of an epoch.
    #[must_use]
    pub fn per_epoch(&self) -> usize {
        if self.drop_last { self.rows / self.batch } else { self.rows.div_ceil(self.batch) }
    }

    /// Returns the epoch of the next batch; the first is 0.
    #[must_use]
    pub fn epoch(&self) -> usize {
        self.position / self.per_epoch()
    }

    /// The order of the rows in an epoch: each step exchanges a row with one of those up to it.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut rng = Generator::seed_from_u64(self.seed);
        rng.set_stream(epoch as u64);
        let mut order: Vec<usize> = (0..self.rows).collect();
        for i in (1..self.rows).rev() {
            order.swap(i, rng.random_range(0..=i));
        }
        order
    }
}

/// The rows of a batch, `[N]`.
impl Iterator for Batches {
    type Item = Tensor<usize>;

    fn next(&mut self) -> Option<Tensor<usize>> {
        let (epoch, first) = (self.epoch(), self.position % self.per_epoch() * self.batch);
        if self.order.as_ref().is_none_or(|&(known, _)| known != epoch) {
            self.order = Some((epoch, self.order(epoch)));
        }
        self.position += 1;
        let (_, order) = self.order.as_ref()?;
        let rows = &order[first..self.rows.min(first.saturating_add(self.batch))];
        Some(Tensor::from_fn([rows.len()], |at| rows[at[0]]))
    }
}
