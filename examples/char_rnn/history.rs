//! The losses of a run.

use retrograde_examples::figure::{Curve, Figure, Scale, Stroke, running_mean};
use retrograde_examples::text::Text;

use crate::settings::Settings;

/// The losses of a run, in nats per character, and the time that it took.
#[derive(Default)]
pub(crate) struct History {
    /// The loss of each window.
    pub(crate) losses: Vec<f64>,
    /// The loss of the validation text after each epoch.
    pub(crate) validation: Vec<f64>,
    /// The seconds from the beginning to the end of each epoch, not counting interruptions.
    pub(crate) seconds: Vec<f64>,
    /// The seconds until now.
    pub(crate) elapsed: f64,
}

impl History {
    /// The heading of the rows.
    pub(crate) const TITLES: &str = "epoch   training  validation  perplexity   seconds  characters/s";

    /// A row of an epoch that is over.
    pub(crate) fn row(&self, epoch: usize, per_epoch: usize, settings: &Settings) -> String {
        let losses = &self.losses[epoch * per_epoch..(epoch + 1) * per_epoch];
        let mean = losses.iter().sum::<f64>() / losses.len() as f64;
        let (validation, seconds) = (self.validation[epoch], self.seconds[epoch]);
        let before = if epoch == 0 { 0.0 } else { self.seconds[epoch - 1] };
        let speed = (per_epoch * settings.batch * settings.steps) as f64 / (seconds - before);
        let perplexity = validation.exp();
        format!(
            "{:>5}  {mean:>9.4}  {validation:>10.4}  {perplexity:>10.3}  {seconds:>8.1}  {speed:>12.0}",
            epoch + 1
        )
    }

    /// Both losses over the characters that were read, and what guessing by frequency would cost.
    pub(crate) fn figure(&self, text: &Text, per_epoch: usize, settings: &Settings) -> Figure {
        let millions = |windows: usize| (windows * settings.batch * settings.steps) as f64 / 1e6;
        let each = (1..).zip(&self.losses).map(|(i, &loss)| (millions(i), loss)).collect::<Vec<_>>();
        let means = running_mean(&each, self.losses.len().div_ceil(60));
        let epochs = (1..).zip(&self.validation).map(|(i, &loss)| (millions(i * per_epoch), loss));
        Figure {
            title: "Learning to write".to_owned(),
            x: "characters read (millions)".to_owned(),
            y: "loss (nats per character)".to_owned(),
            scale: Scale::Linear,
            curves: vec![
                Curve::new("training, each window", each).drawn(Stroke::Pale),
                Curve::new("training, running mean", means),
                Curve::new("validation", epochs.collect()),
                Curve::level("guessing by frequency", text.entropy(), millions(self.losses.len())),
            ],
        }
    }
}
