//! The findings of a check, as a value.

use crate::findings::{
    Accuracy, Entry, Jacobian, Kink, Mismatch, NotApplicable, NotVerifiable, Oracle, Row, Verdict,
};
use crate::noise::Precision;
use crate::{Pattern, Taylor};

/// The findings of a check. It prints as a table, which is the same on every processor; `{:#}` gives each time step a
/// line, and numbers that are rounding too.
#[derive(Clone, Debug)]
#[must_use = "a report says nothing unless it is read: assert_ok()"]
pub struct Report {
    pub(crate) seed: u64,
    pub(crate) directions: usize,
    pub(crate) points: usize,
    /// Of finite differences, and of the exact oracles.
    pub(crate) tolerances: [f64; 2],
    pub(crate) runs: usize,
    pub(crate) outputs: Vec<String>,
    pub(crate) jacobian: Option<Jacobian>,
    pub(crate) precision: Option<Precision>,
    pub(crate) accuracy: Vec<Accuracy>,
    pub(crate) rows: Vec<Row>,
    pub(crate) mismatches: Vec<Mismatch>,
    pub(crate) kinks: Vec<Kink>,
    pub(crate) not_verifiable: Vec<NotVerifiable>,
    pub(crate) not_applicable: Vec<NotApplicable>,
    pub(crate) guesses: Vec<String>,
    pub(crate) cuts: Vec<String>,
    pub(crate) taylor: Vec<Taylor>,
    pub(crate) entries: Vec<Entry>,
}

impl Report {
    /// Whether there is no mismatch.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.mismatches.is_empty()
    }

    /// Panics with the report if there is a mismatch, or if nothing was verified at all. Where some elements were not, it
    /// says so on standard error, in the first line of the report; [`assert_verified`](Self::assert_verified) panics then.
    ///
    /// # Panics
    /// If there is a mismatch, or if no element was verified: no output moves, or no oracle resolves any gradient.
    #[track_caller]
    pub fn assert_ok(&self) {
        assert!(self.is_ok() && !self.is_silent(), "{self}");
        if self.unverified() > 0 {
            eprintln!("{}", self.headline());
        }
    }

    /// Whether nothing was verified at all.
    pub(crate) fn is_silent(&self) -> bool {
        self.rows.iter().all(|row| row.verdict == Verdict::NotVerifiable)
    }

    /// Panics with the report unless every element was verified.
    ///
    /// # Panics
    /// If there is a mismatch, or an element that was not verified: no output moves with it, no oracle resolves it, or
    /// there is a kink.
    #[track_caller]
    pub fn assert_verified(&self) {
        assert!(self.is_ok() && self.unverified() == 0, "{self}");
    }

    /// The number of elements that were not verified: no output moves with them, no oracle resolves them, or there is a
    /// kink.
    #[must_use]
    pub fn unverified(&self) -> usize {
        self.unverified_by_name().iter().map(|(_, elements)| elements).sum()
    }

    pub(crate) fn unverified_by_name(&self) -> Vec<(&str, usize)> {
        let mut by_name: Vec<(&str, usize)> = Vec::new();
        // What is verified at one of several points counts.
        let open = |row: &&Row| matches!(row.verdict, Verdict::NotVerifiable | Verdict::Kink);
        for row in self.rows.iter().filter(open) {
            let here = |name: &str, step: Option<usize>| *name == row.name && step == row.step;
            let silent = self.not_verifiable.iter().filter(|found| !found.adjoint);
            let silent = silent.filter(|found| here(&found.name, found.step)).map(|found| found.elements);
            let kinks = self.kinks.iter().filter(|kink| here(&kink.name, kink.step)).count();
            let elements = silent.max().unwrap_or(0).max(kinks);
            match by_name.last_mut() {
                _ if elements == 0 => {}
                Some((name, sum)) if *name == row.name => *sum += elements,
                _ => by_name.push((&row.name, elements)),
            }
        }
        by_name
    }

    /// The number of bits to which the forward pass was found to compute, where it is not that of a double.
    #[must_use]
    pub fn bits(&self) -> Option<u32> {
        self.precision.map(|precision| precision.bits)
    }

    /// The tensors whose gradient can be judged less exactly than others, since the derivative of an operation cancels.
    #[must_use]
    pub fn accuracy(&self) -> &[Accuracy] {
        &self.accuracy
    }

    /// Every mismatch, worst first.
    #[must_use]
    pub fn mismatches(&self) -> &[Mismatch] {
        &self.mismatches
    }

    /// Every kink that was met.
    #[must_use]
    pub fn kinks(&self) -> &[Kink] {
        &self.kinks
    }

    /// Every block that finite differences could not verify.
    #[must_use]
    pub fn not_verifiable(&self) -> &[NotVerifiable] {
        &self.not_verifiable
    }

    /// Every oracle that has nothing to say about a tensor.
    #[must_use]
    pub fn not_applicable(&self) -> &[NotApplicable] {
        &self.not_applicable
    }

    /// All blocks, in the order in which they were listed.
    #[must_use]
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The full Jacobian, if it was compared.
    #[must_use]
    pub fn jacobian(&self) -> Option<Jacobian> {
        self.jacobian
    }

    /// Every entry of the Jacobian, row by row, if the check [keeps](crate::Check::keep_entries) them.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The Taylor table of each tensor, if the check was [asked](crate::Check::taylor) for them.
    #[must_use]
    pub fn taylor(&self) -> &[Taylor] {
        &self.taylor
    }

    /// Source lines where a value that depends on the inputs was recorded as a constant, so that no gradient flows.
    /// They are looked for where a gradient that the tape derives is wrong.
    #[must_use]
    pub fn cuts(&self) -> &[String] {
        &self.cuts
    }

    /// The seed of all random directions and cotangents.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The oracles that disagree with the gradient somewhere.
    #[must_use]
    pub fn caught_by(&self) -> Vec<Oracle> {
        let mut oracles: Vec<_> = self.mismatches.iter().flat_map(|found| found.oracles.clone()).collect();
        oracles.sort_unstable();
        oracles.dedup();
        oracles
    }

    /// The names of the tensors whose gradient is wrong, in the order in which they were listed.
    #[must_use]
    pub fn wrong(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.rows.iter().map(|row| row.name.as_str()).collect();
        names.dedup();
        names.retain(|name| self.mismatches.iter().any(|found| found.name == *name));
        names
    }

    /// The guess at what is wrong with the gradient of a tensor.
    #[must_use]
    pub fn pattern(&self, name: &str) -> Option<&Pattern> {
        self.mismatches.iter().find(|found| found.name == name)?.pattern.as_ref()
    }
}
