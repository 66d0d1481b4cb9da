//! Curves, and how far they are from those of others.

use std::fmt;

/// The curve of a training beside the expected one.
#[derive(Clone, Debug)]
pub struct Curve {
    /// The training.
    pub case: String,
    /// The quantity.
    pub of: &'static str,
    /// The meaning of one number.
    pub unit: Unit,
    /// The numbers expected.
    pub expected: Vec<f64>,
    /// The numbers found.
    pub found: Vec<f64>,
    /// The largest relative error at which the two count as equal.
    pub bar: f64,
    /// The count of numbers compared, from the first on: beyond them rounding decides.
    pub compared: usize,
}

/// The meaning of a number of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// One update of the weights.
    Step,
    /// One turn through the data.
    Epoch,
}

impl Curve {
    /// A curve that is compared from end to end.
    pub fn new(
        case: String,
        of: &'static str,
        unit: Unit,
        expected: Vec<f64>,
        found: Vec<f64>,
        bar: f64,
    ) -> Self {
        let compared = expected.len();
        Curve { case, of, unit, expected, found, bar, compared }
    }

    /// The place, from 0, where the two are farthest apart of what is compared, and the relative error there. It is
    /// infinite where one is not a number.
    pub fn worst(&self) -> (usize, f64) {
        self.worst_of(0, self.compared)
    }

    fn worst_of(&self, from: usize, to: usize) -> (usize, f64) {
        let error = |(found, expected): (&f64, &f64)| {
            let error = (found - expected).abs() / expected.abs();
            if error.is_nan() { f64::INFINITY } else { error }
        };
        let errors = self.found.iter().zip(&self.expected).map(error).enumerate();
        let errors = errors.take(to).skip(from);
        errors.fold((from, 0.0), |worst, here| if here.1 > worst.1 { here } else { worst })
    }

    /// Whether as many numbers as expected were found, and all that are compared, at least half, are near enough.
    pub fn is_ok(&self) -> bool {
        let (found, expected) = (self.found.len(), self.expected.len());
        found == expected && 2 * self.compared >= expected && self.worst().1 <= self.bar
    }

    /// The fault.
    fn failure(&self) -> String {
        let Curve { case, of, unit, expected, found, bar, compared } = self;
        if found.len() != expected.len() {
            return format!("{case}: expected a {of} for {} {unit}s, found {}", expected.len(), found.len());
        }
        if 2 * compared < expected.len() {
            let half = expected.len().div_ceil(2);
            return format!(
                "{case}: expected {half} {unit}s before rounding decides the {of}, found {compared}"
            );
        }
        let (at, error) = self.worst();
        let (found, expected) = (found[at], expected[at]);
        format!(
            "{case}: expected the {of} of {unit} {at} within a relative {bar:e} of {expected}, \
             found {found}, off by {error:.1e}"
        )
    }
}

/// The curves of all trainings of a folder.
#[derive(Clone, Debug, Default)]
pub struct Curves(pub Vec<Curve>);

impl Curves {
    /// The faults, one line for each curve that is too far off.
    pub fn failures(&self) -> Vec<String> {
        self.0.iter().filter(|curve| !curve.is_ok()).map(Curve::failure).collect()
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Unit::Step => "step",
            Unit::Epoch => "epoch",
        })
    }
}

/// The table, 80 columns wide, and a line that sums it up.
impl fmt::Display for Curves {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rule = "─".repeat(80);
        writeln!(
            f,
            "{:<20}  {:<14}  {:>16}  {:>9}  {:>6}  ok",
            "training", "curve", "compared", "worst", "bar"
        )?;
        writeln!(f, "{rule}")?;
        for curve in &self.0 {
            let Curve { case, of, unit, expected, bar, compared, .. } = curve;
            let all = expected.len();
            let length = if *compared == all {
                format!("{all} {unit}s")
            } else {
                format!("{compared} of {all} {unit}s")
            };
            let (error, ok) = (curve.worst().1, if curve.is_ok() { "yes" } else { "NO" });
            writeln!(f, "{case:<20}  {of:<14}  {length:>16}  {error:>9.1e}  {bar:>6.0e}  {ok}")?;
        }
        writeln!(f, "{rule}")?;
        for curve in self.0.iter().filter(|curve| curve.compared < curve.expected.len()) {
            let Curve { case, unit, compared, .. } = curve;
            let beyond = curve.worst_of(*compared, curve.expected.len()).1;
            writeln!(
                f,
                "{case}: rounding decides from {unit} {compared} on; there off by up to {beyond:.1e}"
            )?;
        }
        match self.failures().len() {
            0 => writeln!(f, "{} curves of trainings agree", self.0.len()),
            failures => writeln!(f, "{failures} of {} curves of trainings do not agree", self.0.len()),
        }
    }
}
