//! The task: to name, after some steps of noise, the letter that came first.

use std::time::Instant;

use rand::RngExt;
use rand::rngs::StdRng;
use retrograde::prelude::*;
use retrograde_examples::Result;

use crate::gallery::Entry;

/// The number of letters; beside them is a column of noise.
pub(crate) const LETTERS: usize = 4;
pub(crate) const FEATURES: usize = LETTERS + 1;

/// The columns that a cell reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Input {
    /// The features.
    Plain,
    /// The features and the time of the step.
    Timed,
    /// The features and the time since the step before.
    Elapsed,
    /// The features, of which some are missing, a mask of those that are there, and the time since each was.
    Missing,
}

/// The sizes of a training run.
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) updates: usize,
    /// The mean loss of 10 batches at which it is over.
    pub(crate) enough: f64,
}

/// The outcome of training.
pub(crate) struct Trained {
    pub(crate) parameters: usize,
    /// The mean of the last 10 batches, in nats.
    pub(crate) loss: f64,
    /// The shortest forward and backward pass.
    pub(crate) milliseconds: f64,
}

impl Input {
    /// The features `[N, T, FEATURES]` with the columns that are read beside them.
    pub(crate) fn of(self, xs: &Tensor<f64>, rng: &mut StdRng) -> Tensor<f64> {
        let [n, steps] = [xs.dims()[0], xs.dims()[1]];
        let column = |f: &mut dyn FnMut(usize) -> f64| Tensor::from_fn([n, steps, 1], |at| f(at[1]));
        match self {
            Input::Plain => xs.clone(),
            Input::Timed => Tensor::concat(&[xs, &column(&mut |step| step as f64)], 2),
            Input::Elapsed => Tensor::concat(&[xs, &column(&mut |_| rng.random_range(0.5..1.5))], 2),
            Input::Missing => {
                let mask = Tensor::from_fn(xs.shape(), |at| f64::from(u8::from(at[1] == 0 || rng.random())));
                let since = |at: &[usize]| {
                    (0..at[1]).rev().take_while(|&t| mask.at(&[at[0], t, at[2]]) == 0.0).count()
                };
                let delta = Tensor::from_fn(xs.shape(), |at| since(at) as f64);
                Tensor::concat(&[&(xs * &mask), &mask, &delta], 2)
            }
        }
    }
}

/// Rows of a letter and then noise, and the letters.
///
/// # Shapes
/// `[N, T, FEATURES], [N]`
fn draw(sizes: &Sizes, rng: &mut StdRng) -> (Tensor<f64>, Tensor<usize>) {
    let letters = Tensor::from_fn([sizes.batch], |_| rng.random_range(0..LETTERS));
    let xs = Tensor::from_fn([sizes.batch, sizes.steps, FEATURES], |at| match (at[1], at[2]) {
        (_, LETTERS) => rng.random_range(0.2..1.0),
        (0, letter) => f64::from(u8::from(letter == letters.at(&at[..1]))),
        _ => 0.0,
    });
    (xs, letters)
}

/// Trains a cell on the task.
pub(crate) fn train(entry: &Entry, sizes: &Sizes, seed: u64) -> Result<Trained> {
    let rng = &mut StdRng::seed_from_u64(seed);
    let (layer, options) = ((entry.double)(FEATURES, rng), SequenceOptions::new());
    let width = {
        let tape = Tape::inference();
        let xs = tape.constant(entry.input.of(&draw(sizes, rng).0, rng));
        layer.run([&xs, &xs], None, &options)?.0.shape()[2]
    };
    let linear = Linear::new(width, LETTERS, rng);
    let mut adam = Adam::new(1e-2).of(&(&layer, &linear))?;
    let (mut losses, mut milliseconds) = (Vec::new(), f64::INFINITY);
    let last = |losses: &[f64]| {
        let last = &losses[losses.len().saturating_sub(10)..];
        last.iter().sum::<f64>() / last.len() as f64
    };
    while losses.len() < sizes.updates && (losses.len() < 10 || last(&losses) > sizes.enough) {
        let (xs, letters) = draw(sizes, rng);
        let xs = entry.input.of(&xs, rng);
        let start = Instant::now();
        let tape = Tape::new();
        let xs = tape.constant(xs);
        let h = layer.run([&xs, &xs], None, &options)?.0.select(1, sizes.steps - 1); // [N, H]
        let loss = cross_entropy(&linear.forward(&h)?, &letters)?;
        let mut grads = loss.backward()?;
        milliseconds = milliseconds.min(start.elapsed().as_secs_f64() * 1e3);
        clip_grad_norm(&mut grads, 1.0);
        adam.step(&grads)?;
        losses.push(loss.value().item()?);
    }
    Ok(Trained { parameters: layer.param_count(), loss: last(&losses), milliseconds })
}
