//! From raw differences to the report: merged by element, worst first, with a guess at each cause.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;

use retrograde_tensor::Tensor;

use crate::Error;
use crate::compare::{Comparison, Difference};
use crate::cotangent::ALL;
use crate::pattern::{Pattern, Suspect};
use crate::problem::{Part, Recorded, tensors};
use crate::report::{
    Entry, Jacobian, Kink, Mismatch, NotVerifiable, Oracle, Report, Row, Verdict, worst_first,
};
use retrograde_autograd::{NodeKind, Tape, Var};

/// Beyond this many elements no pattern is looked for.
const EXAMINED: usize = 4096;

impl Comparison<'_, '_> {
    /// The report of everything found.
    pub(crate) fn report(mut self) -> Result<Report, Error> {
        let patterns = self.patterns()?;
        let cuts = if self.problem.backward.is_none() && !self.differences.is_empty() {
            self.cuts()?
        } else {
            Vec::new()
        };
        let mut merged: BTreeMap<(usize, Option<usize>), (Difference, Vec<Oracle>)> = BTreeMap::new();
        for found in &self.differences {
            let entry =
                merged.entry((found.block, found.place)).or_insert_with(|| (found.clone(), Vec::new()));
            // Random cotangents first: unit vectors are many, and each has the worst of something.
            let rank = |of: &Difference| (of.cotangent < self.cotangents.dense.len(), of.relative());
            // By a margin: which of two equals is larger is rounding.
            let ((random, size), (known_random, known_size)) = (rank(found), rank(&entry.0));
            if (random && !known_random) || random == known_random && size > 1.001 * known_size {
                entry.0 = found.clone();
            }
            if !entry.1.contains(&found.oracle) {
                entry.1.push(found.oracle);
                entry.1.sort_unstable();
            }
        }
        let mut mismatches: Vec<Mismatch> = Vec::new();
        for (found, oracles) in merged.into_values() {
            let (part, step) = self.part(found.block);
            mismatches.push(Mismatch {
                name: part.name.clone(),
                index: found.place.map(|place| part.index(place)),
                step,
                cotangent: self.cotangents.label(found.cotangent),
                analytic: found.analytic,
                numeric: found.numeric,
                absolute: (found.analytic - found.numeric).abs(),
                relative: found.relative(),
                oracles,
                pattern: patterns.get(&self.blocks[found.block].part).map(|(pattern, _)| pattern.clone()),
            });
        }
        worst_first(&mut mismatches);
        let name = |(i, (pattern, label)): (_, (Pattern, String))| {
            let part: &Part = &self.problem.inputs[i];
            let of = if label == ALL { String::new() } else { format!(" (of {label})") };
            (i, format!("{}: {pattern}{of}", part.name))
        };
        let guesses: BTreeMap<usize, String> = patterns.into_iter().map(name).collect();
        let (below_noise, not_verifiable) = self.not_verifiable();
        let mut kinks: BTreeMap<usize, Kink> = BTreeMap::new();
        for found in &self.kinks {
            let (Some(place), Some([left, right])) = (found.place, found.kink) else { continue };
            let (part, step) = self.part(found.block);
            let (name, index, analytic) = (part.name.clone(), part.index(place), found.analytic);
            kinks.entry(place).or_insert(Kink { name, index, step, analytic, left, right });
        }
        let (inputs, outputs) = self.problem.size();
        let jacobian = (self.cotangents.units > 0).then_some(Jacobian { outputs, inputs, below_noise });
        let rows = (0..self.blocks.len()).map(|block| self.row(block, &not_verifiable)).collect();
        let entries = if self.settings.keep_entries { self.entries() } else { Vec::new() };
        Ok(Report {
            seed: self.settings.seed,
            directions: self.settings.directions,
            points: 1,
            tolerances: [self.settings.tolerance, self.settings.exact],
            runs: self.problem.runs,
            outputs: self
                .problem
                .outputs
                .iter()
                .map(|part| format!("{} {}", part.name, part.shape))
                .collect(),
            jacobian,
            rows,
            mismatches,
            kinks: kinks.into_values().collect(),
            not_verifiable,
            not_applicable: self.not_applicable,
            guesses: guesses.into_values().collect(),
            cuts,
            taylor: self.taylor,
            entries,
        })
    }

