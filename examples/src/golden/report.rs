//! The results, kind by kind.

use std::fmt;

use super::{Comparison, Difference, TOLERANCE};

/// The kinds of cases of a folder, in the order in which they were met.
#[derive(Debug, Default)]
pub struct Report {
    rows: Vec<Row>,
}

/// One kind of case.
#[derive(Debug)]
pub struct Row {
    /// The kind: the name of an operation or of a cell.
    pub kind: String,
    /// The number of cases.
    pub cases: usize,
    /// The tensor that is farthest off, as `case/tensor`, and how far; `None` if the kind was skipped.
    pub worst: Option<(String, Difference)>,
}

impl Report {
    /// The rows of the table.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The number of cases run.
    pub fn compared(&self) -> usize {
        self.rows.iter().filter(|row| row.worst.is_some()).map(|row| row.cases).sum()
    }

    /// The number of cases skipped.
    pub fn skipped(&self) -> usize {
        self.rows.iter().filter(|row| row.worst.is_none()).map(|row| row.cases).sum()
    }

    /// The faults, one line for each kind that is off by more than [`TOLERANCE`].
    pub fn failures(&self) -> Vec<String> {
        let worst = self.rows.iter().filter_map(|row| row.worst.as_ref());
        let failed = worst.filter(|(_, difference)| difference.size() > TOLERANCE);
        failed.map(|(tensor, difference)| format!("{tensor}: {difference}")).collect()
    }

    pub(super) fn skip(&mut self, kind: &str) {
        self.row(kind).cases += 1;
    }

    pub(super) fn compare(&mut self, kind: &str, case: &str, comparison: Comparison) {
        let row = self.row(kind);
        row.cases += 1;
        if let Some((tensor, difference)) = comparison.worst()
            && row.worst.as_ref().is_none_or(|(_, worst)| difference.size() > worst.size())
        {
            row.worst = Some((format!("{case}/{tensor}"), difference));
        }
    }

    fn row(&mut self, kind: &str) -> &mut Row {
        let at = self.rows.iter().position(|row| row.kind == kind).unwrap_or_else(|| {
            self.rows.push(Row { kind: kind.into(), cases: 0, worst: None });
            self.rows.len() - 1
        });
        &mut self.rows[at]
    }
}

/// The table, 80 columns wide, and a line that sums it up.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.rows.iter().map(|row| row.kind.chars().count()).max().unwrap_or(0).max(20);
        writeln!(f, "{:<width$}  cases  worst relative error  in", "kind")?;
        writeln!(f, "{}", "─".repeat(80))?;
        for Row { kind, cases, worst } in &self.rows {
            let (error, tensor) = match worst {
                Some((tensor, difference)) if difference.size() > 0.0 => {
                    (format!("{:.1e}", difference.size()), tensor.as_str())
                }
                Some(_) => ("0".into(), ""),
                None => ("skipped".into(), ""),
            };
            let line = format!("{kind:<width$}  {cases:>5}  {error:>20}  {tensor}");
            writeln!(f, "{}", line.trim_end())?;
        }
        writeln!(f, "{}", "─".repeat(80))?;
        let (failures, compared, skipped) = (self.failures().len(), self.compared(), self.skipped());
        match failures {
            0 => write!(f, "{compared} cases agree to a relative error of {TOLERANCE:e}")?,
            1 => write!(f, "1 kind does not agree to a relative error of {TOLERANCE:e}")?,
            _ => write!(f, "{failures} kinds do not agree to a relative error of {TOLERANCE:e}")?,
        }
        writeln!(f, "; {skipped} skipped")
    }
}
