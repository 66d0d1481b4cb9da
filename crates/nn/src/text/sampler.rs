//! Tokens drawn from what a model predicts.

use rand::{Rng, RngExt};
use retrograde_tensor::{Float, Shape, Tensor};

use crate::range::Range;
use crate::shapes::{Axis, expect};
use crate::{Error, Result};

const OP: &str = "sampler";

/// Draws from the softmax of logits, after a temperature and, if asked for, among the likeliest alone.
///
/// In this order: logits are divided by the temperature; all but the `top_k` greatest are left out; all but the fewest
/// of the likeliest that together have a probability of at least `top_p` are left out. Of equals, the first are kept.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_nn::Sampler;
/// use retrograde_tensor::Tensor;
///
/// let logits = Tensor::from([0.4_f64, 0.1, 0.3, 0.2]).ln();
/// assert_eq!(Sampler { top_k: Some(1), ..Sampler::default() }.probabilities(&logits)?, [1.0, 0.0, 0.0, 0.0]);
/// let sampler = Sampler { temperature: 0.8, top_p: 0.65, ..Sampler::default() };
/// let token = sampler.sample(&logits, &mut StdRng::seed_from_u64(1))?;
/// assert!(token == 0 || token == 2);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// A. Fan, M. Lewis and Y. Dauphin, *Hierarchical neural story generation* (2018), section 5.4, for top-k; A. Holtzman
/// et al., *The curious case of neural text degeneration* (2020), equations 2 and 3, for top-p, and 5 for the
/// temperature.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sampler {
    /// The divisor of the logits: below 1 likely tokens become likelier. At 0 the likeliest is always drawn.
    pub temperature: f64,
    /// The number of likeliest tokens to draw from; all if there is none.
    pub top_k: Option<usize>,
    /// The probability that those which are drawn from have to reach; 1 for all.
    pub top_p: f64,
}

/// The plain softmax.
impl Default for Sampler {
    fn default() -> Self {
        Sampler { temperature: 1.0, top_k: None, top_p: 1.0 }
    }
}

impl Sampler {
    /// Draws a token.
    ///
    /// # Shapes
    /// `logits [V]`
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities).
    pub fn sample<E: Float, R: Rng + ?Sized>(&self, logits: &Tensor<E>, rng: &mut R) -> Result<usize> {
        let probabilities = self.probabilities(logits)?;
        let mut left: f64 = rng.random();
        let mut last = 0;
        for (token, p) in probabilities.into_iter().enumerate().filter(|&(_, p)| p > 0.0) {
            last = token;
            left -= p;
            if left < 0.0 {
                break;
            }
        }
        Ok(last)
    }

    /// Draws a token for each row, one after the other.
    ///
    /// # Shapes
    /// `logits [.., V] -> [..]`
    ///
    /// # Errors
    /// As [`probabilities`](Self::probabilities), and if the logits have no axis.
    ///
    /// # Example
    /// ```
    /// use rand::{SeedableRng, rngs::StdRng};
    /// use retrograde_nn::Sampler;
    /// use retrograde_tensor::Tensor;
    ///
    /// let logits = Tensor::from([[0.0_f32, 9.0, 1.0], [2.0, 1.0, 0.0]]); // [N, V]
    /// let greedy = Sampler { temperature: 0.0, ..Sampler::default() };
    /// let tokens = greedy.sample_rows(&logits, &mut StdRng::seed_from_u64(1))?;
    /// assert_eq!(tokens, Tensor::from([1, 0]));
    /// # Ok::<(), retrograde_nn::Error>(())
    /// ```
    pub fn sample_rows<E: Float, R: Rng + ?Sized>(
        &self,
        logits: &Tensor<E>,
        rng: &mut R,
    ) -> Result<Tensor<usize>> {
        expect(OP, "logits", &[Axis::Rest, Axis::Any("V")], logits.shape())?;
        let (&v, rows) = logits.dims().split_last().expect("an axis");
        let shape = Shape::new(rows)?;
        let logits = logits.try_reshape([shape.numel(), v])?; // [rows, V]
        let tokens = (0..shape.numel()).map(|row| self.sample(&logits.select(0, row), rng));
        Ok(Tensor::from_vec(tokens.collect::<Result<_>>()?, shape)?)
    }

    /// Returns the probability of each token.
    ///
    /// # Shapes
    /// `logits [V]`
    ///
    /// # Errors
    /// If there is no logit, if one is NaN or `inf`, or if all are `-inf` (a token of `-inf` beside others is never drawn);
    /// if a setting is out of its range: `temperature` finite and at least 0, `top_k` at least 1, `top_p` above 0 and at
    /// most 1.
    pub fn probabilities<E: Float>(&self, logits: &Tensor<E>) -> Result<Vec<f64>> {
        let Sampler { temperature, top_k, top_p } = *self;
        let top_k = top_k.unwrap_or(usize::MAX);
        Range::Rate.check(OP, "temperature", temperature)?;
        Range::Count.check(OP, "top_k", top_k as f64)?;
        Range::Share.check(OP, "top_p", top_p)?;
        expect(OP, "logits", &[Axis::Any("V")], logits.shape())?;
        let logits: Vec<f64> = logits.iter().map(E::to_f64).collect();
        let greatest = greatest(OP, &logits)?;

        let mut likeliest: Vec<usize> = (0..logits.len()).collect();
        likeliest.sort_by(|&a, &b| logits[b].total_cmp(&logits[a])); // stable: of equals, the first stay first
        likeliest.truncate(if temperature == 0.0 { 1 } else { top_k });
        let weight = |token: usize| {
            if temperature == 0.0 { 1.0 } else { ((logits[token] - greatest) / temperature).exp() }
        };
        let total: f64 = likeliest.iter().map(|&token| weight(token)).sum();
        let mut reached = 0.0;
        let enough = likeliest.iter().position(|&token| {
            reached += weight(token);
            reached >= top_p * total
        });
        if top_p < 1.0 {
            likeliest.truncate(enough.map_or(usize::MAX, |last| last + 1));
        }
        let total: f64 = likeliest.iter().map(|&token| weight(token)).sum();
        let mut probabilities = vec![0.0; logits.len()];
        likeliest.into_iter().for_each(|token| probabilities[token] = weight(token) / total);
        Ok(probabilities)
    }
}

/// The greatest logit.
///
/// # Errors
/// If there is none, if one is NaN or `inf`, or if all are `-inf`.
pub(super) fn greatest(op: &'static str, logits: &[f64]) -> Result<f64> {
    if logits.is_empty() {
        return Err(Error::NoLogits { op });
    }
    let odd = logits.iter().copied().find(|x| x.is_nan() || *x == f64::INFINITY);
    if let Some(found) = odd {
        return Err(Error::Setting { op, name: "logits", expected: "numbers below infinity", found });
    }
    let found = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if found == f64::NEG_INFINITY {
        return Err(Error::Setting { op, name: "at least one logit", expected: "above -inf", found });
    }
    Ok(found)
}
