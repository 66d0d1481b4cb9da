//! The main job of this project: an RNN written from `matmul`, `add` and `tanh` gets, from its recorded tape alone,
//! the backward pass that textbooks derive by hand.
//!
//! Five parts, each a file: `step` derives one step, `unrolled` several, `compare` checks the numbers,
//! `norms` follows the gradient back through time, and `train` trains a model with it.

mod compare;
mod model;
mod norms;
mod step;
mod train;
mod unrolled;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use retrograde_examples::text::Text;
use retrograde_examples::{Error, Findings, Ink, Result, Screen, finish};
use serde_json::json;

/// Derive backpropagation through time from a tape, check it, train with it.
#[derive(Parser)]
#[command(name = "bptt")]
struct Args {
    /// Seed of every random number
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// Write every number that is printed to FILE
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Take a few seconds: a smaller model, less training
    #[arg(long)]
    quick: bool,
    /// Learn to write like FILE [default: a novel]
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Put the figures into DIR
    #[arg(long, value_name = "DIR", default_value = "target/bptt")]
    out: PathBuf,
}

fn main() -> ExitCode {
    let args = Args::parse();
    finish(run(&args, &mut Screen::stdout()))
}

/// The five parts in order. Bad input is told before anything long begins.
fn run(args: &Args, screen: &mut Screen) -> Result<Findings> {
    let text = args.text.as_deref().map_or_else(|| Ok(Text::novel()), Text::read)?;
    let settings = train::Settings::new(args.quick);
    settings.check(&text)?;
    std::fs::create_dir_all(&args.out)
        .map_err(|source| Error::Unwritable { path: args.out.clone(), source })?;
    let mut findings = Findings::default();
    if let Some(path) = &args.json {
        findings.write(path)?;
    }

    findings.record("options", json!({ "seed": args.seed, "quick": args.quick }));
    screen
        .line(screen.ink(Ink::Heading, "retrograde: the backward pass of an RNN, derived from its tape"))?;
    screen.line(format!("seed {}", args.seed))?;

    if args.quick {
        screen.line(retrograde_examples::options::QUICK)?;
    }
    step::run(args.seed, screen, &mut findings)?;
    unrolled::run(args.seed, screen, &mut findings)?;
    compare::run(args.seed, screen, &mut findings)?;
    // Trained first, since part 4 follows the gradient through it too.
    let trained = train::fit(args.seed, &text, &settings)?;
    norms::run(args.seed, (&trained.model, &text.tokens), &args.out, screen, &mut findings)?;
    train::run(trained, &text, &settings, &args.out, screen, &mut findings)?;

    screen.line("")?;
    match findings.failures() {
        [] => screen.line(screen.ink(Ink::Good, "All comparisons hold."))?,
        [_] => screen.line(screen.ink(Ink::Bad, "1 comparison failed."))?,
        many => screen.line(screen.ink(Ink::Bad, &format!("{} comparisons failed.", many.len())))?,
    }
    if let Some(path) = &args.json {
        findings.write(path)?;
        screen.line(format!("Every number is in {}", path.display()))?;
    }
    Ok(findings)
}
