//! Functions by which elements are reduced.

use crate::{Element, Scalar};

/// Partial results kept side by side: independent of one another, they fill vector registers.
pub(crate) const LANES: usize = 16;

/// An associative function by which elements are reduced.
pub(crate) trait Fold<E: Element>: Copy {
    fn of(self, x: E, y: E) -> E;

    /// Folds chunks into lanes, each element into its own.
    #[inline(always)]
    fn lanes(self, lanes: [E; LANES], chunks: &[[E; LANES]]) -> [E; LANES] {
        chunks.iter().fold(lanes, |lanes, chunk| zip(&lanes, chunk, self))
    }

    /// Runs a loop, with wider instructions if that pays: a sum waits for itself, however many are added at once.
    #[inline(always)]
    fn vectorized<R>(self, run: impl FnOnce() -> R) -> R {
        run()
    }
}

impl<E: Element, F: Fn(E, E) -> E + Copy> Fold<E> for F {
    #[inline(always)]
    fn of(self, x: E, y: E) -> E {
        self(x, y)
    }
}

/// The greatest element, or NaN.
#[derive(Clone, Copy)]
pub(crate) struct Greatest;

/// The least element, or NaN.
#[derive(Clone, Copy)]
pub(crate) struct Least;

impl<E: Scalar> Fold<E> for Greatest {
    #[inline(always)]
    fn of(self, x: E, y: E) -> E {
        x.maximum(y)
    }

    #[inline(always)]
    fn lanes(self, lanes: [E; LANES], chunks: &[[E; LANES]]) -> [E; LANES] {
        extremes(lanes, chunks, self, |x, y| if y > x { y } else { x })
    }

    #[inline(always)]
    fn vectorized<R>(self, run: impl FnOnce() -> R) -> R {
        E::vectorized(run)
    }
}

impl<E: Scalar> Fold<E> for Least {
    #[inline(always)]
    fn of(self, x: E, y: E) -> E {
        x.minimum(y)
    }

    #[inline(always)]
    fn lanes(self, lanes: [E; LANES], chunks: &[[E; LANES]]) -> [E; LANES] {
        extremes(lanes, chunks, self, |x, y| if y < x { y } else { x })
    }

    #[inline(always)]
    fn vectorized<R>(self, run: impl FnOnce() -> R) -> R {
        E::vectorized(run)
    }
}

/// Folds chunks into lanes by `pick`, one instruction that gives what `f` does but for NaN. A sum beside it is NaN if an
/// element is.
#[inline(always)]
fn extremes<E: Scalar>(
    lanes: [E; LANES],
    chunks: &[[E; LANES]],
    f: impl Fold<E>,
    pick: impl Fn(E, E) -> E + Copy,
) -> [E; LANES] {
    let (mut most, mut sums) = (lanes, lanes);
    for chunk in chunks {
        most = zip(&most, chunk, pick);
        sums = zip(&sums, chunk, E::add);
    }
    // Infinities of both signs give NaN, too: then nothing is lost but time.
    if sums.iter().fold(false, |nan, sum| nan | sum.is_nan()) {
        return chunks.iter().fold(lanes, |lanes, chunk| zip(&lanes, chunk, f));
    }
    most
}

/// `f` of each pair.
#[inline(always)]
pub(crate) fn zip<E: Element, const N: usize>(x: &[E; N], y: &[E; N], f: impl Fold<E>) -> [E; N] {
    std::array::from_fn(|i| f.of(x[i], y[i]))
}
