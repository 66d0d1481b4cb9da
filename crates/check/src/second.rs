//! Second order: Hessian-vector products against finite differences of the gradient.

use crate::Error;
use crate::compare::{Comparison, Difference, contradicts};
use crate::cotangent::{rms, weight};
use crate::findings::{NotApplicable, Oracle};
use crate::parts::{Part, tensors};
use crate::slope::{Line, Sides};

impl Comparison<'_, '_> {
    /// Compares `H w`, by a recorded backward pass, with the slope of the tape's gradient along random `w`.
    pub(crate) fn by_second_order(&mut self) -> Result<(), Error> {
        let v = self.cotangents.dense[0].1.clone();
        let outputs = self.problem.outputs.clone();
        let inputs = self.problem.inputs.clone();
        for _ in 0..self.settings.directions {
            let norm = (self.x.len() as f64).sqrt();
            let w: Vec<f64> = self.x.iter().map(|_| weight(&mut self.rng) / norm).collect();
            let product = self.problem.record(&self.x, |run| {
                run.derivatives.hessian_product(&run, &tensors(&outputs, &v)?, &tensors(&inputs, &w)?)
            });
            if let Some(function) = product.as_ref().err().and_then(Error::no_rule) {
                let oracle = Oracle::SecondOrder;
                let not_applicable =
                    |part: &Part| NotApplicable { oracle, name: part.name.clone(), function };
                self.not_applicable.extend(inputs.iter().map(not_applicable));
                return Ok(());
            }
            let product = product?;
            let origin = self.problem.tape_gradients(&self.x, std::slice::from_ref(&v))?.remove(0);
            let wanted = self.each_block(|members| {
                let largest = members.iter().map(|&i| product[i].abs()).fold(0.0, f64::max);
                0.01 * self.settings.tolerance * largest
            });
            let rounding = self.each_block(|members| {
                f64::EPSILON * rms(&members.iter().map(|&i| origin[i]).collect::<Vec<_>>())
            });
            let (problem, x) = (&mut *self.problem, &self.x);
            let mut at = |s: f64| {
                let moved: Vec<f64> = x.iter().zip(&w).map(|(x, w)| x + s * w).collect();
                Ok(problem.tape_gradients(&moved, std::slice::from_ref(&v))?.remove(0))
            };
            let read = |g: &[f64]| g.to_vec();
            let (rounding, wanted) = (&rounding, &wanted);
            let sides = Sides::Both;
            let mut line = Line { at: &mut at, origin: &origin, read: &read, rounding, wanted, sides };
            let slope = line.slope(0.028)?;
            let kinks = line.kinks(1.0)?;
            for block in 0..self.blocks.len() {
                let members = self.blocks[block].members.clone();
                let magnitude = members.iter().map(|&i| product[i].abs().max(slope.value[i].abs()));
                let magnitude = magnitude.filter(|m| m.is_finite()).fold(0.0, f64::max);
                let tolerance = self.settings.tolerance * magnitude;
                for i in members {
                    let (analytic, numeric, error) = (product[i], slope.value[i], slope.error[i]);
                    let distance = (analytic - numeric).abs();
                    if contradicts(analytic, numeric, error, tolerance) && kinks[i].is_none() {
                        self.measure(block, Oracle::SecondOrder, distance, magnitude);
                        self.differences.push(Difference::new(
                            (Oracle::SecondOrder, block, Some(i), 0),
                            analytic,
                            numeric,
                            magnitude,
                        ));
                    } else if error <= tolerance {
                        self.measure(block, Oracle::SecondOrder, distance, magnitude);
                    }
                }
            }
        }
        Ok(())
    }

    /// A number a block, given to each of its members.
    fn each_block(&self, number: impl Fn(&[usize]) -> f64) -> Vec<f64> {
        let mut each = vec![0.0; self.x.len()];
        for block in &self.blocks {
            let number = number(&block.members);
            block.members.iter().for_each(|&place| each[place] = number);
        }
        each
    }
}
