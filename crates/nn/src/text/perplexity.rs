//! Perplexity.

/// The perplexity over all tokens of many batches: the exponential of the mean loss of a token.
///
/// Batches of different sizes count by their tokens: the mean of batch means, or of batch perplexities, is another
/// number.
///
/// # Example
/// ```
/// use retrograde_nn::Perplexity;
///
/// let mut perplexity = Perplexity::default();
/// perplexity.add(4.0_f64.ln(), 3);
/// perplexity.add(16.0_f64.ln(), 1);
/// assert!((perplexity.value().unwrap() - (4.0 * 4.0 * 4.0 * 16.0_f64).powf(0.25)).abs() < 1e-14);
/// ```
///
/// # Source
/// F. Jelinek et al., *Perplexity: a measure of the difficulty of speech recognition tasks* (1977).
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Perplexity {
    /// The loss of all tokens together, in nats.
    pub nats: f64,
    /// The number of tokens.
    pub tokens: usize,
}

impl Perplexity {
    /// Adds a batch by its mean loss, in nats, and how many tokens that is the mean of.
    pub fn add(&mut self, mean: f64, tokens: usize) {
        if tokens > 0 {
            self.nats += mean * tokens as f64;
            self.tokens += tokens;
        }
    }

    /// The mean loss of a token, in nats; `None` before the first token.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.tokens > 0).then(|| self.nats / self.tokens as f64)
    }

    /// The perplexity; `None` before the first token.
    pub fn value(&self) -> Option<f64> {
        self.mean().map(f64::exp)
    }
}
