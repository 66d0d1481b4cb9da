//! The adding problem: the sum of two marked numbers among many, which has to be remembered for as long as the sequence
//! is. Where a plain RNN fails and an LSTM does not.
//!
//! `problem` draws the sequences and trains a cell on them.

mod problem;

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use problem::{BASELINE, Sizes, train};
use retrograde::nn::init;
use retrograde::prelude::*;
use retrograde_examples::figure::{Curve, Figure, Scale, running_mean};
use retrograde_examples::table::{Align, Table};
use retrograde_examples::tensorboard::Scalars;
use retrograde_examples::{Findings, Ink, Options, Result, Screen, finish, svg};

/// Add two numbers that lie far apart: an RNN against an LSTM.
#[derive(Parser)]
#[command(name = "adding")]
struct Args {
    #[command(flatten)]
    options: Options,
    #[command(flatten)]
    scalars: Scalars,
    /// Lengths of sequences [default: 10 50 100; quick: 10]
    #[arg(long, value_name = "T", num_args = 1.., value_parser = clap::value_parser!(u64).range(2..))]
    steps: Vec<u64>,
}

fn main() -> ExitCode {
    finish(run(&Args::parse(), &mut Screen::stdout()))
}

/// The result of one cell on sequences of one length.
struct Curves {
    steps: usize,
    cell: &'static str,
    losses: Vec<f64>,
    seconds: f64,
}

fn run(args: &Args, screen: &mut Screen) -> Result<Findings> {
    let path = args.options.figure("adding.svg")?;
    let lengths: Vec<usize> = match &args.steps[..] {
        [] if args.options.quick => vec![10],
        [] => vec![10, 50, 100],
        given => given.iter().map(|&steps| steps as usize).collect(),
    };
    let updates = if args.options.quick { 150 } else { 1500 };
    screen.line(screen.ink(Ink::Heading, "The adding problem"))?;
    args.options.note(screen)?;
    screen.line("")?;

    let mut found = Vec::new();
    for steps in lengths {
        let sizes = Sizes { batch: 32, steps, hidden: 64, updates };
        let h = sizes.hidden;
        // Every cell sees the same sequences.
        let rng = || StdRng::seed_from_u64(args.options.seed);
        let start = Instant::now();
        let losses = train(RnnCell::new(2, h, &mut rng()), &sizes, &format!("RNN, T={steps}"), &mut rng())?;
        found.push(Curves { steps, cell: "RNN", losses, seconds: start.elapsed().as_secs_f64() });
        let start = Instant::now();
        let lstm = LstmCell::new(2, h, &mut rng());
        lstm.b.set(init::forget_bias(h, 1.0))?;
        let losses = train(lstm, &sizes, &format!("LSTM, T={steps}"), &mut rng())?;
        found.push(Curves { steps, cell: "LSTM", losses, seconds: start.elapsed().as_secs_f64() });
    }

    for Curves { steps, cell, losses, .. } in &found {
        if let Some(mut events) = args.scalars.open(&format!("{cell}-{steps}"))? {
            losses.iter().enumerate().try_for_each(|(step, &loss)| events.scalar("loss", step, loss))?;
        }
    }
    let mut table = Table::new(&[
        ("T", Align::Right),
        ("cell", Align::Left),
        ("MSE of the last 100 batches", Align::Right),
        ("batches until it is below 0.01", Align::Right),
        ("seconds", Align::Right),
    ]);
    for Curves { steps, cell, losses, seconds } in &found {
        let (last, until) = (last(losses), solved(losses));
        let until = until.map_or("–".to_owned(), |batches| batches.to_string());
        table.row([
            steps.to_string(),
            (*cell).to_owned(),
            format!("{last:.4}"),
            until,
            format!("{seconds:.1}"),
        ]);
    }
    screen.lines(table.lines(screen))?;
    screen.line("")?;
    screen.line(format!("Always answering 1 gives an MSE of 1/6, {BASELINE:.4}."))?;
    svg::write(&figure(&found), &path)?;
    screen.line("")?;
    screen.line(format!("Figure: {}", path.display()))?;
    Ok(Findings::default())
}

/// The mean loss of the last batches.
fn last(losses: &[f64]) -> f64 {
    let last = &losses[losses.len().saturating_sub(100)..];
    last.iter().sum::<f64>() / last.len() as f64
}

/// After how many batches the mean loss of the last 20 is below a hundredth.
fn solved(losses: &[f64]) -> Option<usize> {
    let means = losses.windows(20).map(|losses| losses.iter().sum::<f64>() / losses.len() as f64);
    means.enumerate().find(|&(_, mean)| mean < 0.01).map(|(i, _)| i + 20)
}

fn figure(found: &[Curves]) -> Figure {
    let end = found.iter().map(|curves| curves.losses.len()).max().unwrap_or(0) as f64;
    let curve = |Curves { steps, cell, losses, .. }: &Curves| {
        let points: Vec<(f64, f64)> = (1..).zip(losses).map(|(i, &loss)| (f64::from(i), loss)).collect();
        Curve::new(format!("{cell}, T = {steps}"), running_mean(&points, 25))
    };
    let baseline = Curve::level("always answering 1", BASELINE, end);
    Figure {
        title: "The adding problem, by the length T of the sequence".to_owned(),
        x: "batches of 32 sequences".to_owned(),
        y: "mean squared error (mean of 25 batches)".to_owned(),
        scale: Scale::Log,
        curves: found.iter().map(curve).chain([baseline]).collect(),
    }
}
