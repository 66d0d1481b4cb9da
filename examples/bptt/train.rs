//! Part 5: a model that learns to write, trained by truncated backpropagation through time.

use std::path::Path;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::prelude::*;
use retrograde_examples::figure::{Curve, Figure, Scale, Stroke};
use retrograde_examples::screen::{WIDTH, wrap};
use retrograde_examples::table::{Align, Table};
use retrograde_examples::text::Text;
use retrograde_examples::{Findings, Ink, Result, Screen, progress, svg};
use serde_json::json;

use crate::model::CharModel;

/// The sizes of the model and of its training.
pub(crate) struct Settings {
    batch: usize,
    steps: usize,
    embedding: usize,
    hidden: usize,
    windows: usize,
    rate: f64,
    max_norm: f64,
    sample: usize,
    temperature: f64,
}

impl Settings {
    pub(crate) fn new(quick: bool) -> Self {
        let (hidden, windows) = if quick { (48, 64) } else { (160, 1800) };
        Settings {
            batch: 32,
            steps: 32,
            embedding: 32,
            hidden,
            windows,
            rate: 4e-3,
            max_norm: 1.0,
            sample: 560,
            temperature: 0.6,
        }
    }

    /// Whether a text can be cut into windows.
    pub(crate) fn check(&self, text: &Text) -> Result<()> {
        text.windows(self.batch, self.steps).map(|_| ())
    }
}

/// The number of times that the loss is printed on the way.
const REPORTS: usize = 8;

/// A model that has been trained.
pub(crate) struct Trained {
    pub(crate) model: CharModel<f32>,
    losses: Vec<f64>,
    seconds: f64,
    rng: StdRng,
}

/// Trains the model.
pub(crate) fn fit(seed: u64, text: &Text, settings: &Settings) -> Result<Trained> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut model = CharModel::<f32>::new(text.alphabet.len(), settings.embedding, settings.hidden, &mut rng);
    let clock = Instant::now();
    let losses = train(&mut model, text, settings)?;
    Ok(Trained { model, losses, seconds: clock.elapsed().as_secs_f64(), rng })
}

/// Tells how well the model does, and lets it write.
pub(crate) fn run(
    trained: Trained,
    text: &Text,
    settings: &Settings,
    out: &Path,
    screen: &mut Screen,
    findings: &mut Findings,
) -> Result<()> {
    let Trained { mut model, losses, seconds, mut rng } = trained;
    let v = text.alphabet.len();
    let entropy = text.entropy();
    screen.part(5, "A model that learns to write")?;
    for line in wrap(&format!("text: {}", text.name), WIDTH - 2) {
        screen.line(format!("  {line}"))?;
    }
    screen.line(format!("  {} characters, {v} different ones", text.tokens.len()))?;
    screen.line(format!(
        "  Embedding {v}→{d}, TimeRnn {d}→{h}, Linear {h}→{v}: {} parameters, f32",
        model.param_count(),
        d = settings.embedding,
        h = settings.hidden,
    ))?;
    screen.line(format!(
        "  {} windows of {} rows and {} steps, the state carried, the gradient cut",
        settings.windows, settings.batch, settings.steps
    ))?;
    screen.line(format!(
        "  Adam, rate from {} down to 0, gradients clipped to norm {}",
        settings.rate, settings.max_norm
    ))?;
    screen.line("")?;

    let reports = reports(&losses, settings);
    let mut table = Table::new(&[
        ("characters read", Align::Right),
        ("loss, nats per character", Align::Right),
        ("perplexity", Align::Right),
    ]);
    for &(read, loss) in &reports {
        table.row([read.to_string(), format!("{loss:.3}"), format!("{:.2}", loss.exp())]);
    }
    screen.lines(table.lines(screen))?;
    screen.line("")?;
    screen.line(format!(
        "  Guessing by how often each character occurs: {entropy:.3} nats, perplexity {:.2}",
        entropy.exp()
    ))?;
    let speed = (settings.windows * settings.batch * settings.steps) as f64 / seconds;
    screen.line(format!("  {seconds:.1} s, {speed:.0} characters a second"))?;

    let start = &text.tokens[..settings.steps];
    let written = model.write(start, settings.sample, settings.temperature, &mut rng)?;
    let sample = text.decode(&written);
    screen.line("")?;
    screen.line(format!(
        "  What it writes after the first {} characters of the text, at temperature {}:",
        settings.steps, settings.temperature
    ))?;
    screen.line("")?;
    for line in wrap(&sample, WIDTH - 4) {
        screen.line(format!("  {} {line}", screen.ink(Ink::Faint, "│")).trim_end())?;
    }

    let path = out.join("loss.svg");
    svg::write(&figure(&losses, entropy, settings), &path)?;
    screen.line("")?;
    screen.line(format!("  Figure: {}", path.display()))?;

    let report =
        |&(read, loss): &(usize, f64)| json!({ "characters": read, "loss": loss, "perplexity": loss.exp() });
    findings.record(
        "train",
        json!({
            "text": text.name,
            "characters": text.tokens.len(),
            "alphabet": v,
            "embedding": settings.embedding,
            "hidden": settings.hidden,
            "parameters": model.param_count(),
            "windows": settings.windows,
            "batch": settings.batch,
            "steps": settings.steps,
            "rate": settings.rate,
            "max_norm": settings.max_norm,
            "losses": losses,
            "reports": reports.iter().map(report).collect::<Vec<_>>(),
            "entropy": entropy,
            "entropy_perplexity": entropy.exp(),
            "seconds": seconds,
            "characters_a_second": speed,
            "temperature": settings.temperature,
            "sample": sample,
            "figure": path.display().to_string(),
        }),
    );
    Ok(())
}

