//! A model of any text, character by character: trained by truncated backpropagation through time, watched on a part of
//! the text that it does not see, kept in a checkpoint, and asked to write.
//!
//! `settings` is what can be chosen, `model` the model, `train` its training, `resume` how it goes on after an
//! interruption, `history` how well it did, `writing` what it is asked for.

mod history;
mod model;
mod resume;
mod settings;
mod train;
mod writing;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use history::History;
use model::CharRnn;
use rand::rngs::StdRng;
use resume::Saved;
use retrograde::nn::{MguCell, init};
use retrograde::prelude::*;
use retrograde_examples::screen::{WIDTH, wrap};
use retrograde_examples::tensorboard::Scalars;
use retrograde_examples::text::Text;
use retrograde_examples::{Findings, Ink, Options, Result, Screen, finish, svg};
use settings::{Choices, Kind};
use train::{Run, train};
use writing::Writing;

/// Learn to write like a text, character by character.
#[derive(Parser)]
#[command(name = "char_rnn", next_line_help = true)]
struct Args {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    scalars: Scalars,
    /// Learn to write like FILE [default: a novel]
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    #[command(flatten)]
    choices: Choices,
    #[command(flatten)]
    writing: Writing,
    /// Keep the run in FILE, written every few windows
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Windows between two writings of the checkpoint
    #[arg(long, value_name = "N", default_value = "100", requires = "checkpoint")]
    every: NonZeroUsize,
    /// Go on from the checkpoint
    #[arg(long, requires = "checkpoint")]
    resume: bool,
}

fn main() -> ExitCode {
    finish(run(&Args::parse(), &mut Screen::stdout()))
}

fn run(args: &Args, screen: &mut Screen) -> Result<Findings> {
    match args.choices.cell {
        Kind::Rnn => with(RnnCell::new, args, screen),
        Kind::Lstm => with(lstm, args, screen),
        Kind::Gru => with(GruCell::new, args, screen),
        Kind::Mgu => with(MguCell::new, args, screen),
    }
}

/// An LSTM that remembers from the start.
fn lstm(d: usize, h: usize, rng: &mut StdRng) -> LstmCell<f32> {
    let cell = LstmCell::new(d, h, rng);
    cell.b.set(init::forget_bias(h, 1.0)).expect("a bias of the same shape");
    cell
}

/// The whole job, with layers of one kind of cell. Bad input is told before anything long begins.
fn with<C: Cell<f32>>(
    cell: fn(usize, usize, &mut StdRng) -> C,
    args: &Args,
    screen: &mut Screen,
) -> Result<Findings> {
    let (path, events) = (args.options.figure("char_rnn.svg")?, args.scalars.open("char_rnn")?);
    let settings = args.choices.settings(&args.options)?;
    let [text, validation] =
        &settings.split(args.text.as_deref().map_or_else(|| Ok(Text::novel()), Text::read)?)?;
    let (beginning, sampler) = (args.writing.beginning(validation)?, args.writing.sampler()?);
    let mut rng = StdRng::seed_from_u64(settings.seed);
    let model = CharRnn::new(cell, text.alphabet.len(), &settings, &mut rng);
    let mut run =
        Run { adam: Adam::new(settings.rate).of(&model)?, model, history: History::default(), position: 0 };
    let saved = args.checkpoint.as_ref().map(|path| Saved {
        path: path.clone(),
        every: args.every.get(),
        batch: settings.batch,
        settings: settings.numbers(text),
    });
    if let Some(saved) = saved.as_ref().filter(|_| args.resume) {
        saved.restore(&mut run)?;
    }

    screen.line(screen.ink(Ink::Heading, "A model of text, character by character"))?;
    args.options.note(screen)?;
    screen.line("")?;
    screen.lines(wrap(&format!("text: {}", text.name), WIDTH))?;
    for line in settings.lines([text, validation], run.model.param_count()) {
        screen.lines(wrap(&line, WIDTH))?;
    }
    screen.line("")?;
    train(&mut run, [text, validation], &settings, (saved.as_ref(), events), screen)?;
    screen.line("")?;
    screen.line(format!(
        "Losses are in nats per character. Guessing by frequency costs {:.4}.",
        text.entropy()
    ))?;

    let written = run.model.write(&beginning, args.writing.length, &sampler, &mut rng)?;
    screen.line("")?;
    screen.lines(wrap(&args.writing.title(), WIDTH))?;
    screen.line("")?;
    for line in wrap(&text.decode(&written), WIDTH - 2) {
        screen.line(format!("{} {line}", screen.ink(Ink::Faint, "│")).trim_end())?;
    }
    svg::write(&run.history.figure(text, settings.per_epoch(text)?, &settings), &path)?;
    screen.line("")?;
    screen.line(format!("Figure: {}", path.display()))?;
    Ok(Findings::default())
}
