//! Finite differences: slopes of a vector-valued function along a line, with an estimate of their error.

use crate::Error;

/// Steps shrink by the golden ratio cubed a level: a function of any period sees no two of them alike.
const SHRINK: f64 = 0.236_067_977_499_789_7;
const LEVELS: usize = 8;

/// The sides of a point on which a function may be evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Sides {
    Both,
    Left,
    Right,
}

/// The slopes of several functions along one line at one point.
pub(crate) struct Slope {
    /// The slope.
    pub(crate) value: Vec<f64>,
    /// An estimate of its error: truncation by the disagreement of neighbours in the tableau, and rounding.
    pub(crate) error: Vec<f64>,
    /// The part of the error that is due to rounding, which no smaller step takes away.
    pub(crate) floor: Vec<f64>,
    /// The slopes to the left and to the right, where they stay apart however small the step.
    pub(crate) kink: Vec<Option<[f64; 2]>>,
    /// Whether anything moved at any step.
    pub(crate) moved: Vec<bool>,
    /// The first of the steps that it was found with.
    pub(crate) step: Vec<f64>,
}

/// A function of the distance `s` along a line, what is read off it, and how precisely.
pub(crate) struct Line<'a> {
    /// The outputs at a distance; NaN where the function is not defined.
    pub(crate) at: &'a mut dyn FnMut(f64) -> Result<Vec<f64>, Error>,
    /// The outputs at distance 0.
    pub(crate) origin: &'a [f64],
    /// The linear functions of a difference of outputs, one number each.
    pub(crate) read: &'a dyn Fn(&[f64]) -> Vec<f64>,
    /// The rounding error of one evaluation, a number for each function.
    pub(crate) rounding: &'a [f64],
    /// Errors that are small enough to stop at.
    pub(crate) wanted: &'a [f64],
    pub(crate) sides: Sides,
}

impl Slope {
    fn unknown(count: usize) -> Self {
        Slope {
            value: vec![f64::NAN; count],
            error: vec![f64::INFINITY; count],
            floor: vec![f64::INFINITY; count],
            kink: vec![None; count],
            moved: vec![false; count],
            step: vec![f64::NAN; count],
        }
    }

    /// Takes in the same slopes from other steps than `step`. Of the many numbers of a tableau two agree by chance now
    /// and then; two tableaux do not, so the error is no smaller than the distance between them.
    pub(crate) fn confirm(&mut self, step: f64, again: &Slope) {
        for p in (0..self.value.len()).filter(|&p| self.step[p] == step) {
            let apart = (self.value[p] - again.value[p]).abs();
            if apart.is_finite() {
                self.error[p] = self.error[p].max(apart);
            }
        }
    }

    /// Takes over what shorter steps say: where they contradict, they are right, since they see what the others jump over;
    /// elsewhere where their error is smaller.
    pub(crate) fn refine(&mut self, finer: &Slope) {
        for p in 0..self.value.len() {
            self.moved[p] |= finer.moved[p];
            let apart = (self.value[p] - finer.value[p]).abs();
            let contradicts = apart > 10.0 * (self.error[p] + finer.error[p]);
            if finer.error[p] < self.error[p] || contradicts && finer.error[p].is_finite() {
                // What two estimates differ by, neither is better than, unless one of them jumped over something.
                let apart = if contradicts || !apart.is_finite() { 0.0 } else { apart };
                (self.value[p], self.error[p]) = (finer.value[p], finer.error[p].max(apart));
                (self.floor[p], self.kink[p]) = (finer.floor[p], finer.kink[p]);
                self.step[p] = finer.step[p];
            }
        }
    }
}

