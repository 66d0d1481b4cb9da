//! Language models of words: the textbook's SimpleRnnlm, and its better one of two LSTM layers with dropout and one
//! matrix for input and output.
//!
//! `simple` and `better` are the models, `train` is the book's way of training.
//!
//! # Source
//! K. Saitoh, *Deep Learning from Scratch 2* (2018), sections 5.5 and 6.5.

mod better;
mod simple;
mod train;

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use better::BetterRnnlm;
use clap::Parser;
use retrograde::nn::weights::Weights;
use retrograde::prelude::*;
use retrograde_examples::figure::{Curve, Figure, Scale};
use retrograde_examples::screen::{WIDTH, wrap};
use retrograde_examples::table::{Align, Table};
use retrograde_examples::tensorboard::Scalars;
use retrograde_examples::text::Text;
use retrograde_examples::words::Words;
use retrograde_examples::{Findings, Ink, Options, Result, Screen, chart, finish, svg};
use simple::SimpleRnnlm;
use train::{Epoch, Recipe, train};

/// Predict the next word: the textbook's two models.
#[derive(Parser)]
#[command(name = "rnnlm")]
struct Args {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    scalars: Scalars,
    /// Learn the words of FILE [default: a novel]
    #[arg(long, value_name = "FILE", conflicts_with = "init")]
    text: Option<PathBuf>,
    /// Passes over the text [default: 10; with --init: 100]
    #[arg(long, value_name = "N")]
    epochs: Option<NonZeroUsize>,
    /// Start the simple model from the weights in FILE
    #[arg(long, value_name = "FILE", requires = "corpus")]
    init: Option<PathBuf>,
    /// Read words, as numbers, from array `corpus` of FILE
    #[arg(long, value_name = "FILE", requires = "init")]
    corpus: Option<PathBuf>,
}

fn main() -> ExitCode {
    finish(run(&Args::parse(), &mut Screen::stdout()))
}

fn run(args: &Args, screen: &mut Screen) -> Result<Findings> {
    let path = args.options.figure("rnnlm.svg")?;
    let runs = match (&args.init, &args.corpus) {
        (Some(init), Some(corpus)) => {
            let ids = Weights::load(corpus)?.get::<usize>("corpus")?.to_vec();
            let mut model = SimpleRnnlm::load(&Weights::load(init)?)?;
            let recipe = Recipe { epochs: args.epochs.map_or(100, NonZeroUsize::get), ..Recipe::simple() };
            recipe.check(&ids)?;
            heading(screen)?;
            screen.line(format!("{} words and the weights to start from are given", ids.len()))?;
            screen.line("")?;
            vec![("simple", train(&mut model, &ids, None, &recipe, args.scalars.open("simple")?)?)]
        }
        _ => compare(args, screen)?,
    };

    screen.lines(table(&runs).lines(screen))?;
    let figure = figure(&runs);
    screen.line("")?;
    screen.lines(chart::lines(&figure, screen))?;
    svg::write(&figure, &path)?;
    screen.line("")?;
    screen.line(format!("Figure: {}", path.display()))?;
    Ok(Findings::default())
}

fn heading(screen: &mut Screen) -> Result<()> {
    screen.line(screen.ink(Ink::Heading, "Language models of words"))?;
    Ok(screen.line("")?)
}

/// A model's name, and how well it did after each epoch.
type Run = (&'static str, Vec<Epoch>);

/// Both models on one text, of which the last tenth is kept for validation.
fn compare(args: &Args, screen: &mut Screen) -> Result<Vec<Run>> {
    let text = args.text.as_deref().map_or_else(|| Ok(Text::novel()), Text::read)?;
    let words = Words::new(&text.decode(&text.tokens));
    let v = words.vocabulary.len();
    let quick = args.options.quick;
    let (train_on, valid) = words.ids.split_at(words.ids.len() * 9 / 10);
    let train_on = if quick { &train_on[..train_on.len().min(4000)] } else { train_on };
    let epochs = args.epochs.map_or(if quick { 2 } else { 10 }, NonZeroUsize::get);
    let (d, h) = if quick { (32, 32) } else { (100, 100) };

    for recipe in [Recipe::simple(), Recipe::better()] {
        recipe.check(train_on)?;
        recipe.check(valid)?;
    }

    heading(screen)?;
    args.options.note(screen)?;
    screen.lines(wrap(&format!("text: {}", text.name), WIDTH))?;
    screen.line(format!("{} words for training, {} for validation", train_on.len(), valid.len()))?;
    screen.line(format!("{v} different ones; those that occur once are all <unk>"))?;
    let mut rng = StdRng::seed_from_u64(args.options.seed);
    let mut simple = SimpleRnnlm::new(v, d, h, &mut rng);
    let mut better = BetterRnnlm::new(v, h, 0.3, &mut rng)?;
    screen.line(format!("simple: TimeRnn {d}→{h}, {} parameters", simple.param_count()))?;
    screen.line(format!("better: 2 TimeLstm {h}→{h}, weights tied, {} parameters", better.param_count()))?;
    screen.line("")?;
    let [for_simple, for_better] = [args.scalars.open("simple")?, args.scalars.open("better")?];
    let recipe = |recipe: Recipe| Recipe { epochs, seed: args.options.seed, ..recipe };
    Ok(vec![
        ("simple", train(&mut simple, train_on, Some(valid), &recipe(Recipe::simple()), for_simple)?),
        ("better", train(&mut better, train_on, Some(valid), &recipe(Recipe::better()), for_better)?),
    ])
}

/// The perplexities of each model, one row per epoch.
fn table(runs: &[Run]) -> Table {
    let mut titles = vec![("epoch", Align::Right)];
    let mut over = Vec::new();
    for (name, epochs) in runs {
        let first = titles.len();
        titles.push(("training", Align::Right));
        if epochs.iter().any(|epoch| epoch.valid.is_some()) {
            titles.push(("validation", Align::Right));
        }
        titles.push(("seconds", Align::Right));
        over.push((first..titles.len(), format!("{name}: perplexity")));
    }
    let mut table = Table::new(&titles);
    for (columns, title) in over {
        table = table.over(columns, &title);
    }
    for epoch in 0..runs.iter().map(|(_, epochs)| epochs.len()).min().unwrap_or(0) {
        let mut cells = vec![(epoch + 1).to_string()];
        for (_, epochs) in runs {
            let Epoch { train, valid, seconds } = epochs[epoch];
            cells.push(format!("{train:.2}"));
            cells.extend(valid.map(|valid| format!("{valid:.2}")));
            cells.push(format!("{seconds:.1}"));
        }
        table.row(cells);
    }
    table
}

fn figure(runs: &[Run]) -> Figure {
    let mut curves = Vec::new();
    for (name, epochs) in runs {
        let points = |perplexity: &dyn Fn(&Epoch) -> Option<f64>| {
            let values = epochs.iter().map(perplexity);
            values.enumerate().filter_map(|(i, y)| Some((i as f64 + 1.0, y?))).collect::<Vec<_>>()
        };
        curves.push(Curve::new(format!("{name}, training"), points(&|epoch| Some(epoch.train))));
        let valid = points(&|epoch| epoch.valid);
        if !valid.is_empty() {
            curves.push(Curve::new(format!("{name}, validation"), valid));
        }
    }
    Figure {
        title: "Predicting the next word".to_owned(),
        x: "epochs".to_owned(),
        y: "perplexity".to_owned(),
        scale: Scale::Linear,
        curves,
    }
}
