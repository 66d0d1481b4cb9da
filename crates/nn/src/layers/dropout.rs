//! Dropout.

use retrograde_autograd::Var;
use retrograde_tensor::Float;

use crate::Result;
use crate::range::Range;
use crate::time::Noise;
use crate::time::noise::{dropped, mask};

/// Sets elements to zero at random in training, and divides the others by the probability to stay, so that the mean
/// stays the same. In evaluation it changes nothing.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Dropout, Noise};
/// use retrograde_tensor::Tensor;
///
/// let dropout = Dropout::new(0.75)?;
/// let tape = Tape::new();
/// let x = tape.var(Tensor::<f64>::ones([100]));
/// let y = dropout.forward(&x, Noise::seeded(1));
/// assert!(y.value().iter().all(|y| y == 0.0 || y == 4.0));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// N. Srivastava et al., *Dropout: a simple way to prevent neural networks from overfitting* (2014); one mask for all
/// time steps, Y. Gal and Z. Ghahramani, *A theoretically grounded application of dropout in recurrent neural
/// networks* (2016).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dropout {
    p: f64,
    variational: bool,
}

impl Dropout {
    /// Creates dropout that sets each element to zero with probability `p`.
    ///
    /// # Errors
    /// If `p` is not at least 0 and below 1.
    pub fn new(p: f64) -> Result<Self> {
        let p = Range::BelowOne.check("dropout", "p", p)?;
        Ok(Dropout { p, variational: false })
    }

    /// Creates dropout with one mask for all time steps of a sequence `[N, T, ..]`.
    ///
    /// # Errors
    /// If `p` is not at least 0 and below 1.
    pub fn variational(p: f64) -> Result<Self> {
        Ok(Dropout { variational: true, ..Dropout::new(p)? })
    }

    /// Returns the probability of zero.
    #[must_use]
    pub fn p(&self) -> f64 {
        self.p
    }

    /// Returns `x ⊙ mask / (1 - p)`, the mask drawn from the noise; `x` if there is none.
    ///
    /// # Shapes
    /// Any; for one mask for all time steps at least `[N, T]`.
    ///
    /// # Panics
    /// If the mask is one for all time steps, and `x` has no second axis.
    #[track_caller]
    #[must_use]
    pub fn forward<'t, E: Float>(&self, x: &Var<'t, E>, noise: Noise) -> Var<'t, E> {
        let Some(mut rng) = noise.rng().filter(|_| self.p > 0.0) else {
            return x.clone();
        };
        let shape = if self.variational { x.shape().with_axis(1, 1) } else { x.shape() };
        dropped(x, &mask(self.p, shape, &mut rng))
    }
}
