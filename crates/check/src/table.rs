//! The text of a report, in 80 columns.

use std::fmt;

use crate::findings::{Oracle, Row, Verdict};
use crate::noise::Precision;
use crate::report::Report;

/// The number of mismatches, kinks and blocks that are listed before the rest is only counted.
const LISTED: usize = 10;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let elements: usize = self.rows.iter().map(|row| row.elements).sum();
        writeln!(f, "{}", self.headline())?;
        let (runs, seed, directions) = (self.runs, self.seed, self.directions);
        let points = if self.points > 1 { format!("{} points, ", self.points) } else { String::new() };
        write!(f, "{elements} elements, {points}{directions} directions, seed {seed}")?;
        // How often finite differences halve a step depends on rounding.
        if f.alternate() {
            write!(f, ", {runs} forward passes")?;
        }
        writeln!(f)?;
        writeln!(f, "outputs: {}", self.outputs.join(", "))?;
        if let Some(Precision { bits, tolerance }) = self.precision {
            writeln!(f, "forward computes in {bits} bits; tolerances {tolerance:.0e}")?;
        }
        if let Some(jacobian) = self.jacobian {
            write!(f, "full Jacobian: {} x {}", jacobian.outputs, jacobian.inputs)?;
            if jacobian.below_noise > 0 {
                let below = jacobian.below_noise;
                write!(f, ", {below} entries below the noise of finite differences")?;
            }
            writeln!(f)?;
        }
        self.table(f)?;
        self.wrong_elements(f)?;
        if !self.cuts.is_empty() {
            writeln!(f, "\nconstants on the tape that move with the inputs, where no gradient flows:")?;
            list(f, &self.cuts, |f, cut| writeln!(f, "  {cut}"))?;
        }
        if !self.accuracy.is_empty() {
            writeln!(f)?;
            list(f, &self.accuracy, |f, found| {
                let (name, cause) = (fit(&found.name, 16), fit(&found.cause, 30));
                let zero = |row: &Row| row.name != found.name || row.verdict == Verdict::ZeroUpToRounding;
                if self.rows.iter().all(zero) {
                    return writeln!(f, "{name}: zero up to rounding: {cause} cancels");
                }
                writeln!(f, "{name}: accurate to {:.0e} only: {cause} cancels", found.relative)
            })?;
        }
        for found in self.not_applicable.chunk_by(|a, b| (a.oracle, a.function) == (b.oracle, b.function)) {
            let names: Vec<&str> = found.iter().map(|found| found.name.as_str()).collect();
            let names = names.join(", ");
            writeln!(f, "\n{} not applicable: {}", found[0].oracle, fit(&names, 80 - 36))?;
            writeln!(f, "  {} has a backward pass of its own", found[0].function)?;
        }
        if !self.kinks.is_empty() {
            writeln!(f, "\nkinks: slopes to the left and to the right differ, the gradient lies between")?;
            list(f, &self.kinks, |f, kink| {
                let place = fit(&format!("{}{:?}", kink.name, kink.index), 26);
                let (left, right, analytic) = (kink.left, kink.right, kink.analytic);
                writeln!(f, "  {place:<26} left {left:>11.3e}  right {right:>11.3e}  found {analytic:>11.3e}")
            })?;
        }
        if !self.not_verifiable.is_empty() {
            writeln!(f, "\nnot verifiable by finite differences:")?;
            list(f, &self.not_verifiable, |f, found| {
                let step = found.step.map_or_else(String::new, |step| format!(" step {step}"));
                let place = fit(&format!("{}{step}", found.name), 16);
                let digits = found.floor / found.magnitude;
                let why = match (found.floor == 0.0, found.adjoint) {
                    (true, _) => "no output moves: not tested".to_owned(),
                    (_, true) => format!("good to {digits:.0e} only; the adjoint agrees"),
                    (_, false) => format!("good to {digits:.0e} only"),
                };
                writeln!(f, "  {place:<16} of {:<20} {why}", fit(&found.cotangent, 20))
            })?;
        }
        if !self.taylor.is_empty() {
            writeln!(f, "\nTaylor: the remainder is of order 2 with a right gradient g, 1 with a wrong one")?;
        }
        self.taylor.iter().try_for_each(|table| write!(f, "\n{table}"))?;
        Ok(())
    }
}

impl Report {
    /// The first line: what was found, and of how many elements nothing.
    pub(crate) fn headline(&self) -> String {
        format!("gradient check: {}", self.outcome())
    }

    fn outcome(&self) -> String {
        let silent = self.unverified();
        if !self.is_ok() {
            return "MISMATCH".to_owned();
        }
        if silent == 0 {
            return "ok".to_owned();
        }
        let elements: usize = self.rows.iter().map(|row| row.elements).sum();
        let names: Vec<&str> = self.unverified_by_name().into_iter().map(|(name, _)| name).collect();
        let outcome = if self.is_silent() { "NOTHING VERIFIED" } else { "ok" };
        let outcome =
            format!("{outcome}, {silent} of {elements} elements not verified: {}", names.join(", "));
        fit(&outcome, 64)
    }