impl Line<'_> {
    /// Differences from step `h`, extrapolated to step 0: central ones, or of one side at the edge of a domain.
    ///
    /// Outputs are subtracted before they are read, so what does not move cancels exactly.
    ///
    /// # Source
    /// L. Richardson (1911); the error estimate and the choice in the tableau by C. Ridders, *Accurate computation of
    /// F'(x) and F'(x) F''(x)* (1982).
    pub(crate) fn slope(&mut self, mut h: f64) -> Result<Slope, Error> {
        let count = self.rounding.len();
        let mut best = Slope { step: vec![h; count], ..Slope::unknown(count) };
        let mut above: Vec<Vec<f64>> = Vec::new();
        let mut gaps = vec![f64::INFINITY; count];
        let mut steeper = vec![false; count];
        // The error term of order j is one of `h^(2j)`, or of `h^j` where only one side counts.
        let order = if self.sides == Sides::Both { 2 } else { 1 };
        for level in 0..LEVELS {
            let [left, right] = self.sides(h)?;
            let mut row = vec![left.iter().zip(&right).map(|(l, r)| 0.5 * (l + r)).collect::<Vec<f64>>()];
            for j in 1..=level {
                let power = SHRINK.powi(-order * j as i32);
                let (finer, coarser) = (&row[j - 1], &above[j - 1]);
                row.push(finer.iter().zip(coarser).map(|(f, c)| f + (f - c) / (power - 1.0)).collect());
            }
            for i in 0..count {
                let floor = 2.0 * self.rounding[i] / h;
                for j in 1..=level {
                    let value = row[j][i];
                    let spread = [value - row[j - 1][i], value - above[j - 1][i]].map(f64::abs);
                    let error = spread[0].max(spread[1]).max(floor);
                    // A difference of NaN, from a step that left the domain, would not count in the maximum.
                    if spread.iter().all(|spread| spread.is_finite()) && error < best.error[i] {
                        (best.value[i], best.error[i], best.floor[i]) = (value, error, floor);
                    }
                }
                // The slope of a function that has none, such as a jump, grows with each step.
                steeper[i] = level > 0 && row[0][i].abs() > 1.8 * above[0][i].abs() + 16.0 * floor;
                best.moved[i] |= left[i] != 0.0 || right[i] != 0.0;
                best.kink[i] = kink(left[i], right[i], gaps[i], 8.0 * floor);
                gaps[i] = (right[i] - left[i]).abs();
            }
            // Rounding is all that is left of the error where it equals its floor.
            let rounded = |i: usize| best.error[i].is_finite() && best.error[i] == best.floor[i];
            let done = |i: usize| best.error[i] <= self.wanted[i] || rounded(i);
            if level >= 2 && (0..count).all(done) {
                break;
            }
            above = row;
            h *= SHRINK;
        }
        for i in (0..count).filter(|&i| steeper[i]) {
            (best.value[i], best.error[i]) = (f64::NAN, f64::INFINITY);
        }
        Ok(best)
    }

    /// The slopes to the left and to the right, where steps of 1e-5 and a hundredth of it agree that they differ.
    pub(crate) fn kinks(&mut self, scale: f64) -> Result<Vec<Option<[f64; 2]>>, Error> {
        let (coarse, fine) = (1e-5 * scale, 1e-7 * scale);
        let [left, right] = self.sides(coarse)?;
        let gaps: Vec<f64> = left.iter().zip(&right).map(|(l, r)| (r - l).abs()).collect();
        let [left, right] = self.sides(fine)?;
        let noise = self.rounding.iter().map(|rounding| 16.0 * rounding / fine);
        Ok(noise.enumerate().map(|(i, noise)| kink(left[i], right[i], gaps[i], noise)).collect())
    }

    /// The slopes of the chords to the left and to the right; the same twice where only one side counts.
    fn sides(&mut self, h: f64) -> Result<[Vec<f64>; 2], Error> {
        let mut side = |h: f64| -> Result<Vec<f64>, Error> {
            let moved: Vec<f64> = (self.at)(h)?.iter().zip(self.origin).map(|(y, y0)| y - y0).collect();
            Ok((self.read)(&moved).into_iter().map(|difference| difference / h).collect())
        };
        Ok(match self.sides {
            Sides::Both => [side(-h)?, side(h)?],
            Sides::Left => {
                let left = side(-h)?;
                [left.clone(), left]
            }
            Sides::Right => {
                let right = side(h)?;
                [right.clone(), right]
            }
        })
    }
}

/// One-sided slopes that differ: of a smooth function the gap between them shrinks with the step, at a kink it stays.
fn kink(left: f64, right: f64, coarser_gap: f64, noise: f64) -> Option<[f64; 2]> {
    let gap = (right - left).abs();
    (gap > noise && gap > 1e-6 * left.abs().max(right.abs()) && gap > 0.6 * coarser_gap)
        .then_some([left, right])
}
