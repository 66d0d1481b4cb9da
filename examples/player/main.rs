//! A page on which one scrubs through a forward and a backward sweep of real tensors, one operation at a time.
//!
//! The page is a single file that loads nothing. Beside each line that the tape derives stands the one that a textbook
//! derives by hand, compared as a formula and as numbers.
#![forbid(unsafe_code)]

mod base64;
mod by_hand;
mod compare;
mod data;
mod page;
mod policy;
mod problem;
mod recording;
mod truncation;
mod vanishing;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, Parser};
use retrograde_examples::{Error, Findings, Ink, Result, Screen, finish};

use crate::by_hand::Fault;
use crate::problem::{Cell, Loss, Problem, Sizes};
use crate::recording::Recording;

/// Write a page that plays a tape forwards and backwards
#[derive(Parser)]
#[command(max_term_width = 80)]
struct Arguments {
    /// The cell
    #[arg(long, value_enum, default_value_t = Cell::Rnn)]
    cell: Cell,
    /// Time steps, 1 to 60
    #[arg(long, value_name = "T", default_value_t = 12, value_parser = clap::value_parser!(u64).range(1..=60))]
    steps: u64,
    /// The states that the loss reads
    #[arg(long, value_enum, default_value_t = Loss::All)]
    loss: Loss,
    /// A slip in the pass by hand
    #[arg(long, value_enum, value_name = "NAME")]
    fault: Option<Fault>,
    /// Hidden units, 1 to 32
    #[arg(long, value_name = "H", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=32))]
    hidden: u64,
    /// Seed of every random number
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Write the page to FILE
    #[arg(long, value_name = "FILE", default_value = "target/player.html")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let (cell, loss, steps) = (arguments.cell, arguments.loss, arguments.steps as usize);
    if let Some(refusal) = arguments.fault.and_then(|fault| fault.refusal(cell, loss, steps)) {
        Arguments::command().error(ErrorKind::ArgumentConflict, refusal).exit();
    }
    finish(run(&arguments, &mut Screen::stdout()))
}

fn run(arguments: &Arguments, screen: &mut Screen) -> Result<Findings> {
    let Arguments { cell, loss, fault, seed, .. } = *arguments;
    let steps = arguments.steps as usize;
    let sizes = Sizes { n: 2, d: 3, h: arguments.hidden as usize };
    let sizes = fault.map_or(sizes, |fault| fault.sizes(sizes));
    let problem = Problem::new(cell, loss, steps, sizes, seed)?;
    let recording = Recording::new(&problem)?;
    let mut findings = Findings::default();
    let comparison = match compare::compare(&problem, &recording, &by_hand::lines(&problem, fault)) {
        Ok(comparison) => comparison,
        Err(reason) => {
            findings.fail(reason);
            return Ok(findings);
        }
    };
    let pairs = || recording.lines.iter().zip(&comparison.pairs);
    for (line, pair) in pairs().filter(|(_, pair)| fault.is_none() && !pair.equal) {
        findings.fail(format!("{}: expected {}, found {}", line.name, pair.by_hand, line.formula));
    }

    let html = page::html(&[
        ("recording", data::recording(&problem, &recording, &comparison, fault)),
        ("truncations", data::truncations(&truncation::truncations(&problem)?)),
        ("vanishing", data::curves(&vanishing::curves(steps, sizes, seed)?)),
    ]);
    let unwritable = |source| Error::Unwritable { path: arguments.out.clone(), source };
    if let Some(folder) = arguments.out.parent() {
        fs::create_dir_all(folder).map_err(unwritable)?;
    }
    fs::write(&arguments.out, &html).map_err(unwritable)?;

    let equal = pairs().filter(|(_, pair)| pair.equal).count();
    screen.line(screen.ink(Ink::Heading, "The tape player"))?;
    screen.line("")?;
    screen.line(format!(
        "{} nodes of {steps} steps; {} lines derived:",
        recording.nodes.len(),
        pairs().len()
    ))?;
    screen.line(format!("{equal} equal those by hand, {} do not", pairs().len() - equal))?;
    screen.line("")?;
    screen.line(format!("Page: {}", arguments.out.display()))?;
    Ok(findings)
}
