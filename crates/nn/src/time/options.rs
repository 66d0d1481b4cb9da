//! Options of one call: lengths, masks, resets, noise.

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Shape, Tensor};

use super::noise::Noise;
use crate::shapes::{Axis, expect};
use crate::{Error, Result};

const OP: &str = "sequence options";

/// Options of one call of a layer over sequences: where rows end, where new sequences start, and the noise of training.
///
/// - *Lengths*, or a *mask* `[N, T]` that is not zero where a step counts. In a step that does not count, the state
///   stays the same, the output is zero, and no gradient flows, whatever the input there: it may be NaN. The
///   last state of a row is that at its own end.
/// - *Resets*, `[N, T]`, not zero in a step with which a new sequence starts. Before it the state of the row is set back
///   to that of a new sequence, zeros or a learned one, and no gradient crosses. A layer that runs backwards in time is
///   set back after that step. A step that does not count starts nothing.
/// - *Noise*, for what acts only in training: without any, the call is an evaluation.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{SequenceOptions, RnnCell, TimeRnn};
/// use retrograde_tensor::Tensor;
///
/// let mut rnn = TimeRnn::<f64>::new(RnnCell::new(1, 2, &mut StdRng::seed_from_u64(1)));
/// let tape = Tape::new();
/// let xs = tape.var(Tensor::from([[[1.0], [2.0], [f64::NAN]], [[1.0], [2.0], [3.0]]])); // [2, 3, 1]
/// let out = rnn.forward_with(&xs, &SequenceOptions::new().lengths(&[2, 3]))?;
/// assert_eq!(out.last.value().select(0, 0), out.hs.value().select(0, 0).select(0, 1));
/// let grads = out.hs.sum().backward()?;
/// assert_eq!(grads.get(&xs).unwrap().at(&[0, 2, 0]), 0.0);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct SequenceOptions<E: Float> {
    lengths: Option<Vec<usize>>,
    mask: Option<Tensor<E>>,
    resets: Option<Tensor<E>>,
    noise: Noise,
}

impl<E: Float> SequenceOptions<E> {
    /// Creates options by which every step counts, no new sequence starts within a row, and nothing is random.
    #[must_use]
    pub fn new() -> Self {
        SequenceOptions { lengths: None, mask: None, resets: None, noise: Noise::off() }
    }

    /// Sets the number of steps of each row that count, from the first on.
    #[must_use]
    pub fn lengths(self, lengths: &[usize]) -> Self {
        SequenceOptions { lengths: Some(lengths.to_vec()), ..self }
    }

    /// Sets the steps that count, `[N, T]`: those where the mask is not zero, and within the lengths if those are given.
    #[must_use]
    pub fn mask(self, mask: Tensor<E>) -> Self {
        SequenceOptions { mask: Some(mask), ..self }
    }

    /// Sets the steps with which a new sequence starts, `[N, T]`: those where the mask is not zero.
    #[must_use]
    pub fn resets(self, resets: Tensor<E>) -> Self {
        SequenceOptions { resets: Some(resets), ..self }
    }

    /// Sets the noise of training.
    #[must_use]
    pub fn with_noise(self, noise: Noise) -> Self {
        SequenceOptions { noise, ..self }
    }

    /// Returns the noise of the call as a whole.
    #[must_use]
    pub fn noise(&self) -> Noise {
        self.noise
    }

    /// Returns the same options with independent noise for part `i` of a layer.
    #[must_use]
    pub fn child(&self, i: usize) -> Self {
        SequenceOptions { noise: self.noise.child(i), ..self.clone() }
    }

    /// Returns the number of rows that a batch must have, and of steps, where the options say; with lengths alone, the
    /// longest of them.
    #[must_use]
    pub fn size(&self) -> [Option<usize>; 2] {
        let masks = [&self.mask, &self.resets].into_iter().flatten().filter(|mask| mask.rank() == 2);
        let [rows, steps] = [0, 1].map(|axis| masks.clone().map(|mask| mask.dims()[axis]).next());
        let Some(lengths) = &self.lengths else { return [rows, steps] };
        let longest = lengths.iter().copied().max().filter(|&longest| longest > 0);
        [Some(lengths.len()), steps.or(longest)]
    }

    /// Returns the mask of the steps that count in a batch of `n` rows of `steps`, `[N, T]`; `None` if all do.
    ///
    /// # Errors
    /// If the options are for another size.
    pub fn counting(&self, n: usize, steps: usize) -> Result<Option<Tensor<E>>> {
        Ok(self.masks(n, steps)?.counts)
    }

