//! Windows over a stream of tokens, for truncated backpropagation through time.

use retrograde::tensor::Tensor;

use crate::{Error, Result};

/// An endless iterator of [`Window`]s over a stream of tokens.
///
/// Row `i` of a batch starts at `i · jump` with `jump = (len - 1) / batch`, and every window goes on where the one
/// before it ended, so that the state of row `i` can be carried from window to window. At its end the stream wraps.
/// The target of a token is the one after it; the last token of the stream is a target only.
///
/// # Example
/// ```
/// use retrograde_examples::windows::Windows;
/// use retrograde::tensor::Tensor;
///
/// let tokens: Vec<usize> = (0..13).collect();
/// let mut windows = Windows::new(&tokens, 2, 4)?;
/// let window = windows.next().unwrap();
/// assert_eq!(window.inputs, Tensor::from([[0, 1, 2, 3], [6, 7, 8, 9]]));
/// assert_eq!(window.targets, Tensor::from([[1, 2, 3, 4], [7, 8, 9, 10]]));
/// let window = windows.next().unwrap();
/// assert_eq!(window.inputs, Tensor::from([[4, 5, 6, 7], [10, 11, 0, 1]]));
/// assert_eq!(window.targets, Tensor::from([[5, 6, 7, 8], [11, 12, 1, 2]]));
/// # Ok::<(), retrograde_examples::Error>(())
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
    /// The steps already taken by every row.
    position: usize,
}

/// A batch of stretches of a stream.
#[derive(Clone, Debug, PartialEq)]
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
            return Err(Error::TooShort { expected, found: tokens.len(), batch, steps });
        }
        Ok(Windows { tokens, batch, steps, position: 0 })
    }

    /// The windows in which every row goes once through its share of the stream, not counting a last, partial one.
    pub fn per_epoch(&self) -> usize {
        (self.tokens.len() - 1) / (self.batch * self.steps)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// The loop of the textbook, index by index.
    fn by_hand(tokens: &[usize], batch: usize, steps: usize, windows: usize) -> Vec<[Vec<usize>; 2]> {
        let xs = &tokens[..tokens.len() - 1];
        let ts = &tokens[1..];
        let jump = xs.len() / batch;
        let mut time_idx = 0;
        let mut found = Vec::new();
        for _ in 0..windows {
            let mut batch_x = vec![0; batch * steps];
            let mut batch_t = vec![0; batch * steps];
            for t in 0..steps {
                for i in 0..batch {
                    let offset = i * jump;
                    batch_x[i * steps + t] = xs[(offset + time_idx) % xs.len()];
                    batch_t[i * steps + t] = ts[(offset + time_idx) % xs.len()];
                }
                time_idx += 1;
            }
            found.push([batch_x, batch_t]);
        }
        found
    }

    #[test]
    fn windows_are_those_of_the_textbooks_loop() {
        for length in [2, 3, 7, 20, 21, 38] {
            let tokens: Vec<usize> = (0..length).map(|i| i * i % 17).collect();
            for batch in (1..length).step_by(3) {
                for steps in (1..length).step_by(2) {
                    let windows = Windows::new(&tokens, batch, steps).unwrap();
                    let found: Vec<[Vec<usize>; 2]> =
                        windows.take(9).map(|w| [w.inputs.to_vec(), w.targets.to_vec()]).collect();
                    let expected = by_hand(&tokens, batch, steps, 9);
                    assert_eq!(found, expected, "length {length}, batch {batch}, steps {steps}");
                }
            }
        }
    }

    #[test]
    fn an_epoch_shows_every_row_its_share() {
        let tokens: Vec<usize> = (0..101).collect();
        let windows = Windows::new(&tokens, 4, 5).unwrap();
        assert_eq!(windows.per_epoch(), 5);
        let mut seen: Vec<usize> = windows.take(5).flat_map(|window| window.inputs.to_vec()).collect();
        seen.sort_unstable();
        assert!(seen.into_iter().eq(0..100));
    }

    #[test]
    fn what_cannot_be_cut_is_an_error() {
        let words = |tokens: usize, batch, steps| {
            Windows::new(&vec![0; tokens], batch, steps).unwrap_err().to_string()
        };
        assert_eq!(
            words(32, 4, 32),
            "text: expected at least 33 characters (4 rows, windows of 32 steps), found 32"
        );
        assert_eq!(
            words(0, 40, 32),
            "text: expected at least 41 characters (40 rows, windows of 32 steps), found 0"
        );
        assert_eq!(words(9, 0, 32), "windows: expected at least 1 row and 1 step, found 0 and 32");
        assert!(Windows::new(&[0; 33], 4, 32).is_ok());
    }
}
