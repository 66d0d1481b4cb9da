//! Guesses at what is wrong with a gradient, from what the tape knows of the right one.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;

use crate::Error;
use crate::compare::{Comparison, Difference};
use crate::cotangent::ALL;
use crate::derivatives::Reader;
use crate::findings::Oracle;
use crate::parts::tensors;
use crate::pattern::Pattern;
use crate::suspect::Suspect;

/// Beyond this many elements no pattern is looked for where differences would have to tell the right gradient.
const EXAMINED: usize = 4096;

/// The label of the cotangent of the outputs of the first time step.
const FIRST: &str = "outputs at step 0";

impl Comparison<'_, '_> {
    /// A guess for each tensor with a wrong gradient, and the cotangent with which it holds.
    pub(crate) fn patterns(&mut self) -> Result<HashMap<usize, (Pattern, String)>, Error> {
        let mut patterns = HashMap::new();
        let dense = self.cotangents.dense.len();
        for i in 0..self.problem.inputs.len() {
            let part = self.problem.inputs[i].clone();
            let here = |found: &&Difference| self.blocks[found.block].part == i;
            let first_order = self.differences.iter().filter(|found| found.oracle != Oracle::SecondOrder);
            let of: Vec<&Difference> = first_order.filter(here).collect();
            let elsewhere = match of.first() {
                Some(found) if of.iter().all(|found| found.how.is_some()) => match found.oracle {
                    Oracle::Linearity => Some(Pattern::NotLinear),
                    _ => Some(Pattern::Kept),
                },
                _ => None,
            };
            if let Some(pattern) = elsewhere {
                patterns.insert(i, (pattern, ALL.to_owned()));
                continue;
            }
            let of = of.into_iter().filter(|found| found.how.is_none());
            let found: BTreeSet<usize> = of.map(|found| found.cotangent).collect();
            let random = found.iter().filter(|&&p| p < dense).count().max(1);
            let mut guess = None;
            let known = self.problem.backward.is_some() && self.problem.is_recorded();
            let examined = known || part.range.len() <= EXAMINED;
            for p in found.into_iter().take(if examined { random } else { 0 }) {
                let Some(pattern) = self.pattern(i, p)? else { continue };
                let (certain, label) = (!pattern.is_vague(), self.cotangents.label(p));
                if certain || guess.is_none() {
                    guess = Some((pattern, label));
                }
                if certain {
                    break;
                }
            }
            if guess.as_ref().is_none_or(|(pattern, _)| pattern.is_vague()) {
                guess = self.at_first_step(i)?.map(|found| (found, FIRST.to_owned())).or(guess);
            }
            patterns.extend(guess.map(|guess| (i, guess)));
        }
        Ok(patterns)
    }

    /// The columns that are wrong where the outputs of the first time step alone are weighted: later, what one gate gets
    /// wrong spreads to all.
    fn at_first_step(&mut self, i: usize) -> Result<Option<Pattern>, Error> {
        let explicit = self.problem.backward.is_some() && self.problem.is_recorded();
        let part = self.problem.inputs[i].clone();
        if !explicit {
            return Ok(None);
        }
        let mut v = self.cotangents.dense[0].1.clone();
        let first = |place: usize| {
            let of = self.problem.outputs.iter().find(|of| of.range.contains(&place));
            of.is_some_and(|of| of.step(place) == Some(0))
        };
        (0..v.len()).filter(|&place| !first(place)).collect::<Vec<_>>().into_iter().for_each(|i| v[i] = 0.0);
        let vs = std::slice::from_ref(&v);
        let found = self.problem.gradients(&self.x, vs)?.remove(0);
        let right = self.problem.tape_gradients(&self.x, vs)?.remove(0);
        let (found, right) = (&found[part.range.clone()], &right[part.range.clone()]);
        let (samples, uses, readers, others) = (&[], &[], &[], &[]);
        let pattern = Suspect { part: &part, found, right, samples, uses, readers, others }.pattern();
        Ok(pattern.filter(|pattern| matches!(pattern, Pattern::Columns { .. })))
    }

    fn pattern(&mut self, i: usize, p: usize) -> Result<Option<Pattern>, Error> {
        let part = self.problem.inputs[i].clone();
        let v = self.cotangents.vectors(self.y.len()).swap_remove(p);
        let (mut samples, mut uses, mut readers, mut others) = Default::default();
        let right = if self.problem.backward.is_some() && self.problem.is_recorded() {
            // With part of the outputs weighted, it may be right that only one sample or use contributes.
            if p < self.settings.directions {
                samples = self.samples(&v, &part.range)?;
                (uses, readers) = self.uses(&v, i)?;
            }
            let right = self.problem.tape_gradients(&self.x, std::slice::from_ref(&v))?.remove(0);
            let alike =
                self.problem.inputs.iter().filter(|of| of.shape == part.shape && of.name != part.name);
            others = alike.map(|of| (of.name.clone(), right[of.range.clone()].to_vec())).collect::<Vec<_>>();
            right
        } else {
            self.differences_of(i, p)?
        };
        let (found, right) = (&self.gradients[p][part.range.clone()], &right[part.range.clone()]);
        let (samples, uses, readers, others) = (&samples, &uses, &readers, &others);
        Ok(Suspect { part: &part, found, right, samples, uses, readers, others }.pattern())
    }

    /// The finite differences of all elements of a tensor, at their places in a flat vector.
    fn differences_of(&mut self, part: usize, p: usize) -> Result<Vec<f64>, Error> {
        let mut right = vec![0.0; self.x.len()];
        let wanted = vec![f64::INFINITY; self.cotangents.len()];
        for place in self.problem.inputs[part].range.clone() {
            let known = self.numeric.get(&place).map(|numeric| numeric[p]);
            right[place] = match known {
                Some(numeric) => numeric,
                None => self.slope(&[(place, 1.0)], &wanted, |_, _, _| true)?.value[p],
            };
        }
        Ok(right)
    }

    /// The gradient of each sample of the batch, axis 0 of all outputs.
    fn samples(&mut self, v: &[f64], range: &Range<usize>) -> Result<Vec<Vec<f64>>, Error> {
        let outputs = self.problem.outputs.clone();
        let batch = outputs[0].shape.first().copied().unwrap_or(0);
        if batch > 64 || outputs.iter().any(|part| part.shape.first() != Some(&batch)) {
            return Ok(Vec::new());
        }
        let sample = |place: usize| {
            outputs.iter().find(|part| part.range.contains(&place)).map(|part| part.index(place)[0])
        };
        let masked: Vec<Vec<f64>> = (0..batch)
            .map(|n| v.iter().enumerate().map(|(i, &v)| if sample(i) == Some(n) { v } else { 0.0 }).collect())
            .collect();
        let gradients = self.problem.tape_gradients(&self.x, &masked)?;
        Ok(gradients.into_iter().map(|g| g[range.clone()].to_vec()).collect())
    }

    /// The contribution of each use of a tensor to its gradient, and the functions that read it element by element.
    fn uses(&mut self, v: &[f64], part: usize) -> Result<(Vec<Vec<f64>>, Vec<Reader>), Error> {
        let outputs = self.problem.outputs.clone();
        self.problem.record(&self.x, |run| {
            let v = tensors(&outputs, v)?;
            run.derivatives.contributions(&run, part, &v)
        })
    }
}
