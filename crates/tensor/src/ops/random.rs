//! Tensors of random samples.

use rand::Rng;
use rand_distr::Distribution;

use crate::error::or_panic;
use crate::{Element, Error, Float, IntoShape, Tensor};

impl<E: Element> Tensor<E> {
    /// A tensor of samples of a distribution, drawn in row-major order.
    ///
    /// # Example
    /// ```
    /// use rand::SeedableRng;
    /// use rand::rngs::StdRng;
    /// use rand_distr::Poisson;
    /// use retrograde_tensor::Tensor;
    ///
    /// let distr = Poisson::new(3.0_f64).unwrap();
    /// let x = Tensor::<f64>::random([2, 3], &distr, &mut StdRng::seed_from_u64(1));
    /// assert_eq!(x.dims(), [2, 3]);
    /// ```
    #[track_caller]
    pub fn random<R: Rng + ?Sized>(shape: impl IntoShape, distr: &impl Distribution<E>, rng: &mut R) -> Self {
        or_panic(Self::sampled("random", shape, || distr.sample(rng)))
    }

    fn sampled(
        op: &'static str,
        shape: impl IntoShape,
        mut sample: impl FnMut() -> E,
    ) -> Result<Self, Error> {
        let shape = shape.into_shape(op)?;
        Self::collected(op, shape, (0..shape.numel()).map(|_| sample()))
    }
}

impl<E: Float> Tensor<E> {
    /// A tensor of samples of the uniform distribution on `low <= x < high`.
    ///
    /// # Errors
    /// If a bound is not finite, if `low >= high`, or if the tensor does not fit in memory.
    ///
    /// # Example
    /// ```
    /// use rand::SeedableRng;
    /// use rand::rngs::StdRng;
    /// use retrograde_tensor::Tensor;
    ///
    /// let x = Tensor::uniform([2, 3], -1.0, 1.0, &mut StdRng::seed_from_u64(1))?;
    /// assert!(x.abs().max().item()? <= 1.0);
    /// # Ok::<(), retrograde_tensor::Error>(())
    /// ```
    pub fn uniform<R: Rng + ?Sized>(
        shape: impl IntoShape,
        low: E,
        high: E,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let bounds = || Error::Bounds { op: "uniform", low: low.to_f64(), high: high.to_f64() };
        let distr = E::uniform(low, high).ok_or_else(bounds)?;
        Self::sampled("uniform", shape, || distr.sample(rng))
    }

    /// A tensor of samples of the normal distribution.
    ///
    /// # Errors
    /// If the mean or the standard deviation is not finite, or if the latter is negative, or if the tensor does
    /// not fit in memory.
    ///
    /// # Example
    /// ```
    /// use rand::SeedableRng;
    /// use rand::rngs::StdRng;
    /// use retrograde_tensor::Tensor;
    ///
    /// // Xavier's initial weights for 100 inputs.
    /// let w = Tensor::<f32>::normal([100, 50], 0.0, 0.1, &mut StdRng::seed_from_u64(1))?;
    /// assert_eq!(w, Tensor::normal([100, 50], 0.0, 0.1, &mut StdRng::seed_from_u64(1))?);
    /// # Ok::<(), retrograde_tensor::Error>(())
    /// ```
    pub fn normal<R: Rng + ?Sized>(
        shape: impl IntoShape,
        mean: E,
        std: E,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let (m, s) = (mean.to_f64(), std.to_f64());
        if !m.is_finite() || !s.is_finite() || s < 0.0 {
            return Err(Error::Normal { op: "normal", mean: m, std: s });
        }
        Self::sampled("normal", shape, || mean + std * E::standard_normal(rng))
    }
}
