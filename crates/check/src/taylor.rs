//! The Taylor table: how fast the remainder of a linear approximation vanishes.

use std::fmt;

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::Error;
use crate::compare::Comparison;
use crate::cotangent::{rms, weight};

/// The remainders of `φ(x + h u) = ⟨v, outputs⟩` at steps `h` that are halved, for a random direction `u` of one tensor
/// and random cotangents `v`.
///
/// Without the gradient, `|φ(x + h u) - φ(x)|` vanishes with `h`: each halving of the step halves it, the order is 1. With
/// a right gradient `g`, `|φ(x + h u) - φ(x) - h ⟨g, u⟩|` vanishes with `h²`, the order is 2; with a wrong one the order
/// stays 1, however slightly it is wrong, from some step on.
///
/// # Example
/// ```
/// use retrograde_check::Check;
/// use retrograde_tensor::Tensor;
///
/// let check = Check::new().input("x", Tensor::from([0.3, -0.8])).taylor(true);
/// let report = check.run(|_, x| Ok([("y", x["x"].tanh())].into()))?;
/// let table = &report.taylor()[0];
/// let [first, second] = table.orders().unwrap();
/// assert!((first - 1.0).abs() < 0.1 && (second - 2.0).abs() < 0.1, "{table}");
/// # Ok::<(), retrograde_check::Error>(())
/// ```
///
/// # Source
/// B. Taylor (1715). As a test of gradients: P. Farrell, D. Ham, S. Funke and M. Rognes, *Automated derivation of the
/// adjoint of high-level transient finite element programs* (2013), section 6.
#[derive(Clone, Debug)]
pub struct Taylor {
    /// The name of the input or parameter.
    pub name: String,
    /// The remainders, the largest step first.
    pub remainders: Vec<Remainder>,
}

/// A line of a Taylor table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Remainder {
    /// The step, `h`.
    pub step: f64,
    /// `|φ(x + h u) - φ(x)|`
    pub without: f64,
    /// `|φ(x + h u) - φ(x) - h ⟨g, u⟩|`
    pub with: f64,
    /// The rounding error of either.
    pub noise: f64,
}

impl Taylor {
    /// The orders without and with the gradient, from the last two steps at which both stand clear of rounding; `None`
    /// where there are none, as of a function that is linear along the direction.
    #[must_use]
    pub fn orders(&self) -> Option<[f64; 2]> {
        let clear = |pair: &&[Remainder]| pair.iter().all(|r| r.with > CLEAR * r.noise);
        let pair = self.remainders.windows(2).rfind(clear)?;
        Some([order(pair, |r| r.without), order(pair, |r| r.with)])
    }
}

/// A remainder of this many rounding errors is one.
const CLEAR: f64 = 100.0;

/// The number of steps, each half of the one before.
const STEPS: usize = 6;

/// The order of convergence between a step and its half.
fn order(pair: &[Remainder], of: impl Fn(&Remainder) -> f64) -> f64 {
    (of(&pair[0]) / of(&pair[1])).log2()
}

impl Comparison<'_, '_> {
    /// The table of each tensor.
    pub(crate) fn by_taylor(&mut self) -> Result<(), Error> {
        let rounding = f64::EPSILON * self.cotangents.read_abs(&self.y)[0];
        // Draws of its own: a wrong gradient has the directions of a right one.
        let mut rng = StdRng::seed_from_u64(self.settings.seed.wrapping_add(2));
        for part in self.problem.inputs.clone() {
            if part.range.is_empty() {
                continue;
            }
            let typical = rms(&self.x[part.range.clone()]);
            let scale = if typical > 0.0 { typical } else { 1.0 };
            let u: Vec<f64> = part.range.clone().map(|_| scale * weight(&mut rng)).collect();
            let slope: f64 = u.iter().zip(&self.gradients[0][part.range.clone()]).map(|(u, g)| u * g).sum();
            let mut remainders = Vec::new();
            for halvings in 0..STEPS {
                let step = 0.1 * 0.5_f64.powi(halvings as i32);
                let mut moved = self.x.clone();
                moved[part.range.clone()].iter_mut().zip(&u).for_each(|(x, u)| *x += step * u);
                let y = self.problem.outputs_at(&moved)?;
                let by: Vec<f64> = y.iter().zip(&self.y).map(|(y, y0)| y - y0).collect();
                let change = self.cotangents.read(&by)[0];
                let (without, with) = (change.abs(), (change - step * slope).abs());
                remainders.push(Remainder { step, without, with, noise: rounding });
            }
            self.taylor.push(Taylor { name: part.name, remainders });
        }
        Ok(())
    }
}

/// The table as text, in 80 columns.
impl fmt::Display for Taylor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "{:<18} {:>9} {:>11} {:>6} {:>13} {:>6}",
            self.name, "h", "change", "order", "less h g·u", "order"
        )?;
        for (i, at) in self.remainders.iter().enumerate() {
            let (mut orders, mut with) = (["-".to_owned(), "-".to_owned()], "rounding".to_owned());
            let clear = at.with > CLEAR * at.noise;
            if clear {
                with = format!("{:.3e}", at.with);
            }
            if let Some(before) = i.checked_sub(1).map(|before| &self.remainders[before]) {
                let pair = [*before, *at];
                if at.without > CLEAR * at.noise {
                    orders[0] = format!("{:.2}", order(&pair, |r| r.without));
                }
                if clear && before.with > CLEAR * before.noise {
                    orders[1] = format!("{:.2}", order(&pair, |r| r.with));
                }
            }
            let (step, change) = (at.step, at.without);
            writeln!(
                f,
                "{:<18} {step:>9.2e} {change:>11.3e} {:>6} {with:>13} {:>6}",
                "", orders[0], orders[1]
            )?;
        }
        Ok(())
    }
}
