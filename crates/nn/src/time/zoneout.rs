//! Zoneout.

use rand::RngExt;
use retrograde_autograd::Var;
use retrograde_tensor::{Float, Tensor};

use super::noise::Noise;

/// The next value of a variable of the state, of which each element stays as it was with probability `p`; in
/// evaluation, the mean of that: `p h_prev + (1 - p) h_next`.
///
/// # Source
/// D. Krueger et al., *Zoneout: regularizing RNNs by randomly preserving hidden activations* (2017), equations 2 to 5.
pub(crate) fn zoneout<'t, E: Float>(
    p: f64,
    noise: Noise,
    h_next: &Var<'t, E>,
    h_prev: &Var<'t, E>,
) -> Var<'t, E> {
    match noise.rng() {
        _ if p == 0.0 => h_next.clone(),
        Some(mut rng) => {
            let stays = |_: &[usize]| if rng.random::<f64>() < p { E::from_f64(1.0) } else { E::default() };
            h_prev.where_mask(Tensor::from_fn(h_next.shape(), stays), h_next)
        }
        None => h_next + (h_prev - h_next) * p,
    }
}
