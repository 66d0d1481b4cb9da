//! Noise of a forward pass.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde_autograd::Var;
use retrograde_tensor::{Float, Shape, Tensor};

/// The seed of random layers such as [`Dropout`](crate::Dropout): in training there is one, in evaluation there is none
/// and they do not act.
///
/// It is part of a call, not of a layer, and holds no generator that a call would change: the same noise gives the same
/// masks. Give each training step its own, such as `Noise::seeded(step)` or one drawn from a generator.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Dropout, Noise};
/// use retrograde_tensor::Tensor;
///
/// let dropout = Dropout::new(0.5)?;
/// let tape = Tape::new();
/// let x = tape.var(Tensor::<f64>::ones([2, 3]));
/// assert_eq!(dropout.forward(&x, Noise::off()).value(), x.value());
/// let (first, again) = (dropout.forward(&x, Noise::seeded(1)), dropout.forward(&x, Noise::seeded(1)));
/// assert_eq!(first.value(), again.value());
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise(Option<u64>);

impl Noise {
    /// Returns no noise: evaluation.
    #[must_use]
    pub fn off() -> Self {
        Noise(None)
    }

    /// Returns noise drawn from a seed: training.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Noise(Some(seed))
    }

    /// Whether there is noise.
    #[must_use]
    pub fn is_on(self) -> bool {
        self.0.is_some()
    }

    /// Returns other noise for part `i` of a layer or step `i`, independent of that for every other part.
    #[must_use]
    pub fn child(self, i: usize) -> Self {
        Noise(self.0.map(|seed| mix(seed.wrapping_add(mix(i as u64 + 1)))))
    }

    /// Returns a generator that starts from the seed, if there is noise.
    pub fn rng(self) -> Option<StdRng> {
        self.0.map(StdRng::seed_from_u64)
    }
}

/// Scatters seeds that lie side by side.
///
/// # Source
/// G. Steele, D. Lea and C. Flood, *Fast splittable pseudorandom number generators* (2014): SplitMix64.
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// Zeros with probability `p`, elsewhere what keeps the mean: `1 / (1 - p)`.
pub(crate) fn mask<E: Float>(p: f64, shape: Shape, rng: &mut StdRng) -> Tensor<E> {
    let stays = E::from_f64(1.0 / (1.0 - p));
    Tensor::from_fn(shape, |_| if rng.random::<f64>() < p { E::default() } else { stays })
}

/// `x ⊙ mask`, and 0 where the mask is, whatever `x` and its cotangent are: multiplied by 0, an infinite one would be NaN.
pub(crate) fn dropped<'t, E: Float>(x: &Var<'t, E>, mask: &Tensor<E>) -> Var<'t, E> {
    (x * mask).where_mask(mask, 0.0)
}
