//! Sequences of numbers of which two are marked; what is asked for is the sum of those two.
//!
//! # Source
//! S. Hochreiter and J. Schmidhuber, *Long short-term memory* (1997), section 5.4; in the form of Q. Le, N. Jaitly and
//! G. Hinton, *A simple way to initialize recurrent networks of rectified linear units* (2015), section 4.1.

use rand::RngExt;
use rand::rngs::StdRng;
use retrograde::nn::mse;
use retrograde::prelude::*;
use retrograde_examples::{Result, progress};

/// The error of always answering 1, the mean: the variance of the sum of two numbers uniform between 0 and 1.
pub(crate) const BASELINE: f64 = 1.0 / 6.0;

/// The sizes of a training run.
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) hidden: usize,
    pub(crate) updates: usize,
}

/// Numbers between 0 and 1 beside a mark, which is 1 at one step of each half and 0 elsewhere; and the sums.
///
/// # Shapes
/// `[N, T, 2], [N, 1]`
fn draw(sizes: &Sizes, rng: &mut StdRng) -> (Tensor<f32>, Tensor<f32>) {
    let (n, steps) = (sizes.batch, sizes.steps);
    let half = steps / 2;
    let numbers = Tensor::from_fn([n, steps], |_| rng.random::<f32>());
    let marked = Tensor::from_fn([n, 2], |at| match at[1] {
        0 => rng.random_range(0..half),
        _ => rng.random_range(half..steps),
    });
    let sums = Tensor::from_fn([n, 1], |at| {
        (0..2).map(|i| numbers.at(&[at[0], marked.at(&[at[0], i])])).sum::<f32>()
    });
    let xs = Tensor::from_fn([n, steps, 2], |at| match at[2] {
        0 => numbers.at(&at[..2]),
        _ => f32::from(u8::from((0..2).any(|i| marked.at(&[at[0], i]) == at[1]))),
    });
    (xs, sums)
}

/// Trains a cell to tell the sum after the last step. Returns the mean squared error of each batch, all of them new.
pub(crate) fn train<C: Cell<f32>>(cell: C, sizes: &Sizes, name: &str, rng: &mut StdRng) -> Result<Vec<f64>> {
    let mut rnn = Time::new(cell);
    let linear = Linear::new(sizes.hidden, 1, rng);
    let mut adam = Adam::new(2e-3).of(&(&rnn, &linear))?;
    let mut losses = Vec::new();
    let bar = progress::bar(sizes.updates);
    for _ in 0..sizes.updates {
        let (xs, sums) = draw(sizes, rng);
        let tape = Tape::new();
        let hs = rnn.forward(&tape.constant(xs))?.hs; // [N, T, H]
        let answers = linear.forward(&hs.select(1, sizes.steps - 1))?; // [N, 1]
        let loss = mse(&answers, &sums, None)?;
        let mut grads = loss.backward()?;
        clip_grad_norm(&mut grads, 1.0);
        adam.step(&grads)?;

        losses.push(f64::from(loss.value().item()?));
        bar.set_message(format!("{name}: {:.4}", losses[losses.len() - 1]));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(losses)
}
