//! The options of the model and of its training.

use std::num::NonZeroUsize;

use clap::{Args, ValueEnum};
use retrograde::nn::{Dropout, Schedule};
use retrograde_examples::options::at_least_zero;
use retrograde_examples::text::Text;
use retrograde_examples::{Options, Result};

/// A kind of cell.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Kind {
    Rnn,
    Lstm,
    Gru,
    Mgu,
}

/// The options for the model and its training.
#[derive(Args, Clone, Debug)]
pub(crate) struct Choices {
    /// Kind of cell
    #[arg(long, value_name = "CELL", default_value = "lstm")]
    pub(crate) cell: Kind,
    /// Layers on top of one another
    #[arg(long, value_name = "N", default_value = "1")]
    layers: NonZeroUsize,
    /// Size of the state of a layer [default: 256; quick: 64]
    #[arg(long, value_name = "H")]
    hidden: Option<NonZeroUsize>,
    /// Size of the vector of a character
    #[arg(long, value_name = "D", default_value = "64")]
    embedding: NonZeroUsize,
    /// Probability of dropout after each layer
    #[arg(long, value_name = "P", default_value = "0.1")]
    dropout: f64,
    /// Rows of a window
    #[arg(long, value_name = "N", default_value = "32")]
    batch: NonZeroUsize,
    /// Steps of a window: how far back gradients reach
    #[arg(long, value_name = "T", default_value = "64")]
    steps: NonZeroUsize,
    /// Passes over the text [default: 8; quick: 1]
    #[arg(long, value_name = "N")]
    epochs: Option<NonZeroUsize>,
    /// Learning rate, which falls to 0 along half a cosine
    #[arg(long, value_name = "RATE", default_value = "0.003", value_parser = at_least_zero)]
    rate: f64,
    /// Norm that gradients are clipped to
    #[arg(long, value_name = "NORM", default_value = "1", value_parser = at_least_zero)]
    clip: f64,
}

/// The choices that were made.
pub(crate) struct Settings {
    cell: Kind,
    pub(crate) layers: usize,
    pub(crate) hidden: usize,
    pub(crate) embedding: usize,
    pub(crate) dropout: Dropout,
    pub(crate) batch: usize,
    pub(crate) steps: usize,
    pub(crate) epochs: usize,
    pub(crate) rate: f64,
    pub(crate) clip: f64,
    pub(crate) seed: u64,
    /// The most characters of the text to use.
    limit: usize,
}

impl Choices {
    /// The choices, with what `--quick` makes of those that were left open.
    pub(crate) fn settings(&self, options: &Options) -> Result<Settings> {
        let open = |choice: Option<NonZeroUsize>, usual, quick| {
            choice.map_or(if options.quick { quick } else { usual }, NonZeroUsize::get)
        };
        Ok(Settings {
            cell: self.cell,
            layers: self.layers.get(),
            hidden: open(self.hidden, 256, 64),
            embedding: self.embedding.get(),
            dropout: Dropout::new(self.dropout)?,
            batch: self.batch.get(),
            steps: self.steps.get(),
            epochs: open(self.epochs, 8, 1),
            rate: self.rate,
            clip: self.clip,
            seed: options.seed,
            limit: if options.quick { 60_000 } else { usize::MAX },
        })
    }
}

impl Settings {
    /// The text to learn, and its last tenth, which is kept for validation. Both can be cut into windows.
    pub(crate) fn split(&self, text: Text) -> Result<[Text; 2]> {
        let tokens = &text.tokens[..text.tokens.len().min(self.limit)];
        let (train, validation) = tokens.split_at(tokens.len() - tokens.len() / 10);
        let part = |name: String, tokens: &[usize]| {
            let part = Text { name, alphabet: text.alphabet.clone(), tokens: tokens.to_vec() };
            part.windows(self.batch, self.steps).map(|_| part.clone())
        };
        let name = format!("{}, its last tenth", text.name);
        Ok([part(text.name.clone(), train)?, part(name, validation)?])
    }

    /// The windows of an epoch. A short text is read more than once in it.
    pub(crate) fn per_epoch(&self, text: &Text) -> Result<usize> {
        Ok(text.windows(self.batch, self.steps)?.per_epoch().max(1))
    }

    /// The learning rate for each window.
    pub(crate) fn schedule(&self, text: &Text) -> Result<Schedule> {
        let windows = (self.epochs * self.per_epoch(text)?) as u64;
        Ok(Schedule::cosine(self.rate, windows / 50, windows, 0.0)?)
    }

    /// The settings that have to be the same for a run to go on as if it had not been interrupted, by the names of the options.
    pub(crate) fn numbers(&self, text: &Text) -> Vec<(&'static str, f64)> {
        vec![
            ("cell", self.cell as usize as f64),
            ("layers", self.layers as f64),
            ("hidden", self.hidden as f64),
            ("embedding", self.embedding as f64),
            ("dropout", self.dropout.p()),
            ("batch", self.batch as f64),
            ("steps", self.steps as f64),
            ("epochs", self.epochs as f64),
            ("rate", self.rate),
            ("clip", self.clip),
            ("seed", self.seed as f64),
            ("text (characters)", text.tokens.len() as f64),
        ]
    }

    /// The choices in words.
    pub(crate) fn lines(&self, [text, validation]: [&Text; 2], params: usize) -> Vec<String> {
        let (v, d, h) = (text.alphabet.len(), self.embedding, self.hidden);
        let cell = format!("{:?}", self.cell).to_uppercase();
        let many = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        let layers = many(self.layers, "layer");
        vec![
            format!(
                "{} characters for training, {} for validation, {v} different ones",
                text.tokens.len(),
                validation.tokens.len(),
            ),
            format!(
                "Embedding {v}→{d}, {cell} {d}→{h} of {layers}, Linear {h}→{v}: {params} parameters, f32"
            ),
            format!(
                "windows of {} rows and {} steps, dropout {}, gradients clipped to norm {}",
                self.batch,
                self.steps,
                self.dropout.p(),
                self.clip,
            ),
            format!("{}; Adam, rate up to {} and down to 0", many(self.epochs, "epoch"), self.rate),
        ]
    }
}
