//! Runs a folder of values and gradients computed by PyTorch through `retrograde`, and prints how far it is off.
//!
//! ```text
//! cargo run --release --example golden -- DIR
//! ```
//! The exit status is 0 if all agree, 1 if a kind of cases does not, and 2 if the folder is not as it should be.
#![forbid(unsafe_code)]

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use retrograde_examples::golden;

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    let (Some(folder), None) = (args.next(), args.next()) else {
        return fail(2, &["expected one folder, as in: cargo run --release --example golden -- DIR"]);
    };
    match golden::run(Path::new(&folder)) {
        Err(error) => fail(2, &[error]),
        Ok(report) => {
            // Whoever reads the table may have gone, as `head` does; the exit status is still right.
            let _ = write!(io::stdout(), "{report}");
            let failures = report.failures();
            if failures.is_empty() { ExitCode::SUCCESS } else { fail(1, &failures) }
        }
    }
}

fn fail(status: u8, reasons: &[impl std::fmt::Display]) -> ExitCode {
    for reason in reasons {
        let _ = writeln!(io::stderr(), "golden: {reason}");
    }
    ExitCode::from(status)
}
