//! Sequence to sequence: sums as texts, `57+5` to `62`, learned by an encoder and a decoder.
//!
//! `addition` draws the sums, `model` is the encoder and the decoder, `train` their training.

mod addition;
mod model;
mod train;

use std::num::NonZeroUsize;
use std::process::ExitCode;

use addition::{ANSWER, Sums, decode};
use clap::Parser;
use model::{Seq2seq, Variant};
use retrograde::prelude::*;
use retrograde_examples::figure::{Curve, Figure, Scale};
use retrograde_examples::heat_map::{self, HeatMap};
use retrograde_examples::screen::{WIDTH, wrap};
use retrograde_examples::table::{Align, Table};
use retrograde_examples::tensorboard::Scalars;
use retrograde_examples::{Findings, Ink, Options, Result, Screen, chart, finish, svg};
use train::{Recipe, train};

/// Learn to add, character by character; compare four models unless one is chosen.
#[derive(Parser)]
#[command(name = "seq2seq")]
struct Args {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    scalars: Scalars,
    /// Read the question backwards
    #[arg(long)]
    reversed: bool,
    /// Show the encoder's last state to each decoder step
    #[arg(long)]
    peeky: bool,
    /// Let the decoder look at all states of the encoder
    #[arg(long)]
    attention: bool,
    /// Passes over the sums [default: 15; quick: 2]
    #[arg(long, value_name = "N")]
    epochs: Option<NonZeroUsize>,
}

fn main() -> ExitCode {
    finish(run(&Args::parse(), &mut Screen::stdout()))
}

/// The sums that are kept to be asked afterwards.
const TEST: usize = 1000;

fn run(args: &Args, screen: &mut Screen) -> Result<Findings> {
    let options = &args.options;
    let [path, map_path] = [options.figure("seq2seq.svg")?, options.figure("attention.svg")?];
    let (count, h, epochs) = if options.quick { (2000, 32, 2) } else { (20_000, 128, 15) };
    let recipe = Recipe { epochs: args.epochs.map_or(epochs, NonZeroUsize::get), batch: 64 };
    let [test, sums] = Sums::draw(count + TEST, &mut StdRng::seed_from_u64(options.seed)).split(TEST);
    screen.line(screen.ink(Ink::Heading, "Sequence to sequence: addition"))?;
    args.options.note(screen)?;
    screen.line("")?;
    screen.line(format!("{count} sums for training, {TEST} others to be asked; states of {h}"))?;
    screen.line("")?;

    let mut table = Table::new(&[
        ("model", Align::Left),
        ("parameters", Align::Right),
        ("right answers", Align::Right),
        ("seconds", Align::Right),
    ]);
    let (mut curves, mut map, mut examples) = (Vec::new(), None, Vec::new());
    for variant in args.variants() {
        let mut rng = StdRng::seed_from_u64(options.seed);
        let mut model = Seq2seq::new(variant, 16, h, &mut rng);
        let name = variant.name();
        let events = args.scalars.open(&name)?;
        let (accuracies, seconds) = train(&mut model, [&sums, &test], &recipe, (&name, events), &mut rng)?;
        let last = 100.0 * accuracies[accuracies.len() - 1];
        table.row([
            name.clone(),
            model.param_count().to_string(),
            format!("{last:.1} %"),
            format!("{seconds:.1}"),
        ]);
        let points = (1..).zip(&accuracies).map(|(epoch, right)| (f64::from(epoch), 100.0 * right));
        curves.push(Curve::new(name, points.collect()));
        let (found, weights) = model.answer(&test.questions)?;
        map = weights.map(|weights| heat_map(&test, &found, &weights, variant)).or(map);
        examples = (0..5).map(|row| example(&test, &found, row)).collect();
    }
    screen.lines(table.lines(screen))?;
    screen.line("")?;
    screen.lines(wrap(&format!("Of the last one: {}", examples.join(", ")), WIDTH))?;
    let figure = Figure {
        title: "Learning to add".to_owned(),
        x: "epochs".to_owned(),
        y: "right answers (%)".to_owned(),
        scale: Scale::Linear,
        curves,
    };
    screen.line("")?;
    screen.lines(chart::lines(&figure, screen))?;
    svg::write(&figure, &path)?;
    screen.line("")?;
    screen.line(format!("Figure: {}", path.display()))?;
    if let Some(map) = map {
        heat_map::write(&map, &map_path)?;
        screen.line(format!("Figure: {}", map_path.display()))?;
    }
    Ok(Findings::default())
}

impl Args {
    /// The model that was chosen, or else the four that are compared.
    fn variants(&self) -> Vec<Variant> {
        let chosen = Variant { reversed: self.reversed, peeky: self.peeky, attention: self.attention };
        if chosen != Variant::default() {
            return vec![chosen];
        }
        let reversed = Variant { reversed: true, ..chosen };
        vec![chosen, reversed, Variant { peeky: true, ..reversed }, Variant { attention: true, ..reversed }]
    }
}

impl Variant {
    fn name(self) -> String {
        let parts = [(self.reversed, "reversed"), (self.peeky, "peeky"), (self.attention, "attention")];
        let parts: Vec<&str> = parts.into_iter().filter_map(|(is, name)| is.then_some(name)).collect();
        if parts.is_empty() { "plain".to_owned() } else { parts.join(", ") }
    }
}

/// A question, its answer, and whether it is right.
fn example(test: &Sums, found: &Tensor<usize>, row: usize) -> String {
    let text = |ids: Tensor<usize>| decode(ids.to_vec()).trim_end().to_owned();
    let (question, answer) = (text(test.questions.select(0, row)), text(found.select(0, row)));
    let right = answer == text(test.answers.select(0, row).narrow(0, 1, ANSWER));
    format!("{question}={answer}{}", if right { "" } else { " (wrong)" })
}

/// Where the decoder looked while it wrote the answer to the first question of the test, in the order of reading.
fn heat_map(test: &Sums, found: &Tensor<usize>, weights: &Tensor<f32>, variant: Variant) -> HeatMap {
    let letters =
        |ids: Tensor<usize>| decode(ids.to_vec()).replace(' ', "␣").chars().map(String::from).collect();
    let mut columns: Vec<String> = letters(test.questions.select(0, 0));
    if variant.reversed {
        columns.reverse();
    }
    let rows: Vec<String> = letters(found.select(0, 0));
    let weight = |row, column| f64::from(weights.at(&[0, row, column]));
    let values = (0..rows.len()).map(|row| (0..columns.len()).map(|column| weight(row, column)).collect());
    HeatMap {
        title: format!("Where the decoder looks: {}", example(test, found, 0)),
        x: "read, in this order".to_owned(),
        y: "written".to_owned(),
        unit: "weight".to_owned(),
        values: values.collect(),
        columns,
        rows,
    }
}