    /// Returns the mask of the steps with which a new sequence starts in a batch of `n` rows of `steps`, `[N, T]`; `None` if
    /// there is none. Steps that do not count start nothing.
    ///
    /// # Errors
    /// If the options are for another size.
    ///
    /// # Example
    /// A layer of one's own that adds up its input, of rows that end and start again as the options say:
    /// ```
    /// use retrograde_autograd::{Tape, Var};
    /// use retrograde_nn::{Result, SequenceOptions};
    /// use retrograde_tensor::Tensor;
    ///
    /// fn sums<'t>(xs: &Var<'t, f64>, options: &SequenceOptions<f64>) -> Result<Var<'t, f64>> {
    ///     let [n, steps] = [xs.shape()[0], xs.shape()[1]];
    ///     let (counting, starting) = (options.counting(n, steps)?, options.starting(n, steps)?);
    ///     let mut sum = xs.tape().constant(Tensor::zeros([n]));
    ///     let mut sums = Vec::new();
    ///     for t in 0..steps {
    ///         if let Some(starting) = &starting {
    ///             sum = (&sum * 0.0).where_mask(starting.select(1, t), &sum);
    ///         }
    ///         let next = &sum + xs.select(1, t);
    ///         sum = match &counting {
    ///             Some(counting) => next.where_mask(counting.select(1, t), &sum),
    ///             None => next,
    ///         };
    ///         sums.push(sum.clone());
    ///     }
    ///     Ok(Var::try_stack(&sums, 1)?)
    /// }
    ///
    /// let tape = Tape::new();
    /// let xs = tape.constant(Tensor::from([[1.0, 2.0, 4.0], [1.0, 2.0, 4.0]]));
    /// let resets = Tensor::from([[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]);
    /// let options = SequenceOptions::new().lengths(&[3, 2]).resets(resets);
    /// assert_eq!(sums(&xs, &options)?.value(), &Tensor::from([[1.0, 2.0, 6.0], [1.0, 3.0, 3.0]]));
    /// # Ok::<(), retrograde_nn::Error>(())
    /// ```
    pub fn starting(&self, n: usize, steps: usize) -> Result<Option<Tensor<E>>> {
        Ok(self.masks(n, steps)?.resets)
    }

    /// The masks for a batch of `n` rows of `steps`.
    pub(crate) fn masks(&self, n: usize, steps: usize) -> Result<Masks<E>> {
        for (name, mask) in [("a mask", &self.mask), ("resets", &self.resets)] {
            if let Some(mask) = mask {
                expect(OP, name, &[Axis::Size(n), Axis::Size(steps)], mask.shape())?;
                if let Some(found) = mask.iter().find(|x| x.is_nan()) {
                    return Err(Error::Setting { op: OP, name, expected: "numbers", found: found.to_f64() });
                }
            }
        }
        let mut counts = self.mask.clone();
        if let Some(lengths) = &self.lengths {
            if lengths.len() != n {
                return Err(Error::Count { op: OP, name: "lengths", expected: n, found: lengths.len() });
            }
            if let Some((row, &found)) = lengths.iter().enumerate().find(|&(_, &length)| length > steps) {
                return Err(Error::Length { op: OP, row, expected: steps, found });
            }
            counts = Some(Tensor::from_fn([n, steps], |at| {
                let within = at[1] < lengths[at[0]];
                let counts = within && counts.as_ref().is_none_or(|mask| is_set(mask.at(at)));
                E::from_f64(f64::from(u8::from(counts)))
            }));
        }
        let counts = counts.filter(|counts| !counts.iter().all(is_set));
        let resets = self.resets.as_ref().map(|resets| match &counts {
            Some(counts) => Tensor::where_mask(counts, resets, &Tensor::zeros([])),
            None => resets.clone(),
        });
        Ok(Masks { counts, resets: resets.filter(|resets| resets.iter().any(is_set)) })
    }
}

/// The masks of a call, each absent where it changes nothing.
pub(crate) struct Masks<E: Float> {
    counts: Option<Tensor<E>>,
    resets: Option<Tensor<E>>,
}

impl<E: Float> Masks<E> {
    /// A sequence `[N, T, ..]` with zeros in steps that do not count, whatever was there.
    pub(crate) fn clear<'t>(&self, xs: &Var<'t, E>) -> Result<Var<'t, E>> {
        match &self.counts {
            Some(counts) => {
                let mut dims = vec![1; xs.shape().rank()];
                dims[..2].copy_from_slice(counts.dims());
                Ok(xs.try_where_mask(counts.reshape(Shape::new(&dims)?), 0.0)?)
            }
            None => Ok(xs.clone()),
        }
    }

    /// The mask of the steps that count, `[N, T]`; none if all do.
    pub(crate) fn counts(&self) -> Option<&Tensor<E>> {
        self.counts.as_ref()
    }

    /// The mask of the rows that count in a step, `[N]`; none if all do.
    pub(crate) fn counting(&self, step: usize) -> Option<Tensor<E>> {
        let rows = self.counts.as_ref()?.select(1, step);
        (!rows.iter().all(is_set)).then_some(rows)
    }

    /// The mask of the rows in which a new sequence starts before a step, `[N]`; none if there is no such row.
    pub(crate) fn starting(&self, step: usize, reversed: bool) -> Option<Tensor<E>> {
        let resets = self.resets.as_ref()?;
        let first = if reversed { step + 1 } else { step };
        if first == resets.dims()[1] {
            return None;
        }
        let rows = resets.select(1, first);
        rows.iter().any(is_set).then_some(rows)
    }

    /// Whether a new sequence starts anywhere.
    pub(crate) fn any_reset(&self) -> bool {
        self.resets.is_some()
    }
}

/// `a` in the rows that are set, `b` in the others.
pub(crate) fn choose<'t, E: Float>(rows: &Tensor<E>, a: &Var<'t, E>, b: &Var<'t, E>) -> Var<'t, E> {
    let mut dims = vec![1; a.shape().rank()];
    dims[0] = rows.numel();
    let shape = Shape::new(&dims).expect("a shape of rank at most that of the state");
    a.where_mask(rows.reshape(shape), b)
}

fn is_set<E: Float>(x: E) -> bool {
    x != E::default()
}
