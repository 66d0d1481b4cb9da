//! Initial values of parameters.
//!
//! Weights are `[fan-in, fan-out]` here, as `x · W` needs them; PyTorch's are transposed.

mod orthogonal;
mod scaled;

use rand::Rng;
use retrograde_tensor::{Float, IntoShape, Tensor};

use crate::shapes::times;
pub use orthogonal::orthogonal;
pub use scaled::{kaiming_normal, kaiming_uniform, uniform, xavier_normal, xavier_uniform};

/// Draws samples of a normal distribution of mean 0 and standard deviation `1/sqrt(fan_in)`, from the caller's generator.
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
pub fn normal<E: Float, R: Rng + ?Sized>(shape: impl IntoShape, fan_in: usize, rng: &mut R) -> Tensor<E> {
    let std = 1.0 / (fan_in.max(1) as f64).sqrt();
    Tensor::normal(shape, E::default(), E::from_f64(std), rng).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns ones on the diagonal, zeros elsewhere: a recurrent weight that passes the state on unchanged.
///
/// # Example
/// ```
/// use retrograde_nn::init;
/// use retrograde_tensor::Tensor;
///
/// assert_eq!(init::identity::<f32>([2, 3]), Tensor::from([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]));
/// ```
///
/// # Source
/// Q. Le, N. Jaitly and G. Hinton, *A simple way to initialize recurrent networks of rectified linear units* (2015),
/// section 3.
#[must_use]
pub fn identity<E: Float>(shape: [usize; 2]) -> Tensor<E> {
    Tensor::from_fn(shape, |index| E::from_f64(f64::from(index[0] == index[1])))
}

/// Returns the bias of an LSTM for a state of `h`: `forget` for the forget gate, which comes first of f, g, i, o, and zeros
/// for the others. With a `forget` of 1 or 2 the cell remembers from the start.
///
/// # Shapes
/// `-> [4 H]`
///
/// # Example
/// ```
/// use retrograde_nn::init;
/// use retrograde_tensor::Tensor;
///
/// let b = init::forget_bias::<f64>(2, 1.0);
/// assert_eq!(b, Tensor::from([1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]));
/// ```
///
/// # Source
/// F. Gers, J. Schmidhuber and F. Cummins, *Learning to forget* (2000), section 4; R. Jozefowicz, W. Zaremba and
/// I. Sutskever, *An empirical exploration of recurrent network architectures* (2015), section 2.2.
#[must_use]
pub fn forget_bias<E: Float>(h: usize, forget: f64) -> Tensor<E> {
    Tensor::from_fn([times("forget_bias", 4, h)], |index| {
        if index[0] < h { E::from_f64(forget) } else { E::default() }
    })
}

/// Returns zeros, from which biases start.
pub fn zeros<E: Float>(shape: impl IntoShape) -> Tensor<E> {
    Tensor::zeros(shape)
}
