//! Where a tensor may be moved to: bounds of its elements, and a largest step.

use std::ops::{Bound, RangeBounds};

use crate::Check;
use crate::parts::Part;
use crate::slope::Sides;

impl Check {
    /// Says which values the elements of an input or parameter may take, such as `0.0..` for durations: the check moves them
    /// no further. At a bound itself, differences are taken on one side.
    ///
    /// # Example
    /// ```
    /// use retrograde_check::Check;
    /// use retrograde_tensor::Tensor;
    ///
    /// let check = Check::new().input("dt", Tensor::from([0.0, 1e-3, 2.0])).within("dt", 0.0..);
    /// check.run(|_, x| {
    ///     let dt = &x["dt"];
    ///     if dt.value().iter().any(|dt| dt < 0.0) {
    ///         return Err("expected durations that are not negative".into());
    ///     }
    ///     Ok([("decay", (-dt).exp())].into())
    /// })?.assert_ok();
    /// # Ok::<(), retrograde_check::Error>(())
    /// ```
    #[must_use]
    pub fn within(mut self, name: impl Into<String>, range: impl RangeBounds<f64>) -> Self {
        self.domain(name.into()).within(range);
        self
    }

    /// Sets the largest step by which the elements of an input or parameter are moved.
    #[must_use]
    pub fn largest_step(mut self, name: impl Into<String>, step: f64) -> Self {
        self.domain(name.into()).at_most(step);
        self
    }

    fn domain(&mut self, name: String) -> &mut Domain {
        let known = self.domains.iter().position(|(known, _)| *known == name);
        let i = known.unwrap_or_else(|| {
            self.domains.push((name, Domain::default()));
            self.domains.len() - 1
        });
        &mut self.domains[i].1
    }
}

/// The values that the elements of a tensor may take, and how far a check may move them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Domain {
    low: f64,
    high: f64,
    step: f64,
}

impl Default for Domain {
    fn default() -> Self {
        Domain { low: f64::NEG_INFINITY, high: f64::INFINITY, step: f64::INFINITY }
    }
}

impl Domain {
    pub(crate) fn within(&mut self, range: impl RangeBounds<f64>) {
        let bound = |bound: Bound<&f64>, none: f64| match bound {
            Bound::Included(&x) | Bound::Excluded(&x) => x,
            Bound::Unbounded => none,
        };
        self.low = bound(range.start_bound(), f64::NEG_INFINITY);
        self.high = bound(range.end_bound(), f64::INFINITY);
    }

    pub(crate) fn at_most(&mut self, step: f64) {
        self.step = step;
    }

    /// Whether a value may be taken. NaN may not.
    pub(crate) fn contains(&self, x: f64) -> bool {
        (self.low..=self.high).contains(&x)
    }

    /// Whether there are such values, and a step.
    pub(crate) fn is_valid(&self) -> bool {
        self.low < self.high && self.step > 0.0
    }

    /// The nearest value that may be taken.
    pub(crate) fn clamp(&self, x: f64) -> f64 {
        x.max(self.low).min(self.high)
    }

    pub(crate) fn text(&self) -> String {
        format!("{} to {}", self.low, self.high)
    }

    /// The distances that `x` may go downwards and upwards.
    fn room(&self, x: f64) -> [f64; 2] {
        [(x - self.low).max(0.0).min(self.step), (self.high - x).max(0.0).min(self.step)]
    }
}

/// The distances along a direction that stay within the domains: the sides that there are, and how far.
pub(crate) fn room(parts: &[Part], x: &[f64], u: &[(usize, f64)]) -> (Sides, f64) {
    let [mut left, mut right] = [f64::INFINITY; 2];
    for &(place, u) in u.iter().filter(|(_, u)| *u != 0.0) {
        let Some(part) = parts.iter().find(|part| part.range.contains(&place)) else { continue };
        let [down, up] = part.domain.room(x[place]).map(|room| room / u.abs());
        let [l, r] = if u > 0.0 { [down, up] } else { [up, down] };
        (left, right) = (left.min(l), right.min(r));
    }
    // Where one side is almost closed, both would take steps that rounding drowns.
    match (left, right) {
        _ if left < 1e-7 * right.min(1.0) => (Sides::Right, right),
        _ if right < 1e-7 * left.min(1.0) => (Sides::Left, left),
        _ => (Sides::Both, left.min(right)),
    }
}

/// A direction without the elements that have no room in it.
pub(crate) fn open(parts: &[Part], x: &[f64], u: &mut Vec<(usize, f64)>) {
    if parts.iter().all(|part| part.domain.low.is_infinite() && part.domain.high.is_infinite()) {
        return;
    }
    let closed = |&(place, u): &(usize, f64)| {
        let part = parts.iter().find(|part| part.range.contains(&place));
        part.is_some_and(|part| {
            let [down, up] = part.domain.room(x[place]);
            let size = 1e-7 * x[place].abs().min(1.0) * u.abs().min(1.0);
            down <= size || up <= size
        })
    };
    if !u.iter().all(closed) {
        u.retain(|element| !closed(element));
    }
}
