//! Samples scaled by the sizes of a layer.

use rand::Rng;
use retrograde_tensor::{Float, IntoShape, Tensor};

/// Draws samples of the uniform distribution on `±1/sqrt(h)`, as PyTorch has them for all weights and biases of a recurrent
/// layer with a state of `h`.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_nn::init;
///
/// let wh = init::uniform::<f32, _>([16, 16], 16, &mut StdRng::seed_from_u64(1));
/// assert!(wh.abs().max().item()? <= 0.25);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// PyTorch, `torch.nn.RNN`, `LSTM` and `GRU`: "initialized from U(-√k, √k), where k = 1/hidden_size".
pub fn uniform<E: Float, R: Rng + ?Sized>(shape: impl IntoShape, h: usize, rng: &mut R) -> Tensor<E> {
    within(shape, 1.0 / (h.max(1) as f64).sqrt(), rng)
}

/// Draws samples of the uniform distribution on `±sqrt(6 / (fan-in + fan-out))`: activations and gradients keep their
/// variance through a layer that is nearly linear, such as one with tanh.
///
/// # Shapes
/// `[fan-in, fan-out]`
///
/// # Source
/// X. Glorot and Y. Bengio, *Understanding the difficulty of training deep feedforward neural networks* (2010),
/// equation 16.
pub fn xavier_uniform<E: Float, R: Rng + ?Sized>(shape: [usize; 2], rng: &mut R) -> Tensor<E> {
    within(shape, 3.0_f64.sqrt() * xavier(shape), rng)
}

/// Draws samples of the normal distribution of standard deviation `sqrt(2 / (fan-in + fan-out))`, as
/// [`xavier_uniform`] has it.
///
/// # Shapes
/// `[fan-in, fan-out]`
///
/// # Source
/// X. Glorot and Y. Bengio (2010), equation 12.
pub fn xavier_normal<E: Float, R: Rng + ?Sized>(shape: [usize; 2], rng: &mut R) -> Tensor<E> {
    around_zero(shape, xavier(shape), rng)
}

/// Draws samples of the uniform distribution on `±sqrt(6 / fan-in)`: activations keep their variance through a layer with
/// ReLU.
///
/// # Shapes
/// `[fan-in, fan-out]`
///
/// # Source
/// K. He et al., *Delving deep into rectifiers* (2015), equation 10.
pub fn kaiming_uniform<E: Float, R: Rng + ?Sized>(shape: [usize; 2], rng: &mut R) -> Tensor<E> {
    within(shape, 3.0_f64.sqrt() * kaiming(shape), rng)
}

/// Draws samples of the normal distribution of standard deviation `sqrt(2 / fan-in)`, as [`kaiming_uniform`] has it.
///
/// # Shapes
/// `[fan-in, fan-out]`
///
/// # Source
/// K. He et al. (2015), equation 10.
pub fn kaiming_normal<E: Float, R: Rng + ?Sized>(shape: [usize; 2], rng: &mut R) -> Tensor<E> {
    around_zero(shape, kaiming(shape), rng)
}

/// Xavier's standard deviation.
fn xavier([fan_in, fan_out]: [usize; 2]) -> f64 {
    (2.0 / (fan_in as f64 + fan_out as f64).max(1.0)).sqrt()
}

/// Kaiming's standard deviation.
fn kaiming([fan_in, _]: [usize; 2]) -> f64 {
    (2.0 / fan_in.max(1) as f64).sqrt()
}

fn within<E: Float, R: Rng + ?Sized>(shape: impl IntoShape, bound: f64, rng: &mut R) -> Tensor<E> {
    let bound = E::from_f64(bound);
    Tensor::uniform(shape, -bound, bound, rng).unwrap_or_else(|error| panic!("{error}"))
}

fn around_zero<E: Float, R: Rng + ?Sized>(shape: [usize; 2], std: f64, rng: &mut R) -> Tensor<E> {
    Tensor::normal(shape, E::default(), E::from_f64(std), rng).unwrap_or_else(|error| panic!("{error}"))
}
