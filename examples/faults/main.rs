//! Broken backward passes to repair, from one that stops to one that no loss gives away.
//!
//! Each exercise is a file of `exercises/`. Repair it, and check it: cargo compiles the file again.
#![forbid(unsafe_code)]

mod check;
mod forecaster;
mod problem;
mod source;
mod table;

use std::panic;
use std::process::ExitCode;
use std::sync::mpsc::{self, Receiver};

use clap::{Parser, Subcommand};
use retrograde::check::Report;
use retrograde_examples::screen::wrap;
use retrograde_examples::table::{Align, Table};
use retrograde_examples::{Findings, Ink, Result, Screen, finish};

use crate::check::{Outcome, SIZES};
use crate::table::{EXERCISES, Exercise};

/// Find the fault in a backward pass, and repair it
#[derive(Parser)]
#[command(max_term_width = 80)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// List the exercises
    List,
    /// Show an exercise
    Show(Chosen),
    /// Compare the gradients of an exercise with finite differences
    Check {
        #[command(flatten)]
        chosen: Chosen,
        /// Check the reference repair instead
        #[arg(long)]
        answer: bool,
    },
    /// Give a hint: three steps, from a question to the formula
    Hint {
        #[command(flatten)]
        chosen: Chosen,
        /// The step, 1 to 3
        #[arg(default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3))]
        step: u64,
    },
    /// Show the reference repair; lines that the exercise does not have begin with >
    Answer(Chosen),
    /// Check all exercises, and count those that are repaired
    Verify,
}

#[derive(clap::Args)]
struct Chosen {
    /// The exercise, 1 to 25
    #[arg(value_name = "N", value_parser = clap::value_parser!(u64).range(1..=EXERCISES.len() as u64))]
    number: u64,
}

impl Chosen {
    fn exercise(&self) -> &'static Exercise {
        &EXERCISES[self.number as usize - 1]
    }
}

fn main() -> ExitCode {
    let Arguments { command } = Arguments::parse();
    let (sender, stops) = mpsc::channel();
    // A pass that panics is a finding. Only the place is missing from what it says.
    panic::set_hook(Box::new(move |info| {
        let place = info.location().map(|at| format!("{}:{}", at.file(), at.line()));
        let _ = sender.send(place.unwrap_or_default());
    }));
    finish(run(&command, &stops, &mut Screen::stdout()))
}

fn run(command: &Command, stops: &Receiver<String>, screen: &mut Screen) -> Result<Findings> {
    let mut findings = Findings::default();
    match command {
        Command::List => list(screen)?,
        Command::Show(chosen) => show(chosen.exercise(), screen)?,
        Command::Check { chosen, answer } => {
            let exercise = chosen.exercise();
            let title = format!("{}. {}", exercise.number, exercise.title);
            screen.line(screen.ink(Ink::Heading, &title))?;
            screen.line("")?;
            let exercise = if *answer { &exercise.repaired() } else { exercise };
            check(exercise, stops, screen, &mut findings)?;
        }
        Command::Hint { chosen, step } => hint(chosen, *step as usize, screen)?,
        Command::Answer(chosen) => answer(chosen.exercise(), screen)?,
        Command::Verify => verify(screen)?,
    }
    Ok(findings)
}

fn list(screen: &mut Screen) -> Result<()> {
    screen.line(screen.ink(Ink::Heading, "Find the fault"))?;
    for exercises in EXERCISES.chunk_by(|a, b| a.grade == b.grade) {
        screen.line("")?;
        screen.line(screen.ink(Ink::Faint, exercises[0].grade.text()))?;
        screen.lines(
            exercises.iter().map(|exercise| format!("  {:>3}  {}", exercise.number, exercise.title)),
        )?;
    }
    Ok(())
}

fn show(exercise: &Exercise, screen: &mut Screen) -> Result<()> {
    screen.line(screen.ink(Ink::Faint, &format!("examples/faults/exercises/{:02}.rs", exercise.number)))?;
    screen.line("")?;
    screen.lines(exercise.source.lines())?;
    Ok(())
}

fn hint(chosen: &Chosen, step: usize, screen: &mut Screen) -> Result<()> {
    screen.lines(wrap(&chosen.exercise().hints()[step - 1], 80))?;
    if step < 3 {
        screen.line("")?;
        screen.line(screen.ink(Ink::Faint, &format!("The next one: hint {} {}", chosen.number, step + 1)))?;
    }
    Ok(())
}