/// Truncated backpropagation through time: the state is carried from window to window, the gradient is not, since
/// each window has a tape of its own. Returns the loss of each window, in nats per character.
fn train(model: &mut CharModel<f32>, text: &Text, settings: &Settings) -> Result<Vec<f64>> {
    let mut adam = Adam::new(settings.rate).of(model)?;
    let mut losses = Vec::new();
    let bar = progress::bar(settings.windows);
    for window in text.windows(settings.batch, settings.steps)?.take(settings.windows) {
        adam.lr = settings.rate * (1.0 - losses.len() as f64 / settings.windows as f64); // falls to 0
        let tape = Tape::new();
        let scores = model.forward(&tape, &window.inputs)?; // [N, T, V]
        let loss = cross_entropy(&scores, &window.targets)?;
        let mut grads = loss.backward()?;
        clip_grad_norm(&mut grads, settings.max_norm);
        adam.step(&grads)?;

        losses.push(f64::from(loss.value().item()?));
        bar.set_message(format!("perplexity {:.2}", losses[losses.len() - 1].exp()));
        bar.inc(1);
    }
    bar.finish_and_clear();
    Ok(losses)
}

/// The characters read so far and the mean loss since the report before, a few times on the way.
fn reports(losses: &[f64], settings: &Settings) -> Vec<(usize, f64)> {
    let stretch = losses.len().div_ceil(REPORTS);
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
    let mut read = 0;
    losses
        .chunks(stretch)
        .map(|losses| {
            read += losses.len() * settings.batch * settings.steps;
            (read, mean(losses))
        })
        .collect()
}

/// The loss of each window, a running mean of it, and what guessing by frequency would cost.
fn figure(losses: &[f64], entropy: f64, settings: &Settings) -> Figure {
    let thousands = |windows: usize| (windows * settings.batch * settings.steps) as f64 / 1000.0;
    let each = losses.iter().enumerate().map(|(i, &loss)| (thousands(i + 1), loss)).collect();
    let stretch = losses.len().div_ceil(40);
    let mean = |(i, losses): (usize, &[f64])| {
        (thousands(i) + thousands(stretch) / 2.0, losses.iter().sum::<f64>() / stretch as f64)
    };
    let means = losses.windows(stretch).enumerate().map(mean).collect();
    let curve = |name: &str, points, stroke| Curve { name: name.to_owned(), points, stroke };
    Figure {
        title: "Learning to write".to_owned(),
        x: "characters read (thousands)".to_owned(),
        y: "loss (nats per character)".to_owned(),
        scale: Scale::Linear,
        curves: vec![
            curve("each window", each, Stroke::Pale),
            curve(&format!("mean of {stretch} windows"), means, Stroke::Bold),
            curve(
                "guessing by frequency",
                vec![(0.0, entropy), (thousands(losses.len()), entropy)],
                Stroke::Dashed,
            ),
        ],
    }
}
