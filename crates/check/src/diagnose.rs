//! From raw differences to the report: merged by element, worst first, with a guess at each cause.

use std::collections::BTreeMap;

use crate::Error;
use crate::cancellation::cancellation;
use crate::compare::{Comparison, Difference, within};
use crate::cotangent::ALL;
use crate::findings::{
    Accuracy, Entry, Jacobian, Kink, Mismatch, NotVerifiable, Oracle, Row, Verdict, worst_first,
};
use crate::parts::Part;
use crate::pattern::Pattern;
use crate::report::Report;
use retrograde_autograd::{NodeKind, Tape};

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
                cotangent: found.how.map_or_else(|| self.cotangents.label(found.cotangent), str::to_owned),
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
        let accuracy = self.accuracy()?;
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
            tolerances: [self.relative_tolerance(), self.settings.exact],
            runs: self.problem.runs,
            outputs: self
                .problem
                .outputs
                .iter()
                .map(|part| format!("{} {}", part.name, part.shape))
                .collect(),
            jacobian,
            precision: self.precision,
            accuracy,
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
        } else if self.is_zero_up_to_rounding(block) {
            Verdict::ZeroUpToRounding
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
            } else if !known
                && (!found.flat || found.cotangent == 0)
                && !self.is_zero_up_to_rounding(found.block)
            {
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

    /// Whether the gradient of a block is nothing but rounding, whatever the random cotangent.
    fn is_zero_up_to_rounding(&self, block: usize) -> bool {
        let members = &self.blocks[block].members;
        let rounding = |p: usize| match self.noise.get(&p) {
            Some(noise) => members.iter().all(|&i| within(self.gradients[p][i].abs(), noise.of(i))),
            None => members.iter().all(|&i| self.gradients[p][i] == 0.0),
        };
        let dense = 0..self.cotangents.dense.len();
        dense.clone().all(rounding)
            && dense.into_iter().any(|p| self.noise.contains_key(&p))
            && members.iter().any(|&i| self.noise.values().any(|noise| noise.of(i) > 0.0))
    }

    /// Where exact comparisons were not as exact as they usually are, and why.
    fn accuracy(&mut self) -> Result<Vec<Accuracy>, Error> {
        let mut found: Vec<(usize, f64)> = self.inexact.iter().map(|(&part, &worst)| (part, worst)).collect();
        found.retain(|(_, worst)| *worst > 10.0 * self.settings.exact);
        if found.is_empty() || !self.problem.is_recorded() {
            return Ok(Vec::new());
        }
        found.sort_by_key(|&(part, _)| part);
        let cause = self.problem.record(&self.x, |run| Ok(cancellation(run.tape)))?;
        let name = |part: usize| self.problem.inputs[part].name.clone();
        let accuracy = |(part, relative)| Accuracy { name: name(part), relative, cause: cause.clone() };
        Ok(found.into_iter().map(accuracy).collect())
    }

    /// Where the tape holds a constant that moves with the inputs.
    fn cuts(&mut self) -> Result<Vec<String>, Error> {
        let constants = |tape: &Tape<f64>| -> Vec<_> {
            let constants = tape.nodes().into_iter().filter(|node| matches!(node.kind, NodeKind::Constant));
            constants.map(|node| (node.location, node.step, node.value)).collect()
        };
        let moved = self.near(0.01);
        let before = self.problem.record(&self.x, |run| Ok(constants(run.tape)))?;
        let Ok(after) = self.problem.record(&moved, |run| Ok(constants(run.tape))) else {
            return Ok(Vec::new());
        };
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
