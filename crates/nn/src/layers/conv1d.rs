//! The causal convolution over time.

use rand::Rng;
use retrograde_autograd::{Param, Var};
use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect};
use crate::{Error, Result, init, module};

const OP: &str = "conv1d";

/// A convolution over time that is causal: the output of a step reads that step and the K - 1 before it, of which those
/// before the sequence are zeros: `y_t = Σ_k x_{t-K+1+k} · W_k + b`.
///
/// # Shapes
/// `xs [N, T, D] -> ys [N, T, V]`; `W [K, D, V]`, `b [V]`. PyTorch's weight is `[V, D, K]`.
///
/// # Example
/// A quasi-recurrent network: convolutions make the gates, and the recurrence that is left is linear.
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Conv1d, linear_scan};
/// use retrograde_tensor::Tensor;
///
/// let rng = &mut StdRng::seed_from_u64(1);
/// let conv = Conv1d::<f64>::new(2, 3, 3 * 4, rng);
/// let tape = Tape::new();
/// let xs = tape.constant(Tensor::normal([5, 7, 3], 0.0, 1.0, rng)?); // [N, T, D]
/// let [z, f, o] = conv.forward(&xs)?.chunk(2); // [N, T, H] each
/// let f = f.sigmoid();
/// let hs = o.sigmoid() * linear_scan(&f, &((1.0 - &f) * z.tanh()), None)?;
/// assert_eq!(hs.value().dims(), [5, 7, 4]);
/// assert!(hs.sum().backward()?.get(&conv.w).is_some());
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// J. Bradbury et al., *Quasi-recurrent neural networks* (2017), section 2, masked convolutions.
#[derive(Clone, Debug)]
pub struct Conv1d<E: Float> {
    /// The weight, `W [K, D, V]`, whose last step is that of the output.
    pub w: Param<E>,
    /// The bias, `b [V]`.
    pub b: Param<E>,
}

module!(Conv1d { w, b });

impl<E: Float> Conv1d<E> {
    /// Creates a convolution of `k` steps of `d` features to `v`: normal weights of standard deviation `1/sqrt(k d)`, zero
    /// bias.
    pub fn new<R: Rng + ?Sized>(k: usize, d: usize, v: usize, rng: &mut R) -> Self {
        Conv1d {
            w: Param::of(OP, "W", init::normal([k, d, v], k.saturating_mul(d), rng)),
            b: Param::of(OP, "b", init::zeros([v])),
        }
    }

    /// Creates a convolution that shares these parameters.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_params(w: Param<E>, b: Param<E>) -> Result<Self> {
        let shape = w.shape();
        expect(OP, "w", &[Axis::Any("K"), Axis::Any("D"), Axis::Any("V")], shape)?;
        expect(OP, "b", &[Axis::Size(shape[2])], b.shape())?;
        Ok(Conv1d { w, b })
    }

    /// Creates a convolution of parameters with these initial values.
    ///
    /// # Errors
    /// If their shapes do not agree.
    pub fn from_arrays(w: Tensor<E>, b: Tensor<E>) -> Result<Self> {
        Self::from_params(Param::of(OP, "W", w), Param::of(OP, "b", b))
    }

    /// Runs over all steps of a sequence.
    ///
    /// # Shapes
    /// `[N, T, D] -> [N, T, V]`
    ///
    /// # Errors
    /// If `xs` has another shape, or if the kernel has no steps.
    pub fn forward<'t>(&self, xs: &Var<'t, E>) -> Result<Var<'t, E>> {
        let (tape, shape) = (xs.tape(), self.w.shape());
        let [k, d, v] = [0, 1, 2].map(|axis| shape[axis]);
        expect(OP, "xs", &[Axis::Any("N"), Axis::Any("T"), Axis::Size(d)], xs.shape())?;
        let [n, steps] = [0, 1].map(|axis| xs.shape()[axis]);
        let Some(before) = k.checked_sub(1) else {
            let expected = "a kernel of at least one step";
            return Err(Error::Unsupported { op: OP, expected, found: format!("a weight of shape {shape}") });
        };
        let past = tape.constant(Tensor::zeros([n, before, d]));
        let padded = Var::try_concat(&[past, xs.clone()], 1)?; // [N, K - 1 + T, D]
        let taps: Vec<_> = (0..k).map(|tap| padded.narrow(1, tap, steps)).collect(); // [N, T, D] each
        let w = tape.try_param(&self.w)?.try_reshape([k * d, v])?;
        Ok(Var::try_concat(&taps, 2)?.try_matmul(&w)?.try_add(&self.b)?)
    }
}
