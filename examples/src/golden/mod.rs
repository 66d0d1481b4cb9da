//! Values that are not ours: cases and trainings computed by others, run through `retrograde` and compared.
//!
//! A folder holds pairs of files, `ops.json` and `ops.safetensors`, `cells.json` and `cells.safetensors`: a manifest
//! that lists cases, and their arrays under `case/tensor`. Each kind of case has one function that runs it, found by
//! name in [`ops`] and [`cells`]; kinds that have none are counted as skipped. [`Trainings`] are files of their own.

mod case;
pub mod cells;
mod comparison;
mod error;
pub mod ops;
mod report;
mod torch;
mod training;

use std::fs;
use std::path::Path;

use retrograde::nn::weights::Weights;
use serde_json::Value;

pub use case::Case;
pub use comparison::{Comparison, Difference};
pub use error::Error;
pub use report::{Report, Row};
pub use training::{Curve, Curves, Trainings, Unit};

/// The largest relative error at which values count as equal.
pub const TOLERANCE: f64 = 1e-10;

/// Runs one case and compares what comes out.
pub type Runner = fn(&Case<'_>, &mut Comparison) -> Result<(), Error>;

/// A file of cases: its name, the field of a case that names its kind, and who runs that kind.
struct Cases {
    stem: &'static str,
    kind: &'static str,
    runner: fn(&str) -> Option<Runner>,
}

const CASES: [Cases; 2] = [
    Cases { stem: "ops", kind: "op", runner: ops::runner },
    Cases { stem: "cells", kind: "kind", runner: cells::runner },
];

/// Runs every case of a folder, but for trainings.
///
/// # Errors
/// If the folder, a file, a case or an array is not there or is not of the form above, or if no case could be run.
pub fn run(folder: &Path) -> Result<Report, Error> {
    if !folder.is_dir() {
        return Err(Error::NoFolder { path: folder.to_owned() });
    }
    let mut report = Report::default();
    for cases in &CASES {
        cases.run(folder, &mut report)?;
    }
    if report.compared() == 0 {
        return Err(Error::NothingToRun { path: folder.to_owned() });
    }
    Ok(report)
}

impl Cases {
    fn run(&self, folder: &Path, report: &mut Report) -> Result<(), Error> {
        let path = folder.join(format!("{}.json", self.stem));
        let manifest = read(&path)?;
        let arrays = Weights::load(folder.join(format!("{}.safetensors", self.stem)))?;
        let wrong = |field, expected, value| Error::In {
            place: path.display().to_string(),
            source: Box::new(Error::field(field, expected, value)),
        };
        let list = &manifest["cases"];
        for fields in list.as_array().ok_or_else(|| wrong("cases", "a list", list))? {
            let name = &fields["case"];
            let name = name.as_str().ok_or_else(|| wrong("case", "a string", name))?;
            let case = Case::new(name, fields, &arrays);
            self.run_case(&case, report).map_err(|source| Error::In {
                place: format!("{}, case {name}", path.display()),
                source: Box::new(source),
            })?;
        }
        Ok(())
    }

    fn run_case(&self, case: &Case<'_>, report: &mut Report) -> Result<(), Error> {
        let kind = case.text(self.kind)?;
        match (self.runner)(kind) {
            None => report.skip(kind),
            Some(run) => {
                let mut comparison = Comparison::default();
                run(case, &mut comparison)?;
                report.compare(kind, case.name(), comparison);
            }
        }
        Ok(())
    }
}

fn read(path: &Path) -> Result<Value, Error> {
    let path = || path.to_owned();
    let bytes = fs::read(path()).map_err(|error| Error::Unreadable { path: path(), kind: error.kind() })?;
    serde_json::from_slice(&bytes).map_err(|source| Error::NotJson { path: path(), source })
}
