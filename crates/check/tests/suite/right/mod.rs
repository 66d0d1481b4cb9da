//! Right layers that are hard on a checker: none is reported, and what is not verified is known.

mod composed;
mod functions;
mod kinks;
mod rounding;
mod scales;

use retrograde_check::{Error, Report, Verdict};

/// A right layer and what its check returns.
type Case = (&'static str, fn() -> Result<Report, Error>);

/// Layers of which some elements move no output, so that nothing can be said of them.
const SILENT: &[&str] = &["dead relu", "unused parameter", "a mask that hides a column"];

/// The checks of one expression of named inputs.
macro_rules! expression {
    ($($name:literal = $value:expr),+; |$x:ident| $y:expr) => {
        retrograde_check::Check::new()$(.input($name, $value))+.run(|_, $x| Ok([("y", $y)].into()))
    };
}
use expression;

fn judge(cases: &[Case]) {
    let mut reported = Vec::new();
    for (name, check) in cases {
        match check() {
            Ok(report) if !report.is_ok() => reported.push(format!("{name}: {report}")),
            Ok(report) => {
                let silent = report.rows().iter().any(|row| row.verdict == Verdict::NotVerifiable);
                if silent != SILENT.contains(name) {
                    reported.push(format!("{name}, not verified: {report}"));
                }
            }
            Err(error) => reported.push(format!("{name}: {error}")),
        }
    }
    assert!(
        reported.is_empty(),
        "{} of {} right layers are reported:\n{}",
        reported.len(),
        cases.len(),
        reported.join("\n")
    );
}

#[test]
fn derivatives_that_cancel() {
    judge(rounding::CASES);
}

#[test]
fn kinks_periods_and_jumps() {
    judge(kinks::CASES);
}

#[test]
fn mixed_scales_and_domains() {
    judge(scales::CASES);
}

#[test]
fn functions_of_other_precision() {
    judge(functions::CASES);
}

#[test]
fn layers_composed() {
    judge(composed::CASES);
}
