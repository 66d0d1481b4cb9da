//! A cell that the library does not have, written from its paper, checked in one line, and trained.
//!
//! `janet` is the cell, `recall` the task that it learns.

mod janet;
mod recall;

use std::process::ExitCode;

use clap::Parser;
use janet::Janet;
use recall::{DIGITS, LETTERS, Sizes, train};
use retrograde::prelude::*;
use retrograde_examples::figure::{Curve, Figure, Scale, running_mean};
use retrograde_examples::table::{Align, Table};
use retrograde_examples::{Findings, Ink, Options, Result, Screen, chart, finish, svg};

/// Write a cell from its paper, check its gradients, train it.
#[derive(Parser)]
#[command(name = "custom_cell")]
struct Args {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    finish(run(&Args::parse().options, &mut Screen::stdout()))
}

fn run(options: &Options, screen: &mut Screen) -> Result<Findings> {
    let path = options.figure("custom_cell.svg")?;
    let (steps, updates) = if options.quick { (20, 100) } else { (100, 400) };
    let sizes = Sizes { batch: 32, steps, hidden: 32, updates };
    let mut rng = StdRng::seed_from_u64(options.seed);
    let d = LETTERS + DIGITS;

    let report = Check::new().layer(&mut Time::new(Janet::new(4, 6, 20, &mut rng)))?;
    screen.line(screen.ink(Ink::Heading, "JANET, a cell of the user's own"))?;
    options.note(screen)?;
    screen.line("")?;
    screen.line("Its gradients, as the tape derives them, against finite differences:")?;
    screen.line("")?;
    screen.line(report.to_string().trim_end())?;
    let mut findings = Findings::default();
    if !report.is_ok() {
        findings.fail("the gradients of JANET are not those of finite differences");
    }

    let janet = train(Janet::new(d, sizes.hidden, steps, &mut rng), &sizes, "JANET", &mut rng)?;
    let rnn = train(RnnCell::new(d, sizes.hidden, &mut rng), &sizes, "RNN", &mut rng)?;

    screen.line("")?;
    screen.line(format!(
        "It learns to name a letter after {} digits. Guessing one of {LETTERS} costs ln {LETTERS} nats.",
        steps - 1,
    ))?;
    screen.line("")?;
    let guessing = (LETTERS as f64).ln();
    let figure = figure(&janet, &rnn, guessing, steps);
    screen.lines(chart::lines(&figure, screen))?;
    screen.line("")?;
    let mut table = Table::new(&[("cell", Align::Left), ("loss of the last 20 batches, nats", Align::Right)]);
    for (name, losses) in [("JANET", &janet), ("RNN", &rnn)] {
        let last = &losses[losses.len() - 20..];
        table.row([name.to_owned(), format!("{:.4}", last.iter().sum::<f64>() / last.len() as f64)]);
    }
    table.row(["guessing".to_owned(), format!("{guessing:.4}")]);
    screen.lines(table.lines(screen))?;
    svg::write(&figure, &path)?;
    screen.line("")?;
    screen.line(format!("Figure: {}", path.display()))?;
    Ok(findings)
}

fn figure(janet: &[f64], rnn: &[f64], guessing: f64, steps: usize) -> Figure {
    let curve = |name: &str, losses: &[f64]| {
        let points: Vec<(f64, f64)> = (1..).zip(losses).map(|(i, &loss)| (f64::from(i), loss)).collect();
        Curve::new(name, running_mean(&points, 10))
    };
    Figure {
        title: format!("Remembering a letter for {steps} steps"),
        x: "batches".to_owned(),
        y: "loss (nats, mean of 10 batches)".to_owned(),
        scale: Scale::Linear,
        curves: vec![
            curve("JANET", janet),
            curve("RNN", rnn),
            Curve::level("guessing", guessing, janet.len() as f64),
        ],
    }
}
