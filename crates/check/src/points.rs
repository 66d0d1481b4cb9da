//! Several points: the values given, and others around them.

use rand::SeedableRng;
use rand::rngs::StdRng;

use crate::cotangent::{rms, weight};
use crate::findings::{Row, Verdict, worst_first};
use crate::parts::Part;
use crate::report::Report;

/// Another point: each element moved by about the root mean square of its tensor, or by about 1 where that is zero.
pub(crate) fn moved(parts: &[Part], x: &[f64], seed: u64) -> Vec<f64> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut moved = x.to_vec();
    for part in parts {
        let typical = rms(&x[part.range.clone()]);
        let scale = if typical > 0.0 { typical } else { 1.0 };
        moved[part.range.clone()].iter_mut().for_each(|x| *x += scale * weight(&mut rng));
    }
    moved
}

impl Report {
    /// The reports of several points as one. What was found at a later one has the number of the point with it.
    pub(crate) fn join(reports: Vec<Report>) -> Report {
        let mut reports = reports.into_iter();
        let mut all = reports.next().expect("a report for the values given");
        for (point, mut other) in (1..).zip(reports) {
            let at = |cotangent: &mut String| *cotangent += &format!(", point {point}");
            other.mismatches.iter_mut().for_each(|found| at(&mut found.cotangent));
            other.not_verifiable.iter_mut().for_each(|found| at(&mut found.cotangent));
            other.entries.iter_mut().for_each(|entry| entry.point = point);
            all.rows.iter_mut().zip(other.rows).for_each(|(row, other)| row.join(other));
            all.mismatches.append(&mut other.mismatches);
            all.kinks.append(&mut other.kinks);
            all.not_verifiable.append(&mut other.not_verifiable);
            all.entries.append(&mut other.entries);
            for (into, from) in [(&mut all.guesses, other.guesses), (&mut all.cuts, other.cuts)] {
                let new: Vec<_> = from.into_iter().filter(|line| !into.contains(line)).collect();
                into.extend(new);
            }
            for found in other.not_applicable {
                if !all.not_applicable.contains(&found) {
                    all.not_applicable.push(found);
                }
            }
            for found in other.accuracy {
                match all.accuracy.iter_mut().find(|known| known.name == found.name) {
                    Some(known) if known.relative >= found.relative => {}
                    Some(known) => *known = found,
                    None => all.accuracy.push(found),
                }
            }
            // Tolerances followed the point that computes in the fewest bits.
            let points = all.precision.into_iter().chain(other.precision);
            all.precision = points.min_by_key(|precision| precision.bits);
            if let (Some(all), Some(other)) = (&mut all.jacobian, other.jacobian) {
                all.below_noise += other.below_noise;
            }
            all.runs = other.runs;
            all.points += 1;
        }
        if all.points > 1 {
            worst_first(&mut all.mismatches);
            // Verified at one point is verified.
            let rows = &all.rows;
            all.not_verifiable.retain(|found| {
                let row = rows.iter().find(|row| row.name == found.name && row.step == found.step);
                row.is_none_or(|row| row.verdict != Verdict::Verified)
            });
        }
        all
    }
}

impl Row {
    /// Wrong at one point is wrong; otherwise the point at which most was seen counts.
    fn join(&mut self, other: Row) {
        let wrong = [self.verdict, other.verdict].contains(&Verdict::Mismatch);
        self.verdict = if wrong { Verdict::Mismatch } else { self.verdict.min(other.verdict) };
        self.magnitude = self.magnitude.max(other.magnitude);
        for (oracle, measure) in other.measures {
            match self.measures.iter_mut().find(|(of, _)| *of == oracle) {
                Some((_, known)) => {
                    known.absolute = known.absolute.max(measure.absolute);
                    known.relative = known.relative.max(measure.relative);
                    known.compared += measure.compared;
                }
                None => self.measures.push((oracle, measure)),
            }
        }
        self.measures.sort_by_key(|&(oracle, _)| oracle);
    }
}
