//! Weights of the outputs: a gradient is checked for each of these cotangents.

use rand::rngs::StdRng;
use rand::{Rng, RngExt};

use crate::noise::{ForwardNoise, Precision};
use crate::parts::Part;
use crate::settings::Settings;

/// Cotangents of all outputs: random ones with a label, then, for the full Jacobian, a unit vector an output element.
pub(crate) struct Cotangents {
    pub(crate) dense: Vec<(String, Vec<f64>)>,
    pub(crate) units: usize,
    /// The factor of all of them.
    pub(crate) scale: f64,
    outputs: Vec<Part>,
}

/// The label of cotangents of all outputs at once.
pub(crate) const ALL: &str = "all outputs";

impl Cotangents {
    /// `draws` of all outputs, then each output alone, then the last time step of each sequence alone: there, what
    /// travels back through time is not drowned by what later cotangents add on the way.
    pub(crate) fn new(outputs: &[Part], settings: &Settings, jacobian: bool, rng: &mut StdRng) -> Self {
        let (draws, scale) = (settings.directions, settings.cotangent_scale);
        let size = outputs.last().map_or(0, |part| part.range.end);
        let mut dense = Vec::new();
        let mut draw = |label: &str, keep: &dyn Fn(usize) -> bool| {
            let v = (0..size).map(|place| if keep(place) { scale * weight(rng) } else { 0.0 }).collect();
            dense.push((label.to_owned(), v));
        };
        (0..draws).for_each(|_| draw(ALL, &|_| true));
        for part in outputs.iter().filter(|part| !part.range.is_empty()) {
            if outputs.len() > 1 {
                draw(&part.name, &|place| part.range.contains(&place));
            }
            if let Some(last) = part.steps().filter(|&steps| steps > 1).map(|steps| steps - 1) {
                let label = format!("{} at step {last}", part.name);
                draw(&label, &|place| part.range.contains(&place) && part.step(place) == Some(last));
            }
        }
        Cotangents { dense, units: if jacobian { size } else { 0 }, scale, outputs: outputs.to_vec() }
    }

    /// The number of cotangents.
    pub(crate) fn len(&self) -> usize {
        self.dense.len() + self.units
    }

    /// `⟨v, y⟩` for each `v`.
    pub(crate) fn read(&self, y: &[f64]) -> Vec<f64> {
        self.sum(y, |v, y| v * y)
    }

    /// `Σ |v y|` for each `v`: what `⟨v, y⟩` is small or large against.
    pub(crate) fn read_abs(&self, y: &[f64]) -> Vec<f64> {
        self.sum(y, |v, y| (v * y).abs())
    }

    fn sum(&self, y: &[f64], term: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let dense = self.dense.iter().map(|(_, v)| v.iter().zip(y).map(|(&v, &y)| term(v, y)).sum());
        dense.chain(y[..self.units].iter().map(|&y| term(self.scale, y))).collect()
    }

    /// The vectors themselves.
    pub(crate) fn vectors(&self, size: usize) -> Vec<Vec<f64>> {
        let unit = |j: usize| (0..size).map(|i| if i == j { self.scale } else { 0.0 }).collect();
        self.dense.iter().map(|(_, v)| v.clone()).chain((0..self.units).map(unit)).collect()
    }

    /// The outputs that cotangent `p` weights.
    pub(crate) fn label(&self, p: usize) -> String {
        if let Some((label, _)) = self.dense.get(p) {
            return label.clone();
        }
        let place = p - self.dense.len();
        let part = self.outputs.iter().find(|part| part.range.contains(&place));
        part.map_or_else(String::new, |part| format!("{}{:?}", part.name, part.index(place)))
    }

    /// The rounding error of `⟨v, y⟩` in one evaluation: an element carries that of its output's typical magnitude,
    /// since it may be small only by cancellation, and the noise that was measured.
    pub(crate) fn rounding(&self, y: &[f64], measured: &ForwardNoise) -> Vec<f64> {
        let mut noise = measured.elements.clone();
        for (part, measured) in self.outputs.iter().zip(&measured.typical) {
            let typical = rms(&y[part.range.clone()]);
            let rounding = |place: usize| (f64::EPSILON * y[place].abs().max(typical)).max(*measured);
            part.range.clone().for_each(|place| noise[place] = rounding(place).max(noise[place]));
        }
        self.sum(&noise, |v, noise| (v * noise).powi(2)).into_iter().map(f64::sqrt).collect()
    }

    /// The precision of outputs with this noise, if it is less than that of a double.
    pub(crate) fn precision(&self, y: &[f64], measured: &ForwardNoise) -> Option<Precision> {
        let relative = |(part, noise): (&Part, &f64)| noise / rms(&y[part.range.clone()]);
        let relative =
            self.outputs.iter().zip(&measured.typical).map(relative).filter(|noise| noise.is_finite());
        Precision::of(relative.fold(0.0, f64::max))
    }
}

/// The root of the mean square.
pub(crate) fn rms(x: &[f64]) -> f64 {
    (x.iter().map(|x| x * x).sum::<f64>() / x.len().max(1) as f64).sqrt()
}

/// A random weight of either sign that is never small: an element weighted with almost nothing is not checked.
pub(crate) fn weight(rng: &mut (impl Rng + ?Sized)) -> f64 {
    let magnitude = rng.random_range(0.5..1.5);
    if rng.random() { magnitude } else { -magnitude }
}

/// The median, 0 of nothing.
pub(crate) fn median(mut x: Vec<f64>) -> f64 {
    x.sort_by(f64::total_cmp);
    x.get(x.len() / 2).copied().unwrap_or(0.0)
}
