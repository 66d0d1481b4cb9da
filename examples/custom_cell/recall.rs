//! The task: to remember a letter while digits go by.

use rand::RngExt;
use rand::rngs::StdRng;
use retrograde::prelude::*;
use retrograde_examples::{Result, progress};

/// The numbers of letters and of digits, each a feature of the input.
pub(crate) const LETTERS: usize = 8;
pub(crate) const DIGITS: usize = 8;

/// The sizes of a training run.
pub(crate) struct Sizes {
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) hidden: usize,
    pub(crate) updates: usize,
}

/// Rows of a random letter and then random digits, and the letters.
///
/// # Shapes
/// `[N, T, letters + digits], [N]`
fn draw(sizes: &Sizes, rng: &mut StdRng) -> (Tensor<f32>, Tensor<usize>) {
    let letters = Tensor::from_fn([sizes.batch], |_| rng.random_range(0..LETTERS));
    let symbols = Tensor::from_fn([sizes.batch, sizes.steps], |at| match at[1] {
        0 => letters.at(&at[..1]),
        _ => LETTERS + rng.random_range(0..DIGITS),
    });
    let one_hot = |at: &[usize]| f32::from(u8::from(symbols.at(&at[..2]) == at[2]));
    (Tensor::from_fn([sizes.batch, sizes.steps, LETTERS + DIGITS], one_hot), letters)
}

/// Trains any cell to name, after the last digit, the letter that came first. Returns the loss of each batch, in nats.
pub(crate) fn train<C: Cell<f32>>(cell: C, sizes: &Sizes, name: &str, rng: &mut StdRng) -> Result<Vec<f64>> {
    let mut rnn = Time::new(cell);
    let linear = Linear::new(sizes.hidden, LETTERS, rng);
    let mut adam = Adam::new(5e-3).of(&(&rnn, &linear))?;
    let mut losses = Vec::new();
    let bar = progress::bar(sizes.updates);
    for _ in 0..sizes.updates {
        let (xs, letters) = draw(sizes, rng);
        let tape = Tape::new();
        let hs = rnn.forward(&tape.constant(xs))?.hs; // [N, T, H]
        let scores = linear.forward(&hs.select(1, sizes.steps - 1))?; // [N, letters]
        let loss = cross_entropy(&scores, &letters)?;
        let mut grads = loss.backward()?;
        clip_grad_norm(&mut grads, 1.0);
        adam.step(&grads)?;

        losses.push(f64::from(loss.value().item()?));
        bar.set_message(format!("{name}: {:.3} nats", losses[losses.len() - 1]));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(losses)
}
