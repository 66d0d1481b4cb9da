//! The textbook's simple recurrent language model: plain gradient descent, in single precision.
//!
//! # Source
//! K. Saitoh, *Deep Learning from Scratch 2* (2018), section 5.5.

use indicatif::ProgressBar;
use retrograde::nn::{Perplexity, SequenceOptions, Windows};
use retrograde::prelude::*;

use super::{Curve, Source, Training, Unit};
use crate::golden::Error;
use crate::language_model::LanguageModel;

/// The tolerance of the losses of the first steps.
const LOSSES: f64 = 1e-4;

/// The tolerance of the perplexity of an epoch, as long as rounding does not decide it.
const PERPLEXITY: f64 = 0.02;

/// The most that rounding may move a perplexity by, for it to be compared.
const ROUNDING: f64 = PERPLEXITY / 10.0;

/// The runs: from the given weights, and from their neighbours on both sides in single precision. They drift apart as any
/// two roundings of one training do, so where they have, no two implementations agree.
const RUNS: [fn(f32) -> f32; 3] = [|w| w, f32::next_up, f32::next_down];

struct SimpleRnnlm {
    weights: Weights,
    corpus: Vec<usize>,
    batch: usize,
    time: usize,
    epochs: usize,
    lr: f64,
    losses: Vec<f64>,
    perplexity: Vec<f64>,
}

/// The weights to start from.
struct Weights {
    embed: Tensor<f32>,
    wx: Tensor<f32>,
    wh: Tensor<f32>,
    b: Tensor<f32>,
    affine_w: Tensor<f32>,
    affine_b: Tensor<f32>,
}

pub(super) fn open(source: &Source<'_>) -> Result<Vec<Box<dyn Training>>, Error> {
    let case = source.case("simple_rnnlm");
    let (v, d, h) = (case.size("vocab")?, case.size("wordvec")?, case.size("hidden")?);
    let array = |name: &str, dims: &[usize]| -> Result<Tensor<f32>, Error> {
        Ok(source.arrays.get_shaped(name, Shape::new(dims)?)?)
    };
    let training = SimpleRnnlm {
        weights: Weights {
            embed: array("embed_W", &[v, d])?,
            wx: array("rnn_Wx", &[d, h])?,
            wh: array("rnn_Wh", &[h, h])?,
            b: array("rnn_b", &[h])?,
            affine_w: array("affine_W", &[h, v])?,
            affine_b: array("affine_b", &[v])?,
        },
        corpus: source.arrays.get::<usize>("corpus")?.to_vec(),
        batch: case.size("batch")?,
        time: case.size("time")?,
        epochs: case.size("epochs")?,
        lr: case.number("lr")?,
        losses: case.numbers("first_losses")?,
        perplexity: case.numbers("perplexity")?,
    };
    let steps = training.windows()?.per_epoch() * training.epochs;
    if training.losses.len() > steps {
        return Err(case.wrong("first_losses", format!("at most {steps} numbers")));
    }
    if training.perplexity.len() != training.epochs {
        return Err(case.wrong("perplexity", format!("{} numbers", training.epochs)));
    }
    Ok(vec![Box::new(training)])
}

impl Weights {
    /// The model that starts from what `nudge` makes of each weight.
    fn model(&self, nudge: fn(f32) -> f32) -> Result<LanguageModel<TimeRnn<f32>, f32>, Error> {
        let [embed, wx, wh, b, affine_w, affine_b] =
            [&self.embed, &self.wx, &self.wh, &self.b, &self.affine_w, &self.affine_b].map(|w| w.map(nudge));
        let rnn = TimeRnn::new(RnnCell::from_arrays(wx, wh, b)?);
        let head = Linear::from_arrays(affine_w, affine_b)?;
        Ok(LanguageModel::new(Embedding::from_array(embed)?, rnn, head))
    }
}

impl SimpleRnnlm {
    fn windows(&self) -> Result<Windows<'_>, Error> {
        Ok(Windows::new(&self.corpus, self.batch, self.time)?)
    }

    /// The loss of each step, and the perplexity of each epoch.
    fn train(&self, nudge: fn(f32) -> f32, bar: &ProgressBar) -> Result<[Vec<f64>; 2], Error> {
        let mut model = self.weights.model(nudge)?;
        let mut sgd = Sgd::new(self.lr).of(&model)?;
        let mut windows = self.windows()?;
        let per_epoch = windows.per_epoch();
        let (mut losses, mut perplexity) = (Vec::new(), Vec::new());
        for epoch in 0..self.epochs {
            let mut mean = Perplexity::default();
            for window in windows.by_ref().take(per_epoch) {
                let tape = Tape::new();
                let loss = model.loss(&tape, &window, &SequenceOptions::new())?;
                sgd.step(&loss.backward()?)?;
                let loss = f64::from(loss.value().item()?);
                mean.add(loss, window.targets.numel());
                losses.push(loss);
                bar.inc(1);
            }
            perplexity.push(mean.value().unwrap_or(f64::NAN));
            bar.set_message(format!("simple_rnnlm, epoch {epoch}, perplexity {:.1}", perplexity[epoch]));
        }
        Ok([losses, perplexity])
    }
}

impl Training for SimpleRnnlm {
    fn steps(&self) -> usize {
        self.windows().map_or(0, |windows| RUNS.len() * windows.per_epoch() * self.epochs)
    }

    fn run(self: Box<Self>, bar: &ProgressBar) -> Result<Vec<Curve>, Error> {
        let mut runs = Vec::new();
        for nudge in RUNS {
            runs.push(self.train(nudge, bar)?);
        }
        let neighbours = runs.split_off(1);
        let [mut losses, perplexity] = runs.remove(0);
        losses.truncate(self.losses.len());
        let apart = |epoch: &usize| {
            let here = perplexity[*epoch];
            neighbours.iter().any(|[_, other]| (other[*epoch] - here).abs() > ROUNDING * here)
        };
        let compared = (0..self.epochs).find(apart).unwrap_or(self.epochs);
        let case = "simple_rnnlm".to_owned();
        let first = Curve::new(case.clone(), "loss", Unit::Step, self.losses, losses, LOSSES);
        let whole = Curve::new(case, "perplexity", Unit::Epoch, self.perplexity, perplexity, PERPLEXITY);
        Ok(vec![first, Curve { compared, ..whole }])
    }
}
