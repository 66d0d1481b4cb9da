//! Runs a folder of values, gradients and trainings of others through `retrograde`, and prints how far it is off.
//!
//! ```text
//! cargo run --release --example golden -- DIR
//! ```
//! The exit status is 0 if all agree, 1 if something does not, and 2 if the folder is not as it should be.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use retrograde_examples::{golden, progress};

/// Compare with values, gradients and trainings of PyTorch and of the textbook.
#[derive(Parser)]
#[command(name = "golden")]
struct Args {
    /// The folder of golden values
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// The text that char_rnn was trained on [default: by its name in DIR or in DIR/../data]
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Err(error) => fail(2, &[error]),
        Ok(failures) if failures.is_empty() => ExitCode::SUCCESS,
        Ok(failures) => fail(1, &failures),
    }
}

/// Prints both tables, and returns what does not agree.
fn run(args: &Args) -> Result<Vec<String>, golden::Error> {
    // Bad input is told before anything long begins.
    let trainings = golden::Trainings::open(&args.folder, args.text.as_deref())?;
    let report = golden::run(&args.folder)?;
    // Whoever reads the tables may have gone, as `head` does; the exit status is still right.
    let _ = write!(io::stdout(), "{report}");
    let mut failures = report.failures();
    if trainings.steps() > 0 {
        let bar = progress::bar(trainings.steps());
        let curves = trainings.run(&bar)?;
        bar.finish_and_clear();
        let _ = write!(io::stdout(), "\n{curves}");
        failures.extend(curves.failures());
    }
    Ok(failures)
}

fn fail(status: u8, reasons: &[impl std::fmt::Display]) -> ExitCode {
    for reason in reasons {
        let _ = writeln!(io::stderr(), "golden: {reason}");
    }
    ExitCode::from(status)
}
