//! Windows over a stream of tokens, for truncated backpropagation through time.

use retrograde_tensor::Tensor;

use crate::{Error, Result};

/// An endless iterator of [`Window`]s over a stream of tokens.
///
/// Row `i` of a batch starts at `i · jump` with `jump = (len - 1) / batch`, and every window goes on where the one
/// before it ended, so that the state of row `i` can be carried from window to window. At its end the stream wraps.
/// The target of a token is the one after it; the last token of the stream is a target only.
///
/// # Example
/// ```
/// use retrograde_nn::Windows;
/// use retrograde_tensor::Tensor;
///
/// let tokens: Vec<usize> = (0..13).collect();
/// let mut windows = Windows::new(&tokens, 2, 4)?;
/// let window = windows.next().unwrap();
/// assert_eq!(window.inputs, Tensor::from([[0, 1, 2, 3], [6, 7, 8, 9]]));
/// assert_eq!(window.targets, Tensor::from([[1, 2, 3, 4], [7, 8, 9, 10]]));
/// let window = windows.next().unwrap();
/// assert_eq!(window.inputs, Tensor::from([[4, 5, 6, 7], [10, 11, 0, 1]]));
/// assert_eq!(window.targets, Tensor::from([[5, 6, 7, 8], [11, 12, 1, 2]]));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 5.5; for truncation, R. Williams and J. Peng,
/// *An efficient gradient-based algorithm for on-line training of recurrent network trajectories* (1990).
#[derive(Clone, Debug)]
pub struct Windows<'a> {
    tokens: &'a [usize],
    batch: usize,
    steps: usize,
    position: usize,
}

/// A batch of stretches of a stream.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Window {
    /// The tokens, `[N, T]`.
    pub inputs: Tensor<usize>,
    /// The tokens after them, `[N, T]`.
    pub targets: Tensor<usize>,
}

impl<'a> Windows<'a> {
    /// Windows of `steps` tokens in each of `batch` rows.
    ///
    /// # Errors
    /// If a window has no row or no step, or if the stream has too few tokens for one full window or for rows that
    /// start at different places.
    pub fn new(tokens: &'a [usize], batch: usize, steps: usize) -> Result<Self> {
        if batch == 0 || steps == 0 {
            return Err(Error::EmptyWindow { batch, steps });
        }
        let expected = batch.max(steps).saturating_add(1);
        if tokens.len() < expected {
            return Err(Error::TooFewTokens { expected, found: tokens.len(), batch, steps });
        }
        Ok(Windows { tokens, batch, steps, position: 0 })
    }

    /// The same windows from another position on, as a resumed run needs them.
    #[must_use]
    pub fn at(mut self, position: usize) -> Self {
        self.position = position % (self.tokens.len() - 1);
        self
    }

    /// Returns the number of tokens that every row has moved on from its start, less whole turns through the stream.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The windows in which every row goes once through its share of the stream, not counting a last, partial one.
    #[must_use]
    pub fn per_epoch(&self) -> usize {
        (self.tokens.len() - 1) / self.batch.saturating_mul(self.steps)
    }
}

impl Iterator for Windows<'_> {
    type Item = Window;

    fn next(&mut self) -> Option<Window> {
        let inputs = self.tokens.len() - 1; // the last token is a target only
        let jump = inputs / self.batch;
        let at = |index: &[usize]| (index[0] * jump + self.position + index[1]) % inputs;
        let shape = [self.batch, self.steps]; // [N, T]
        let window = Window {
            inputs: Tensor::from_fn(shape, |index| self.tokens[at(index)]),
            targets: Tensor::from_fn(shape, |index| self.tokens[at(index) + 1]),
        };
        self.position = (self.position + self.steps) % inputs;
        Some(window)
    }
}
