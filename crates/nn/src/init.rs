//! Initial values of parameters.

use rand::Rng;
use retrograde_tensor::{Float, Shape, Tensor};

/// Samples of a normal distribution of mean 0 and standard deviation `1/sqrt(fan_in)`, from the caller's generator.
///
/// A sum of `fan_in` inputs of variance 1 then has variance 1.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_nn::init;
/// use retrograde_tensor::Tensor;
///
/// let w: Tensor<f64> = init::normal([400, 100], 400, &mut StdRng::seed_from_u64(1));
/// let std = w.square().mean().item()?.sqrt();
/// assert!((std - 0.05).abs() < 0.001);
/// # Ok::<(), retrograde_tensor::Error>(())
/// ```
///
/// # Source
/// Y. LeCun et al., *Efficient BackProp* (1998), section 4.6.
pub fn normal<E: Float, R: Rng + ?Sized>(shape: impl Into<Shape>, fan_in: usize, rng: &mut R) -> Tensor<E> {
    let std = 1.0 / (fan_in.max(1) as f64).sqrt();
    Tensor::normal(shape, E::default(), E::from_f64(std), rng).expect("the standard deviation is finite")
}

/// Zeros, as biases start.
pub fn zeros<E: Float>(shape: impl Into<Shape>) -> Tensor<E> {
    Tensor::zeros(shape)
}
