//! The findings of an example, and how it ends.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use serde_json::{Map, Value};

use crate::{Error, Result};

/// Every number that an example printed, and every comparison that failed.
#[derive(Clone, Debug, Default)]
pub struct Findings {
    numbers: Map<String, Value>,
    failures: Vec<String>,
}

impl Findings {
    /// Keeps what a part printed.
    pub fn record(&mut self, part: &str, numbers: Value) {
        self.numbers.insert(part.to_owned(), numbers);
    }

    /// Keeps a comparison that failed, in words.
    pub fn fail(&mut self, reason: impl Into<String>) {
        self.failures.push(reason.into());
    }

    /// The comparisons that failed.
    pub fn failures(&self) -> &[String] {
        &self.failures
    }

    /// Writes everything to a file as JSON.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut numbers = self.numbers.clone();
        numbers.insert("failures".to_owned(), self.failures.clone().into());
        let text = format!("{:#}\n", Value::Object(numbers));
        File::create(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .map_err(|source| Error::Unwritable { path: path.to_owned(), source })
    }
}

/// The exit status of an example, and what it says on standard error: 0 if all is well, 1 if a comparison failed,
/// 2 if it was asked for something that cannot be done.
pub fn finish(result: Result<Findings>) -> ExitCode {
    let (status, words) = verdict(result);
    for line in words {
        // Should standard error be closed, there is no one left to tell.
        let _ = writeln!(io::stderr(), "{line}");
    }
    ExitCode::from(status)
}

fn verdict(result: Result<Findings>) -> (u8, Vec<String>) {
    match result {
        Ok(Findings { failures, .. }) if failures.is_empty() => (0, failures),
        Ok(Findings { failures, .. }) => {
            (1, failures.into_iter().map(|reason| format!("failed: {reason}")).collect())
        }
        // The reader of a pipe has seen enough.
        Err(Error::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => (0, Vec::new()),
        Err(error) => (2, vec![format!("error: {error}")]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_comparison_ends_with_status_1_and_its_reason() {
        let mut findings = Findings::default();
        assert_eq!(verdict(Ok(findings.clone())), (0, vec![]));
        findings.fail("dWh: expected xᵀ·dt, found x·dt");
        assert_eq!(verdict(Ok(findings)), (1, vec!["failed: dWh: expected xᵀ·dt, found x·dt".to_owned()]));
    }

    #[test]
    fn bad_input_ends_with_status_2() {
        let error = Error::from(retrograde::nn::Error::EmptyWindow { batch: 0, steps: 3 });
        let words = "error: windows: expected at least 1 row and 1 step, found 0 and 3";
        assert_eq!(verdict(Err(error)), (2, vec![words.to_owned()]));
    }

    #[test]
    fn a_closed_pipe_is_no_error() {
        let closed = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(verdict(Err(Error::Output(closed))), (0, vec![]));
    }
}
