//! Recurrent dropout.

use retrograde_autograd::Var;
use retrograde_tensor::{Float, Tensor};

use super::noise::Noise;
use super::noise::mask;
use super::state::State;

/// One mask for each variable of the state, the same in all steps of a sequence; none for what is not dropped.
///
/// # Source
/// Y. Gal and Z. Ghahramani, *A theoretically grounded application of dropout in recurrent neural networks* (2016),
/// section 4.
pub(crate) struct RecurrentDropout<E: Float>(Vec<Option<Tensor<E>>>);

impl<E: Float> RecurrentDropout<E> {
    /// Masks for states like `zeros`, or nothing, if nothing is dropped.
    pub(crate) fn draw<S: State<E>>(p: &[f64], noise: Noise, zeros: &S) -> Option<Self> {
        if !noise.is_on() || p.iter().all(|&p| p == 0.0) {
            return None;
        }
        let mut masks = Vec::with_capacity(p.len());
        zeros.each(&mut |part| {
            let i = masks.len();
            let drawn = noise.child(i).rng().filter(|_| p[i] > 0.0);
            masks.push(drawn.map(|mut rng| mask(p[i], part.shape(), &mut rng)));
        });
        Some(RecurrentDropout(masks))
    }

    /// What a step reads of a state.
    pub(crate) fn of<'t, S: State<E>>(&self, state: &S::On<'t>) -> S::On<'t> {
        let mut masks = self.0.iter();
        S::zip_on(state, state, &mut |part: &Var<'t, E>, _| match masks
            .next()
            .expect("a mask for each variable of the state")
        {
            Some(mask) => part * mask,
            None => part.clone(),
        })
    }
}
