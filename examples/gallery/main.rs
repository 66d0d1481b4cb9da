//! Published cells, each a file of its paper's formula: checked in one line, trained on a toy task, and counted.
//!
//! `cells` has the cells, `gallery` their list, `any_cell` what they have in common, `task` the task that they learn, `verify` the claims about each of them.

mod any_cell;
mod cells;
mod gallery;
mod task;
mod verify;

use std::process::ExitCode;

use clap::Parser;
use retrograde_examples::table::{Align, Table};
use retrograde_examples::{Findings, Ink, Options, Result, Screen, finish};
use task::{LETTERS, Sizes, train};

/// Show published cells: their lines, their gradients, and what they learn.
#[derive(Parser)]
#[command(name = "gallery")]
struct Args {
    #[command(flatten)]
    options: Options,
}

fn main() -> ExitCode {
    finish(run(&Args::parse().options, &mut Screen::stdout()))
}

fn run(options: &Options, screen: &mut Screen) -> Result<Findings> {
    let sizes = Sizes { batch: 16, steps: 8, updates: if options.quick { 60 } else { 400 }, enough: 0.0 };
    let titles = [("cell", Align::Left), ("lines", Align::Right), ("parameters", Align::Right)];
    let more =
        [("checked", Align::Left), ("loss", Align::Right), ("learned", Align::Left), ("ms", Align::Right)];
    let mut table = Table::new(&[&titles[..], &more].concat());
    let mut findings = Findings::default();
    let mut lines = Vec::new();
    for entry in gallery::entries() {
        let (report, trained) = (verify::check(&entry, options.seed)?, train(&entry, &sizes, options.seed)?);
        let learned = trained.loss < (LETTERS as f64).ln() / 2.0;
        if !report.is_ok() {
            findings.fail(format!("the gradients of {} are not those of finite differences", entry.name));
        }
        lines.push(entry.lines());
        let yes = |holds| if holds { "yes" } else { "no" }.to_owned();
        table.row([
            entry.name.to_owned(),
            entry.lines().to_string(),
            trained.parameters.to_string(),
            yes(report.is_ok()),
            format!("{:.4}", trained.loss),
            yes(learned),
            format!("{:.2}", trained.milliseconds),
        ]);
    }
    lines.sort_unstable();
    screen.line(screen.ink(Ink::Heading, "Published cells, each a file of its formula"))?;
    screen.line("")?;
    screen.lines(table.lines(screen))?;
    screen.line("")?;
    screen.line(format!(
        "{} lines at the median: parameters, shapes and step, the constructor apart.",
        lines[lines.len() / 2]
    ))?;
    screen.line(format!(
        "Each learns to name a letter after {} steps; guessing one of {LETTERS} costs {:.4} nats.",
        sizes.steps - 1,
        (LETTERS as f64).ln(),
    ))?;
    screen.line(format!(
        "The time is the shortest of both passes over {} rows in double precision.",
        sizes.batch,
    ))?;
    Ok(findings)
}
