use rand::Rng;
use rand_distr::{Distribution, Uniform};

use crate::{Element, Error, Float, Shape, Tensor};

impl<E: Element> Tensor<E> {
    /// A tensor of samples of a distribution, drawn in row-major order.
    pub fn random<R: Rng + ?Sized>(
        shape: impl Into<Shape>,
        distr: &impl Distribution<E>,
        rng: &mut R,
    ) -> Self {
        let shape = shape.into();
        Self::filled((0..shape.numel()).map(|_| distr.sample(rng)).collect(), shape)
    }
}

impl<E: Float> Tensor<E> {
    /// A tensor of samples of the uniform distribution on `low <= x < high`.
    ///
    /// # Errors
    /// If a bound is not finite, or if `low >= high`.
    pub fn uniform<R: Rng + ?Sized>(
        shape: impl Into<Shape>,
        low: E,
        high: E,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let distr = Uniform::new(low, high).map_err(|_| Error::Bounds {
            op: "uniform",
            low: low.to_f64(),
            high: high.to_f64(),
        })?;
        Ok(Self::random(shape, &distr, rng))
    }

    /// A tensor of samples of the normal distribution.
    ///
    /// # Errors
    /// If the mean or the standard deviation is not finite, or if the latter is negative.
    pub fn normal<R: Rng + ?Sized>(
        shape: impl Into<Shape>,
        mean: E,
        std: E,
        rng: &mut R,
    ) -> Result<Self, Error> {
        let (m, s) = (mean.to_f64(), std.to_f64());
        if !m.is_finite() || !s.is_finite() || s < 0.0 {
            return Err(Error::Normal { op: "normal", mean: m, std: s });
        }
        let shape = shape.into();
        let data = (0..shape.numel()).map(|_| mean + std * E::standard_normal(rng));
        Ok(Self::filled(data.collect(), shape))
    }
}
