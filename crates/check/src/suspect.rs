//! Relations of a wrong gradient to the right one.

use crate::parts::Part;
use crate::pattern::Pattern;

/// A gradient of one tensor, and the values that it is compared with.
pub(crate) struct Suspect<'a> {
    pub(crate) part: &'a Part,
    /// The gradient under test.
    pub(crate) found: &'a [f64],
    /// The right gradient.
    pub(crate) right: &'a [f64],
    /// The contribution of each sample of the batch.
    pub(crate) samples: &'a [Vec<f64>],
    /// The contribution of each use.
    pub(crate) uses: &'a [Vec<f64>],
    /// The functions that read it, element by element, and the cotangents of their values.
    pub(crate) readers: &'a [(&'static str, Vec<f64>)],
    /// The right gradients of other tensors of its shape.
    pub(crate) others: &'a [(String, Vec<f64>)],
}

/// Two gradients are taken for related if they agree to this, relative to the larger.
const CLOSE: f64 = 1e-6;

impl Suspect<'_> {
    /// The relation that holds, the most telling first.
    pub(crate) fn pattern(&self) -> Option<Pattern> {
        let (found, right) = (self.found, self.right);
        if found.iter().any(|x| !x.is_finite()) {
            return Some(Pattern::NotFinite);
        }
        if found.iter().all(|&x| x == 0.0) {
            return Some(Pattern::Zero);
        }
        let wrong: Vec<usize> =
            (0..found.len()).filter(|&i| !close(&found[i..=i], &right[i..=i], largest(right))).collect();
        if wrong.is_empty() {
            // Of a gradient that vanishes over time, early steps are small beside late ones.
            return self.slight().or_else(|| self.in_time());
        }
        if wrong.len() == 1 && found.len() > 2 {
            return Some(Pattern::OneElement);
        }
        if largest(right) <= CLOSE * largest(found) {
            return Some(Pattern::Flat);
        }
        if wrong.iter().all(|&i| right[i] == 0.0) {
            return Some(Pattern::Leak);
        }
        let in_time = self.in_time();
        if matches!(in_time, Some(Pattern::ZeroSteps { .. })) {
            return in_time;
        }
        if let Some(factor) = self.factor() {
            return Some(if close(&[factor], &[-1.0], 1.0) {
                Pattern::Sign
            } else {
                Pattern::Factor(factor)
            });
        }
        if found.iter().zip(right).all(|(f, r)| close(&[f.abs()], &[r.abs()], largest(right))) {
            return Some(Pattern::Signs);
        }
        let same = |other: &[f64]| close(found, other, largest(right).max(largest(other)));
        if self.transposed().is_some_and(|right| same(&right)) {
            return Some(Pattern::Transposed);
        }
        if let Some(n) =
            self.samples.iter().position(|sample| same(sample)).filter(|_| self.samples.len() > 1)
        {
            return Some(Pattern::OneSample(n));
        }
        if let Some(index) = self
            .uses
            .iter()
            .position(|of| same(of))
            .filter(|_| self.uses.len() > 1 && self.part.time.is_none())
        {
            return Some(Pattern::OneUse { index, of: self.uses.len() });
        }
        if let Some(index) = self.uses.iter().position(|of| {
            let whole: Vec<f64> = found.iter().zip(of).map(|(found, of)| found + of).collect();
            self.uses.len() > 1 && close(&whole, right, largest(right).max(largest(of)))
        }) {
            return Some(Pattern::LostUse { index, of: self.uses.len() });
        }
        if let Some((function, _)) = self.readers.iter().find(|(_, dy)| same(dy)) {
            return Some(Pattern::OwnDerivative(function));
        }
        if let Some((name, _)) = self.others.iter().find(|(_, other)| same(other)) {
            return Some(Pattern::Other(name.clone()));
        }
        in_time.or_else(|| self.part_of(&wrong))
    }

    /// The rows or columns that all wrong elements lie in.
    fn part_of(&self, wrong: &[usize]) -> Option<Pattern> {
        let &[rows, .., columns] = &self.part.shape[..] else { return None };
        let row = |i: usize| i / (self.found.len() / rows);
        let mut wrong_rows: Vec<usize> = wrong.iter().map(|&i| row(i)).collect();
        wrong_rows.dedup();
        if 2 * wrong_rows.len() <= rows {
            return Some(Pattern::Rows(wrong_rows));
        }
        let (first, last) =
            (wrong.iter().map(|i| i % columns).min()?, wrong.iter().map(|i| i % columns).max()?);
        (4 * (last + 1 - first) <= 3 * columns).then_some(Pattern::Columns { first, last })
    }

    /// The relation where all elements are right to 6 digits: that of the differences.
    fn slight(&self) -> Option<Pattern> {
        let d: Vec<f64> = self.found.iter().zip(self.right).map(|(f, r)| f - r).collect();
        let (over, under) =
            d.iter().zip(self.right).fold((0.0, 0.0), |(over, under), (d, r)| (over + d * r, under + r * r));
        let k = over / under;
        let rest = d.iter().zip(self.right).map(|(d, r)| (d - k * r).abs()).fold(0.0, f64::max);
        if rest <= 1e-3 * largest(&d) && d.len() > 1 {
            return Some(Pattern::Factor(1.0 + k));
        }
        let last = 2.0_f64.powi(-22);
        let single = d.iter().zip(self.right).all(|(d, r)| d.abs() <= last * r.abs());
        single.then_some(Pattern::SinglePrecision)
    }

    /// The constant `k` of `found = k · right`.
    fn factor(&self) -> Option<f64> {
        let (over, under) = self
            .found
            .iter()
            .zip(self.right)
            .fold((0.0, 0.0), |(over, under), (f, r)| (over + f * r, under + r * r));
        let k: f64 = over / under;
        let scaled: Vec<f64> = self.right.iter().map(|right| k * right).collect();
        let holds = self.found.len() > 1 && k.is_finite() && k != 0.0 && !close(&[k], &[1.0], 1.0);
        (holds && close(self.found, &scaled, largest(&scaled))).then_some(k)
    }

    fn transposed(&self) -> Option<Vec<f64>> {
        let &[rows, columns] = &self.part.shape[..] else { return None };
        let at = |i: usize| self.right[i % rows * columns + i / rows];
        (rows == columns && rows > 1).then(|| (0..rows * columns).map(at).collect())
    }

    /// Patterns along the time axis.
    fn in_time(&self) -> Option<Pattern> {
        let steps = self.part.steps().filter(|&steps| steps > 1)?;
        let row = |of: &[f64], step: usize| -> Vec<f64> {
            let here = |&i: &usize| self.part.step(self.part.range.start + i) == Some(step);
            (0..of.len()).filter(here).map(|i| of[i]).collect()
        };
        let (found, right): (Vec<_>, Vec<_>) =
            (0..steps).map(|step| (row(self.found, step), row(self.right, step))).unzip();
        let same = |f: usize, r: usize| close(&found[f], &right[r], largest(&right[r]));
        let wrong: Vec<usize> = (0..steps).filter(|&step| !same(step, step)).collect();
        if wrong.iter().all(|&step| found[step].iter().all(|&x| x == 0.0)) {
            return Some(Pattern::ZeroSteps { first: *wrong.first()?, last: *wrong.last()? });
        }
        if (0..steps).all(|step| same(step, steps - 1 - step)) {
            return Some(Pattern::Reversed);
        }
        let shifted =
            |ahead: bool| (0..steps - 1).all(|i| if ahead { same(i, i + 1) } else { same(i + 1, i) });
        if shifted(true) || shifted(false) {
            return Some(Pattern::Shifted);
        }
        let from = wrong.last()? + 1;
        (from < steps && wrong.len() == from).then_some(Pattern::Carried { from })
    }
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

fn close(a: &[f64], b: &[f64], magnitude: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= CLOSE * magnitude)
}
