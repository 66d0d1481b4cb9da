//! Training as the book does it.

use std::time::Instant;

use retrograde::nn::{Noise, Perplexity, Plateau, Windows};
use retrograde::prelude::*;
use retrograde_examples::tensorboard::Events;
use retrograde_examples::{Result, progress};

/// A model that predicts the next word.
pub(crate) trait LanguageModel: Module<f32> {
    /// The scores of the word after each of `ids`, going on from where the last call ended.
    ///
    /// # Shapes
    /// `[N, T] -> [N, T, V]`
    fn forward<'t>(
        &mut self,
        tape: &'t Tape<f32>,
        ids: &Tensor<usize>,
        noise: Noise,
    ) -> retrograde::nn::Result<Var<'t, f32>>;

    /// Forgets what was read.
    fn reset_state(&mut self);
}

/// The settings of training.
pub(crate) struct Recipe {
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) epochs: usize,
    pub(crate) rate: f64,
    pub(crate) max_norm: Option<f64>,
    pub(crate) seed: u64,
}

impl Recipe {
    /// Section 5.5.3.
    pub(crate) fn simple() -> Self {
        Recipe { batch: 10, steps: 5, epochs: 100, rate: 0.1, max_norm: None, seed: 0 }
    }

    /// Section 6.5.5.
    pub(crate) fn better() -> Self {
        Recipe { batch: 20, steps: 35, epochs: 10, rate: 20.0, max_norm: Some(0.25), seed: 0 }
    }

    /// Whether there are enough words for a window.
    pub(crate) fn check(&self, words: &[usize]) -> Result<()> {
        Windows::new(words, self.batch, self.steps)?;
        Ok(())
    }
}

/// The perplexities of a model.
#[derive(Clone, Copy)]
pub(crate) struct Epoch {
    /// The perplexity of the words that it was trained on, while it was.
    pub(crate) train: f64,
    /// The perplexity of words that it was not trained on, after the epoch.
    pub(crate) valid: Option<f64>,
    pub(crate) seconds: f64,
}

/// Truncated backpropagation through time: the state is carried from window to window, the gradient is not. The rate
/// is divided by 4 after an epoch in which the perplexity of the validation text did not fall.
pub(crate) fn train(
    model: &mut impl LanguageModel,
    words: &[usize],
    valid: Option<&[usize]>,
    recipe: &Recipe,
    mut events: Option<Events>,
) -> Result<Vec<Epoch>> {
    let mut windows = Windows::new(words, recipe.batch, recipe.steps)?;
    let per_epoch = windows.per_epoch().max(1); // a short text is read more than once
    let mut plateau = Plateau::new(recipe.rate);
    let mut sgd = Sgd::new(recipe.rate).of(model)?;
    let mut epochs = Vec::new();
    let bar = progress::bar(recipe.epochs * per_epoch);
    for epoch in 0..recipe.epochs {
        let clock = Instant::now();
        let mut perplexity = Perplexity::default();
        for (i, window) in windows.by_ref().take(per_epoch).enumerate() {
            let noise = Noise::seeded(recipe.seed).child(epoch * per_epoch + i);
            let tape = Tape::new();
            let scores = model.forward(&tape, &window.inputs, noise)?; // [N, T, V]
            let loss = cross_entropy(&scores, &window.targets)?;
            let mut grads = loss.backward()?;
            if let Some(max_norm) = recipe.max_norm {
                clip_grad_norm(&mut grads, max_norm);
            }
            sgd.step(&grads)?;
            perplexity.add(loss.value().item()?.into(), window.targets.numel());
            bar.inc(1);
        }
        let valid = valid.map(|words| evaluate(model, words, recipe)).transpose()?;
        if let Some(valid) = valid {
            sgd.lr = plateau.observe(valid);
        }
        let train = perplexity.value().unwrap_or(f64::NAN);
        if let Some(events) = &mut events {
            events.scalar("perplexity/training", epoch + 1, train)?;
            valid.map_or(Ok(()), |valid| events.scalar("perplexity/validation", epoch + 1, valid))?;
        }
        bar.set_message(format!("perplexity {train:.2}"));
        epochs.push(Epoch { train, valid, seconds: clock.elapsed().as_secs_f64() });
    }
    bar.finish_and_clear();
    Ok(epochs)
}

/// The perplexity of a text that the model reads from its beginning. What it had read is forgotten.
fn evaluate(model: &mut impl LanguageModel, words: &[usize], recipe: &Recipe) -> Result<f64> {
    let windows = Windows::new(words, recipe.batch, recipe.steps)?;
    let per_epoch = windows.per_epoch().max(1); // a short text is read more than once
    let mut perplexity = Perplexity::default();
    model.reset_state();
    for window in windows.take(per_epoch) {
        let tape = Tape::inference();
        let scores = model.forward(&tape, &window.inputs, Noise::off())?;
        let loss = cross_entropy(&scores, &window.targets)?;
        perplexity.add(loss.value().item()?.into(), window.targets.numel());
    }
    model.reset_state();
    Ok(perplexity.value().unwrap_or(f64::NAN))
}
