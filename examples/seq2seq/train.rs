//! Training, and what comes of it.

use std::time::Instant;

use rand::RngExt;
use rand::rngs::StdRng;
use retrograde::prelude::*;
use retrograde_examples::tensorboard::Events;
use retrograde_examples::{Result, progress};

use crate::addition::{ANSWER, Sums};
use crate::model::Seq2seq;

/// The length of training, and the sums per batch.
pub(crate) struct Recipe {
    pub(crate) epochs: usize,
    pub(crate) batch: usize,
}

/// Trains a model. Returns how many of the test's answers are right after each epoch, from 0 to 1, and the seconds.
pub(crate) fn train(
    model: &mut Seq2seq<f32>,
    [sums, test]: [&Sums; 2],
    recipe: &Recipe,
    (name, mut events): (&str, Option<Events>),
    rng: &mut StdRng,
) -> Result<(Vec<f64>, f64)> {
    let mut adam = Adam::new(2e-3).of(model)?;
    let mut accuracies = Vec::new();
    let clock = Instant::now();
    let bar = progress::bar(recipe.epochs * sums.len().div_ceil(recipe.batch));
    for _ in 0..recipe.epochs {
        for rows in shuffled(sums.len(), rng).chunks(recipe.batch) {
            let tape = Tape::new();
            let loss = model.loss(&tape, &sums.rows(rows))?;
            let mut grads = loss.backward()?;
            clip_grad_norm(&mut grads, 5.0);
            adam.step(&grads)?;
            bar.inc(1);
        }
        accuracies.push(accuracy(model, test)?);
        if let Some(events) = &mut events {
            events.scalar("right answers", accuracies.len(), accuracies[accuracies.len() - 1])?;
        }
        bar.set_message(format!("{name}: {:.1} % right", 100.0 * accuracies[accuracies.len() - 1]));
    }
    bar.finish_and_clear();
    Ok((accuracies, clock.elapsed().as_secs_f64()))
}

/// The number of answers that are right in every character.
fn accuracy(model: &mut Seq2seq<f32>, test: &Sums) -> Result<f64> {
    let (found, _) = model.answer(&test.questions)?; // [N, T]
    let expected = test.answers.narrow(1, 1, ANSWER);
    let right = (0..test.len()).filter(|&row| found.select(0, row) == expected.select(0, row)).count();
    Ok(right as f64 / test.len() as f64)
}

/// `0..count` in a random order.
///
/// # Source
/// R. Fisher and F. Yates; D. Knuth, *The Art of Computer Programming*, volume 2, algorithm 3.4.2P.
fn shuffled(count: usize, rng: &mut StdRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..count).collect();
    for i in (1..count).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    order
}