    /// All entries of the Jacobian, row by row.
    fn entries(&self) -> Vec<Entry> {
        let (scale, dense) = (self.cotangents.scale, self.cotangents.dense.len());
        let mut entries = Vec::new();
        for output in &self.problem.outputs {
            for (row, input) in
                output.range.clone().flat_map(|row| self.problem.inputs.iter().map(move |i| (row, i)))
            {
                entries.extend(input.range.clone().map(|place| Entry {
                    output: output.name.clone(),
                    output_index: output.index(row),
                    input: input.name.clone(),
                    input_index: input.index(place),
                    analytic: self.gradients[dense + row][place] / scale,
                    numeric: self.numeric.get(&place).map(|numeric| numeric[dense + row] / scale),
                    point: 0,
                }));
            }
        }
        entries
    }

    fn part(&self, block: usize) -> (&Part, Option<usize>) {
        (&self.problem.inputs[self.blocks[block].part], self.blocks[block].step)
    }

    fn row(&self, block: usize, not_verifiable: &[NotVerifiable]) -> Row {
        let (part, step) = self.part(block);
        let unseen = not_verifiable.iter().filter(|found| found.name == part.name && found.step == step);
        let unseen =
            unseen.map(|found| if found.adjoint { Verdict::AdjointOnly } else { Verdict::NotVerifiable });
        let verdict = if self.differences.iter().any(|found| found.block == block) {
            Verdict::Mismatch
        } else if self.kinks.iter().any(|found| found.block == block) {
            Verdict::Kink
        } else {
            unseen.max().unwrap_or(Verdict::Verified)
        };
        let mut measures: Vec<_> = self.blocks[block].measures.iter().map(|(&o, &m)| (o, m)).collect();
        measures.sort_by_key(|&(oracle, _)| oracle);
        let magnitude = self.magnitude(block, 0);
        let elements = self.blocks[block].members.len();
        Row { name: part.name.clone(), step, elements, magnitude, measures, verdict }
    }

    /// Entries of the Jacobian below the noise, and blocks that are for a random cotangent.
    fn not_verifiable(&self) -> (usize, Vec<NotVerifiable>) {
        let dense = self.cotangents.dense.len();
        let (mut below_noise, mut list): (usize, Vec<NotVerifiable>) = (0, Vec::new());
        for found in &self.unseen {
            let (part, step) = self.part(found.block);
            let cotangent = self.cotangents.label(found.cotangent);
            let known = list
                .iter()
                .any(|known| known.name == part.name && known.step == step && known.cotangent == cotangent);
            if found.cotangent >= dense {
                below_noise += found.elements;
            } else if !known && (!found.flat || found.cotangent == 0) {
                let denied = |of: &Difference| of.block == found.block && of.oracle == Oracle::Adjoint;
                let asked = self.blocks[found.block].measures.contains_key(&Oracle::Adjoint);
                list.push(NotVerifiable {
                    name: part.name.clone(),
                    step,
                    cotangent,
                    magnitude: found.magnitude,
                    floor: found.floor,
                    elements: if found.flat {
                        self.blocks[found.block].members.len()
                    } else {
                        found.elements
                    },
                    adjoint: !found.flat && asked && !self.differences.iter().any(denied),
                });
            }
        }
        (below_noise, list)
    }

    /// A guess for each tensor with a wrong gradient, and the cotangent with which it holds.
    fn patterns(&mut self) -> Result<HashMap<usize, (Pattern, String)>, Error> {
        let mut patterns = HashMap::new();
        let dense = self.cotangents.dense.len();
        for i in 0..self.problem.inputs.len() {
            let part = self.problem.inputs[i].clone();
            let here = |found: &&Difference| self.blocks[found.block].part == i;
            let first_order = self.differences.iter().filter(|found| found.oracle != Oracle::SecondOrder);
            let found: BTreeSet<usize> = first_order.filter(here).map(|found| found.cotangent).collect();
            let random = found.iter().filter(|&&p| p < dense).count().max(1);
            for p in found.into_iter().take(if part.range.len() <= EXAMINED { random } else { 0 }) {
                if let Some(pattern) = self.pattern(i, p)? {
                    patterns.insert(i, (pattern, self.cotangents.label(p)));
                    break;
                }
            }
        }
        Ok(patterns)
    }