fn answer(exercise: &Exercise, screen: &mut Screen) -> Result<()> {
    let is_new = |line: &&str| !line.is_empty() && !exercise.source.lines().any(|known| known == *line);
    let code = exercise.answer.lines().skip_while(|line| line.starts_with("//!") || line.is_empty());
    screen.lines(
        code.map(|line| format!("{} {line}", if is_new(&line) { '>' } else { ' ' }).trim_end().to_owned()),
    )?;
    Ok(())
}

fn check(
    exercise: &Exercise,
    stops: &Receiver<String>,
    screen: &mut Screen,
    findings: &mut Findings,
) -> Result<()> {
    if let Some(reason) = exercise.dishonest() {
        findings.fail(format!("exercise {}: {reason}", exercise.number));
        return Ok(());
    }
    let mut first = None;
    let mut sound = true;
    screen.line(screen.ink(Ink::Faint, "   N  T  D  H"))?;
    for sizes in SIZES {
        let outcome = exercise.outcome(exercise.pass, sizes, true);
        sound &= matches!(outcome, Outcome::Right);
        let (ink, words) = match &outcome {
            Outcome::Right => (Ink::Good, "right".to_owned()),
            Outcome::Wrong(report) => (Ink::Bad, format!("wrong: {}", report.wrong().join(", "))),
            Outcome::Stopped(message) => {
                let place = stops.try_iter().last().map_or_else(String::new, |place| format!(" at {place}"));
                (Ink::Bad, format!("stops{place}: {message}"))
            }
        };
        let [n, t, d, h] = sizes;
        for (i, line) in wrap(&words, 60).into_iter().enumerate() {
            let sizes = if i == 0 { format!("{n:>4}{t:>3}{d:>3}{h:>3}") } else { " ".repeat(13) };
            screen.line(format!("{sizes}   {}", screen.ink(ink, &line)))?;
        }
        if let (Outcome::Wrong(report), None) = (outcome, &first) {
            first = Some((sizes, report));
        }
    }
    if let Some(([n, t, d, h], report)) = first {
        screen.line("")?;
        screen.line(format!("At N = {n}, T = {t}, D = {d}, H = {h}, the elements that are furthest off:"))?;
        screen.line("")?;
        screen.lines(differences(&report).lines(screen))?;
    }
    if let Some(training) = exercise.training(exercise.pass) {
        screen.line("")?;
        screen.lines(wrap(&training.to_string(), 80))?;
    }
    if sound {
        screen.line("")?;
        screen.line(screen.ink(Ink::Good, "All gradients are right."))?;
    } else {
        findings.fail(format!("exercise {}: the gradients are not right yet", exercise.number));
    }
    Ok(())
}

/// The elements that are furthest off, one for each tensor and step.
fn differences(report: &Report) -> Table {
    let titles = ["element", "found", "expected", "relative"].map(|title| (title, Align::Right));
    let mut table = Table::new(&titles);
    let mut seen = Vec::new();
    for found in report.mismatches() {
        let place = (found.name.as_str(), found.step);
        if seen.contains(&place) || seen.len() == 8 {
            continue;
        }
        seen.push(place);
        let index = found.index.as_ref().map_or_else(String::new, |index| format!("{index:?}"));
        table.row([
            format!("d{}{index}", found.name),
            format!("{:.4}", found.analytic),
            format!("{:.4}", found.numeric),
            format!("{:.0e}", found.relative),
        ]);
    }
    table
}

fn verify(screen: &mut Screen) -> Result<()> {
    let mut repaired = 0;
    for exercise in EXERCISES {
        let is_repaired = exercise.dishonest().is_none() && exercise.is_right(exercise.pass);
        repaired += usize::from(is_repaired);
        let (ink, mark) = if is_repaired { (Ink::Good, "repaired") } else { (Ink::Plain, "-") };
        screen.line(format!("{:>3}  {:<44}{}", exercise.number, exercise.title, screen.ink(ink, mark)))?;
    }
    screen.line("")?;
    screen.line(format!("{repaired} of {}", EXERCISES.len()))?;
    Ok(())
}
