//! Truncated backpropagation through time, watched on a text that is not trained on.

use std::time::Instant;

use rand::RngExt;
use retrograde::nn::{Noise, Perplexity, SequenceOptions};
use retrograde::prelude::*;
use retrograde_examples::tensorboard::Events;
use retrograde_examples::text::Text;
use retrograde_examples::{Ink, Result, Screen, progress};

use crate::history::History;
use crate::model::CharRnn;
use crate::resume::Saved;
use crate::settings::Settings;

/// A run, at its beginning or wherever it is.
pub(crate) struct Run<C: Cell<f32>> {
    pub(crate) model: CharRnn<C>,
    pub(crate) adam: Adam<f32>,
    pub(crate) history: History,
    /// The place in the text.
    pub(crate) position: usize,
}

/// Trains the model from where the run is: the state is carried from window to window, the gradient is not, since each
/// window has a tape of its own.
///
/// All that is random in a window follows from its number, so that an interrupted run goes on bit for bit.
pub(crate) fn train<C: Cell<f32>>(
    run: &mut Run<C>,
    [text, validation]: [&Text; 2],
    settings: &Settings,
    (saved, mut events): (Option<&Saved>, Option<Events>),
    screen: &mut Screen,
) -> Result<()> {
    let mut windows = text.windows(settings.batch, settings.steps)?.at(run.position);
    let (schedule, per_epoch) = (settings.schedule(text)?, settings.per_epoch(text)?);
    let noise = Noise::seeded(settings.seed);
    screen.line(screen.ink(Ink::Faint, History::TITLES))?;
    for epoch in 0..run.history.validation.len() {
        screen.line(run.history.row(epoch, per_epoch, settings))?;
    }

    let (done, all) = (run.history.losses.len(), settings.epochs * per_epoch);
    let (before, clock) = (run.history.elapsed, Instant::now());
    let bar = progress::bar(all).with_position(done as u64);
    for step in done..all {
        let window = windows.next().expect("windows wrap");
        let noise = noise.child(step);
        let options =
            SequenceOptions::new().with_noise(noise.child(0)).resets(beginnings(settings, noise.child(1)));
        let tape = Tape::new();
        let scores = run.model.forward(&tape, &window.inputs, &options)?; // [N, T, V]
        let loss = cross_entropy(&scores, &window.targets)?;
        let mut grads = loss.backward()?;
        clip_grad_norm(&mut grads, settings.clip);
        run.adam.lr = schedule.lr(step as u64);
        run.adam.step(&grads)?;
        let loss = f64::from(loss.value().item()?);
        run.history.losses.push(loss);
        if let Some(events) = &mut events {
            events.scalar("loss/training", step, loss)?;
        }
        run.position = windows.position();

        let (epoch, over) = (step / per_epoch, (step + 1) % per_epoch == 0);
        if over {
            let loss = evaluate(&mut run.model, validation, settings)?;
            run.history.validation.push(loss);
            if let Some(events) = &mut events {
                events.scalar("loss/validation", step, loss)?;
            }
        }
        run.history.elapsed = before + clock.elapsed().as_secs_f64();
        if over {
            run.history.seconds.push(run.history.elapsed);
            bar.suspend(|| screen.line(run.history.row(epoch, per_epoch, settings)))?;
        }
        if let Some(saved) = saved.filter(|saved| saved.due(step + 1) || step + 1 == all) {
            saved.write(run)?;
        }
        bar.set_message(format!("epoch {}, {:.3} nats", epoch + 1, run.history.losses[step]));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(())
}

/// The probability that a row starts over with a window.
///
/// A model whose state is always carried never sees the state that a text begins with, and may be lost there: units
/// that hold a constant for as long as it trains have come to serve as its biases.
const BEGIN: f64 = 0.05;

/// The rows that start over with the first step of the window.
///
/// # Shapes
/// `-> [N, T]`
fn beginnings(settings: &Settings, noise: Noise) -> Tensor<f32> {
    let mut rng = noise.rng().expect("training has noise");
    let rows: Vec<bool> = (0..settings.batch).map(|_| rng.random::<f64>() < BEGIN).collect();
    Tensor::from_fn([settings.batch, settings.steps], |at| f32::from(u8::from(at[1] == 0 && rows[at[0]])))
}

/// The mean loss of a text that is read from its beginning, in nats per character. The state stays as it was.
fn evaluate<C: Cell<f32>>(model: &mut CharRnn<C>, text: &Text, settings: &Settings) -> Result<f64> {
    let carried = model.layers.state().cloned();
    model.layers.reset_state();
    let mut mean = Perplexity::default();
    let windows = text.windows(settings.batch, settings.steps)?;
    for window in windows.take(settings.per_epoch(text)?) {
        let tape = Tape::inference();
        let scores = model.forward(&tape, &window.inputs, &SequenceOptions::new())?;
        let loss = cross_entropy(&scores, &window.targets)?;
        mean.add(loss.value().item()?.into(), window.targets.numel());
    }
    match carried {
        Some(carried) => model.layers.set_state(carried),
        None => model.layers.reset_state(),
    }
    Ok(mean.mean().unwrap_or(f64::NAN))
}