    /// One line a tensor, or one a time step where `{:#}` asks for it or a step is wrong.
    fn table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let oracles: Vec<Oracle> =
            [Oracle::Differences, Oracle::Adjoint, Oracle::Tape, Oracle::SecondOrder, Oracle::Linearity]
                .into_iter()
                .filter(|oracle| self.rows.iter().any(|row| row.measures.iter().any(|(of, _)| of == oracle)))
                .collect();
        write!(f, "\n{:<14} {:>5} {:>9}", "", "step", "|grad|")?;
        oracles.iter().try_for_each(|oracle| write!(f, " {:>9}", oracle.heading()))?;
        writeln!(f, "  verdict")?;
        for rows in self.rows.chunk_by(|a, b| a.name == b.name) {
            let split = rows.iter().any(|row| row.verdict != rows[0].verdict);
            if rows.len() == 1 || f.alternate() || split && rows.len() <= 32 {
                rows.iter().try_for_each(|row| row.print(f, &oracles, self.tolerances))?;
            } else {
                Row::worst(rows).print(f, &oracles, self.tolerances)?;
            }
        }
        Ok(())
    }

    fn wrong_elements(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.mismatches.is_empty() {
            return Ok(());
        }
        if !self.guesses.is_empty() {
            writeln!(f)?;
        }
        self.guesses.iter().try_for_each(|guess| writeln!(f, "{guess}"))?;
        writeln!(
            f,
            "\n{:<18} {:>11} {:>11} {:>8} {:>8}  cotangent",
            "worst first", "found", "expected", "abs", "rel"
        )?;
        list(f, &self.mismatches, |f, found| {
            let place = match (&found.index, found.step) {
                (Some(index), _) => format!("{}{index:?}", found.name),
                (None, Some(step)) => format!("{} step {step}", found.name),
                (None, None) => format!("{} (a direction)", found.name),
            };
            let (place, cotangent) = (fit(&place, 18), fit(&found.cotangent, 17));
            let (analytic, numeric) = (found.analytic, found.numeric);
            let (absolute, relative) = (found.absolute, found.relative);
            writeln!(
                f,
                "{place:<18} {analytic:>11.4e} {numeric:>11.4e} {absolute:>8.1e} {relative:>8.1e}  {cotangent}"
            )
        })
    }
}

impl Row {
    fn print(&self, f: &mut fmt::Formatter<'_>, oracles: &[Oracle], tolerances: [f64; 2]) -> fmt::Result {
        let step = self.step.map_or_else(String::new, |step| step.to_string());
        write!(f, "{:<14} {step:>5} {:>9.2e}", fit(&self.name, 14), self.magnitude)?;
        for oracle in oracles {
            match self.measures.iter().find(|(of, _)| of == oracle) {
                // Beneath the tolerance lies rounding, which is another on each processor.
                Some((_, measure)) if !f.alternate() && measure.relative <= oracle.tolerance(tolerances) => {
                    write!(f, " {:>9}", format!("<{:.0e}", oracle.tolerance(tolerances)))?;
                }
                Some((_, measure)) => write!(f, " {:>9.1e}", measure.relative)?,
                None => write!(f, " {:>9}", "-")?,
            }
        }
        writeln!(f, "  {}", self.verdict)
    }

    /// The time steps of a sequence in one line: the worst of each column.
    fn worst(rows: &[Row]) -> Row {
        let mut worst = rows[0].clone();
        worst.step = None;
        for row in &rows[1..] {
            worst.elements += row.elements;
            worst.magnitude = worst.magnitude.max(row.magnitude);
            worst.verdict = worst.verdict.max(row.verdict);
            for &(oracle, measure) in &row.measures {
                match worst.measures.iter_mut().find(|(of, _)| *of == oracle) {
                    Some((_, known)) => known.relative = known.relative.max(measure.relative),
                    None => worst.measures.push((oracle, measure)),
                }
            }
        }
        worst
    }
}

impl Oracle {
    fn tolerance(self, [differences, exact]: [f64; 2]) -> f64 {
        match self {
            Oracle::Differences | Oracle::SecondOrder => differences,
            Oracle::Adjoint | Oracle::Tape | Oracle::Linearity => exact,
        }
    }

    fn heading(self) -> &'static str {
        match self {
            Oracle::Differences => "differ.",
            Oracle::Adjoint => "adjoint",
            Oracle::Tape => "tape",
            Oracle::SecondOrder => "2nd order",
            Oracle::Linearity => "linear",
        }
    }
}

impl fmt::Display for Oracle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Oracle::Differences => "finite differences",
            Oracle::Adjoint => "adjoint identity",
            Oracle::Tape => "the tape",
            Oracle::SecondOrder => "second order",
            Oracle::Linearity => "linearity",
        })
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Verdict::Verified => "ok",
            Verdict::ZeroUpToRounding => "zero (rounding)",
            Verdict::AdjointOnly => "adjoint only",
            Verdict::NotVerifiable => "not verifiable",
            Verdict::Kink => "kink",
            Verdict::Mismatch => "WRONG",
        })
    }
}

/// The first few of many.
fn list<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    mut line: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for item in items.iter().take(LISTED) {
        line(f, item)?;
    }
    match items.len().saturating_sub(LISTED) {
        0 => Ok(()),
        more => writeln!(f, "  and {more} more"),
    }
}

/// A name within a column.
fn fit(name: &str, width: usize) -> String {
    if name.chars().count() <= width {
        return name.to_owned();
    }
    name.chars().take(width - 1).chain(['…']).collect()
}
