//! Conditions that must not change a gradient: the number of calls, other calls in between, the layout of tensors in
//! memory, the size of a cotangent.

use rand::RngExt;

use crate::Error;
use crate::compare::{Comparison, Difference, within};
use crate::cotangent::{rms, weight};
use crate::findings::Oracle;
use crate::layout::Layout;
use crate::noise::nudged;
use crate::parts::require_close;

/// Calls in a row on the same input, so that a fault of every k-th call shows for k up to this.
pub(crate) const CALLS: usize = 12;

/// Noise of a backward pass beyond this, relative to a gradient, is not that of single precision.
const SINGLE: f64 = 1e-6;

/// By as much as products of other layouts are rounded otherwise.
const ROUNDING: f64 = 1e-9;

impl Comparison<'_, '_> {
    /// The same input again, after others.
    pub(crate) fn repeat(&mut self) -> Result<(), Error> {
        let again = self.problem.outputs_at(&self.x)?;
        self.problem.require_again(&self.problem.outputs, "", &self.y, &again)
    }

    /// The same gradient again, with calls on another input or another cotangent in between.
    pub(crate) fn repeat_backward(&mut self) -> Result<(), Error> {
        let v = self.cotangents.vectors(self.y.len()).swap_remove(0);
        let same = |again: &[f64], comparison: &Self| {
            let problem = &comparison.problem;
            problem.require_again(&problem.inputs, "the gradient of ", &comparison.gradients[0], again)
        };
        let other = self.near(0.1);
        let again = self.problem.gradient_after(&self.x, &v, &other)?;
        same(&again, self)?;
        // A cotangent of its own in between.
        if let Some(w) = self.cotangents.dense.get(1).map(|(_, w)| w.clone()) {
            let again = self.problem.gradients(&self.x, &[w, v])?.remove(1);
            same(&again, self)?;
        }
        Ok(())
    }

    /// A point near that of the check: each element moved by about as much of its size.
    pub(crate) fn near(&mut self, relative: f64) -> Vec<f64> {
        let mut moved = self.x.clone();
        for part in &self.problem.inputs {
            let typical = rms(&self.x[part.range.clone()]);
            for x in &mut moved[part.range.clone()] {
                // Zeros among other numbers are often there on purpose.
                let size = if typical > 0.0 { x.abs() } else { 1.0 };
                *x += relative * size * weight(&mut self.rng);
            }
        }
        self.problem.clamped(moved)
    }

    /// The same values behind other strides.
    pub(crate) fn by_layout(&mut self) -> Result<(), Error> {
        let v = self.cotangents.vectors(self.y.len()).swap_remove(0);
        for layout in [Layout::Transposed, Layout::Sliced] {
            let failed = |found: String| Error::Layout { layout: layout.name(), found };
            let (y, g) =
                self.problem.in_layout(layout, &self.x, &v)?.map_err(|failure| failed(failure.text()))?;
            let tolerance = ROUNDING + self.noise_floor();
            self.require_outputs(&y, tolerance)?.map_err(failed)?;
            self.require_gradient(&g, tolerance).map_err(failed)?;
        }
        self.expanded_cotangent()
    }

    /// A cotangent of which all rows are one row of memory.
    fn expanded_cotangent(&mut self) -> Result<(), Error> {
        let outputs = self.problem.outputs.clone();
        let mut v = vec![0.0; self.y.len()];
        for part in &outputs {
            let row = part.shape.iter().skip(1).product::<usize>().max(1);
            let values: Vec<f64> = (0..row).map(|_| weight(&mut self.rng)).collect();
            part.range.clone().enumerate().for_each(|(i, place)| v[place] = values[i % row]);
        }
        let dense = self.problem.gradients(&self.x, std::slice::from_ref(&v))?.remove(0);
        self.problem.layout = Layout::Expanded;
        let found = self.problem.gradients(&self.x, std::slice::from_ref(&v));
        self.problem.layout = Layout::Contiguous;
        let tolerance = 1e3 * (ROUNDING + self.noise_floor());
        let name = "the gradient of ";
        require_close(&self.problem.inputs, name, &dense, &found?.remove(0), tolerance, |_| 0.0)
            .map_err(|found| Error::Layout { layout: Layout::Expanded.name(), found })
    }