    fn pattern(&mut self, i: usize, p: usize) -> Result<Option<Pattern>, Error> {
        let part = self.problem.inputs[i].clone();
        let v = self.cotangents.vectors(self.y.len()).swap_remove(p);
        let (mut samples, mut uses) = (Vec::new(), Vec::new());
        let right = if self.problem.backward.is_some() && self.problem.is_recorded() {
            // With part of the outputs weighted, it may be right that only one sample or use contributes.
            if p < self.settings.directions {
                samples = self.samples(&v, &part.range)?;
                uses = self.uses(&v, i)?;
            }
            self.problem.tape_gradients(&self.x, std::slice::from_ref(&v))?.remove(0)
        } else {
            self.differences_of(i, p)?
        };
        let (found, right) = (&self.gradients[p][part.range.clone()], &right[part.range.clone()]);
        Ok(Suspect { part: &part, found, right, samples: &samples, uses: &uses }.pattern())
    }

    /// The finite differences of all elements of a tensor, at their places in a flat vector.
    fn differences_of(&mut self, part: usize, p: usize) -> Result<Vec<f64>, Error> {
        let mut right = vec![0.0; self.x.len()];
        let wanted = vec![f64::INFINITY; self.cotangents.len()];
        for place in self.problem.inputs[part].range.clone() {
            let known = self.numeric.get(&place).map(|numeric| numeric[p]);
            right[place] = match known {
                Some(numeric) => numeric,
                None => self.slope(&[(place, 1.0)], &wanted)?.value[p],
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

    /// The contribution of each use of a tensor to its gradient.
    fn uses(&mut self, v: &[f64], part: usize) -> Result<Vec<Vec<f64>>, Error> {
        let outputs = self.problem.outputs.clone();
        self.problem.record(&self.x, |run| {
            let v = tensors(&outputs, v)?;
            run.contributions(&run.x[part], &v)
        })
    }

    /// Where the tape holds a constant that moves with the inputs.
    fn cuts(&mut self) -> Result<Vec<String>, Error> {
        let constants = |tape: &Tape<f64>| -> Vec<_> {
            let constants = tape.nodes().into_iter().filter(|node| matches!(node.kind, NodeKind::Constant));
            constants.map(|node| (node.location, node.step, node.value)).collect()
        };
        let moved: Vec<f64> = self.x.iter().map(|x| x + 0.01 * x.abs().max(1.0)).collect();
        let before = self.problem.record(&self.x, |run| Ok(constants(run.tape)))?;
        let after = self.problem.record(&moved, |run| Ok(constants(run.tape)))?;
        let mut cuts: Vec<String> = Vec::new();
        for ((location, step, a), (_, _, b)) in before.iter().zip(&after) {
            if before.len() == after.len() && a != b {
                let step = step.map_or_else(String::new, |step| format!(", step {step}"));
                cuts.push(format!("{}:{}{step}", location.file(), location.line()));
            }
        }
        cuts.dedup();
        Ok(cuts)
    }
}

impl Recorded<'_> {
    /// The gradient of `⟨v, outputs⟩` with respect to `x` before it is summed over the uses of `x`, from the last to the first.
    fn contributions(&self, x: &Var<'_, f64>, v: &[Tensor<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let mut contributions = Vec::new();
        let outputs: Vec<_> = self.y.iter().zip(v).collect();
        self.tape.backward_observed(&outputs, |visit| {
            if Some(visit.node) == x.id() {
                contributions = visit.terms.iter().map(|term| term.value.to_vec()).collect();
            }
        })?;
        contributions.reverse();
        Ok(contributions)
    }
}
