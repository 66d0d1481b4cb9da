//! Where a direction is wrong: by halves, down to one element.

use crate::Error;
use crate::compare::{Comparison, Difference, contradicts};

impl Comparison<'_, '_> {
    /// The element that makes finite differences along a direction contradict the gradient, where there is one.
    pub(crate) fn where_along(&mut self, u: &[(usize, f64)], found: Difference) -> Result<Difference, Error> {
        let p = found.cotangent;
        self.halve(u, found, |comparison, u| {
            let g = &comparison.gradients[p];
            let analytic: f64 = u.iter().map(|&(i, u)| u * g[i]).sum();
            let size = u.iter().map(|&(i, u)| (u * g[i]).powi(2)).sum::<f64>().sqrt();
            let relative = comparison.relative_tolerance();
            let count = comparison.cotangents.len();
            let mut wanted = vec![f64::INFINITY; count];
            wanted[p] = 0.01 * relative * size;
            let wrong = |numeric: f64, error: f64| {
                contradicts(analytic, numeric, error, relative * size.max(numeric.abs()))
            };
            let slope = comparison.slope(u, &wanted, |q, numeric, error| q != p || !wrong(numeric, error))?;
            let numeric = slope.value[p];
            Ok(wrong(numeric, slope.error[p]).then_some((analytic, numeric)))
        })
    }

    /// The element that makes the adjoint identity fail along a direction, where there is one.
    pub(crate) fn where_adjoint(
        &mut self,
        u: &[(usize, f64)],
        found: Difference,
    ) -> Result<Difference, Error> {
        let (block, p) = (found.block, found.cotangent);
        self.halve(u, found, |comparison, u| {
            let dense = comparison.dense(u);
            let ju = comparison.problem.jvps(&comparison.x, &[dense])?.remove(0);
            let (numeric, sum) = (comparison.cotangents.read(&ju)[p], comparison.cotangents.read_abs(&ju)[p]);
            let found = comparison.adjoint((block, p), u, numeric, sum)?;
            Ok(found.map(|found| (found.analytic, found.numeric)))
        })
    }

    /// Halves a direction for as long as one of the halves is wrong, which `wrong` tells with both values.
    fn halve(
        &mut self,
        u: &[(usize, f64)],
        mut found: Difference,
        mut wrong: impl FnMut(&mut Self, &[(usize, f64)]) -> Result<Option<(f64, f64)>, Error>,
    ) -> Result<Difference, Error> {
        let mut u = u.to_vec();
        while u.len() > 1 {
            let second = u.split_off(u.len() / 2);
            let mut half = None;
            for part in [u, second] {
                // Of length 1 again, so that steps are as long as they were.
                let norm = part.iter().map(|(_, u)| u * u).sum::<f64>().sqrt();
                let part: Vec<_> = part.into_iter().map(|(place, u)| (place, u / norm)).collect();
                if let Some(values) = wrong(self, &part)? {
                    half = Some((part, values));
                    break;
                }
            }
            let Some((part, (analytic, numeric))) = half else { return Ok(found) };
            u = part;
            (found.analytic, found.numeric) = (analytic, numeric);
            found.magnitude = analytic.abs().max(numeric.abs());
        }
        let &[(place, u)] = &u[..] else { return Ok(found) };
        found.place = Some(place);
        (found.analytic, found.numeric) = (found.analytic / u, found.numeric / u);
        found.magnitude = self.magnitude(found.block, found.cotangent).max(found.numeric.abs());
        Ok(found)
    }
}