    /// Compares the outputs, computed otherwise, and says where they differ by more than rounding may be worth in them.
    fn require_outputs(&mut self, y: &[f64], tolerance: f64) -> Result<Result<(), String>, Error> {
        let close = require_close(&self.problem.outputs, "", &self.y, y, tolerance, |_| 0.0);
        if close.is_ok() {
            return Ok(close);
        }
        let x = nudged(&self.x, &mut self.rng);
        let moved = self.problem.outputs_moved(&x)?;
        let noise = |place: usize| 1e3 * (moved[place] - self.y[place]).abs();
        Ok(require_close(&self.problem.outputs, "", &self.y, y, tolerance, noise))
    }

    /// Compares the gradient for the first cotangent, computed otherwise, and says where it differs.
    fn require_gradient(&mut self, g: &[f64], tolerance: f64) -> Result<(), String> {
        let name = "the gradient of ";
        let close = require_close(&self.problem.inputs, name, &self.gradients[0], g, tolerance, |_| 0.0);
        let (Err(_), Ok(noise)) = (&close, self.noise(0)) else { return close };
        let noise = |place: usize| noise.of(place);
        require_close(&self.problem.inputs, name, &self.gradients[0], g, tolerance, noise)
    }

    /// By as much as gradients may differ that are computed in another order: the noise of the forward pass and of a backward
    /// pass, relative.
    fn noise_floor(&self) -> f64 {
        let forward = self.precision.map_or(0.0, |precision| precision.tolerance);
        let backward = self.blocks.iter().map(|block| block.noise).fold(0.0, f64::max);
        forward.max(100.0 * self.problem.random).max(100.0 * backward.min(SINGLE))
    }

    /// A backward pass is linear: of a cotangent scaled up or down the gradient is as much larger or smaller, and of a sum
    /// it is the sum.
    pub(crate) fn by_linearity(&mut self) -> Result<(), Error> {
        let v = self.cotangents.dense[0].1.clone();
        let w: Vec<f64> = v.iter().map(|_| weight(&mut self.rng) * self.rng.random_range(0.1..1.0)).collect();
        // Powers of two, by which nothing is rounded.
        let (large, small) = (2.0_f64.powi(20), 2.0_f64.powi(-20));
        let scaled = |k: f64| v.iter().map(|v| k * v).collect::<Vec<_>>();
        let sum: Vec<f64> = v.iter().zip(&w).map(|(v, w)| v - w).collect();
        let found = self.problem.gradients(&self.x, &[scaled(large), scaled(small), w, sum])?;
        let times = |k: f64, g: &[f64]| g.iter().map(|g| k * g).collect::<Vec<_>>();
        let minus: Vec<f64> = self.gradients[0].iter().zip(&found[2]).map(|(v, w)| v - w).collect();
        let g = self.gradients[0].clone();
        let compared = [
            ("of 10⁶ v, for v", times(1.0 / large, &found[0]), g.clone()),
            ("of 10⁻⁶ v, for v", times(1.0 / small, &found[1]), g),
            ("of v - w, for both", found[3].clone(), minus),
        ];
        for (how, found, expected) in compared {
            for block in 0..self.blocks.len() {
                self.linear(block, how, &found, &expected)?;
            }
        }
        Ok(())
    }

    fn linear(
        &mut self,
        block: usize,
        how: &'static str,
        found: &[f64],
        expected: &[f64],
    ) -> Result<(), Error> {
        let members = self.blocks[block].members.clone();
        let sizes = members.iter().flat_map(|&i| [self.gradients[0][i].abs(), expected[i].abs()]);
        let magnitude = sizes.filter(|size| size.is_finite()).fold(0.0, f64::max);
        let tolerance = (1e-9 + self.noise_floor()) * magnitude;
        let far = |&&i: &&usize| !within((found[i] - expected[i]).abs(), tolerance);
        let Some(&place) = members.iter().find(far) else { return Ok(()) };
        if within((found[place] - expected[place]).abs(), self.noise(0)?.of(place)) {
            return Ok(());
        }
        self.measure(block, Oracle::Linearity, (found[place] - expected[place]).abs(), magnitude);
        let mut difference = Difference::new(
            (Oracle::Linearity, block, Some(place), 0),
            found[place],
            expected[place],
            magnitude,
        );
        difference.how = Some(how);
        self.differences.push(difference);
        Ok(())
    }
}
