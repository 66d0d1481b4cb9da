//! A guess at what is wrong: how a gradient that differs is related to the one that it should be.

use std::fmt;

use crate::problem::Part;

/// The relation of a wrong gradient to the right one.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Pattern {
    /// It is infinite or NaN.
    NotFinite,
    /// All of it is zero: the path was detached, or the gradient never stored.
    Zero,
    /// It is zero at some time steps only: the path was detached between two steps.
    ZeroSteps {
        /// The first of the steps.
        first: usize,
        /// The last of the steps.
        last: usize,
    },
    /// It has the wrong sign.
    Sign,
    /// It is a constant multiple.
    Factor(f64),
    /// It is transposed.
    Transposed,
    /// Its time runs backwards.
    Reversed,
    /// It is that of a neighbouring time step.
    Shifted,
    /// It is the contribution of one sample: the sum over the batch is missing.
    OneSample(usize),
    /// It is the contribution of one of several uses, such as one time step: overwritten instead of summed.
    OneUse {
        /// The use, in order of execution.
        index: usize,
        /// The number of uses.
        of: usize,
    },
    /// One element differs, the others are right.
    OneElement,
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Pattern::NotFinite => write!(f, "not finite"),
            Pattern::Zero => write!(f, "all zero: detached, or never stored"),
            Pattern::ZeroSteps { first, last } if first == last => {
                write!(f, "zero at step {first}: detached")
            }
            Pattern::ZeroSteps { first, last } => write!(f, "zero at steps {first} to {last}: detached"),
            Pattern::Sign => write!(f, "the sign is wrong"),
            Pattern::Factor(k) => write!(f, "constant factor {}", (k * 1e6).round() / 1e6),
            Pattern::Transposed => write!(f, "transposed"),
            Pattern::Reversed => write!(f, "reversed in time"),
            Pattern::Shifted => write!(f, "shifted by one time step"),
            Pattern::OneSample(n) => write!(f, "sample {n} only: the sum over the batch is missing"),
            Pattern::OneUse { index, of } => {
                write!(f, "use {index} of {of} only (one time step?): overwritten, not summed")
            }
            Pattern::OneElement => write!(f, "one element"),
        }
    }
}

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
        let wrong =
            (0..found.len()).filter(|&i| !close(&found[i..=i], &right[i..=i], largest(right))).count();
        if wrong == 1 && found.len() > 2 {
            return Some(Pattern::OneElement);
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
        in_time
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
        (shifted(true) || shifted(false)).then_some(Pattern::Shifted)
    }
}

fn largest(x: &[f64]) -> f64 {
    x.iter().fold(0.0, |largest, x| largest.max(x.abs()))
}

fn close(a: &[f64], b: &[f64], magnitude: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| (a - b).abs() <= CLOSE * magnitude)
}
