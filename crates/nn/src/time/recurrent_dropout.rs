//! Recurrent dropout.

use retrograde_tensor::{Float, Shape, Tensor};

use super::noise::Noise;
use super::noise::{dropped, mask};
use super::state::{OnTape, State, StateShapes};
use super::tree::Tree;

/// One mask for each variable of the state, the same in all steps of a sequence; none for what is not dropped.
///
/// # Source
/// Y. Gal and Z. Ghahramani, *A theoretically grounded application of dropout in recurrent neural networks* (2016),
/// section 4.
pub(crate) struct RecurrentDropout<E: Float>(Vec<Option<Tensor<E>>>);

impl<E: Float> RecurrentDropout<E> {
    /// Draws masks for states of these shapes; none if nothing is dropped.
    pub(crate) fn draw(p: &[f64], noise: Noise, shapes: &StateShapes) -> Option<Self> {
        if !noise.is_on() || p.is_empty() {
            return None;
        }
        let draw = |(i, (&p, &shape)): (usize, (&f64, &Shape))| {
            noise.child(i).rng().filter(|_| p > 0.0).map(|mut rng| mask(p, shape, &mut rng))
        };
        Some(RecurrentDropout(p.iter().zip(&shapes.0).enumerate().map(draw).collect()))
    }

    /// Returns the state as a step reads it.
    pub(crate) fn of<'t, S: State<E>>(&self, state: &OnTape<'t, S, E>) -> OnTape<'t, S, E> {
        let mut masks = self.0.iter();
        Tree::map(state, |part| match masks.next().expect("a mask for each variable of the state") {
            Some(mask) => dropped(part, mask),
            None => part.clone(),
        })
    }
}
