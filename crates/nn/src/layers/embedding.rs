//! Vectors for ids.

use rand::Rng;
use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Tensor};

use crate::shapes::{Axis, expect};
use crate::{Result, init, module};

/// A table with a vector for each id, looked up by row.
///
/// # Shapes
/// `ids [..] -> [.., D]`; `W [V, D]`
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::Embedding;
/// use retrograde_tensor::Tensor;
///
/// let embedding = Embedding::from_array(Tensor::from([[1.0, 2.0], [3.0, 4.0]]))?;
/// let tape = Tape::new();
/// let xs = embedding.forward(&tape, &Tensor::from([[1, 0, 1]]))?; // [N, T] -> [N, T, D]
/// assert_eq!(xs.value(), &Tensor::from([[[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]]));
/// let grads = xs.sum().backward()?;
/// assert_eq!(grads.get(&embedding.w), Some(&Tensor::from([[1.0, 1.0], [2.0, 2.0]])));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// Tied to the output of a language model, the same parameter transposed: its gradient is the sum of both uses.
/// ```
/// # use rand::{SeedableRng, rngs::StdRng};
/// # use retrograde_autograd::{Param, Tape};
/// # use retrograde_nn::{Embedding, cross_entropy};
/// # use retrograde_tensor::Tensor;
/// let embedding = Embedding::<f64>::new(5, 3, &mut StdRng::seed_from_u64(1));
/// let b = Param::new("b", Tensor::zeros([5]));
/// let tape = Tape::new();
/// let xs = embedding.forward(&tape, &Tensor::from([[1, 4]]))?; // [N, T] -> [N, T, D]
/// let hs = xs.tanh(); // what a layer makes of them
/// let logits = hs.matmul(tape.param(&embedding.w).t()) + &b; // [N, T, V]
/// let grads = cross_entropy(&logits, &Tensor::from([[4, 2]]))?.backward()?;
/// assert_eq!(grads.params().count(), 2);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// Tied weights: O. Press and L. Wolf, *Using the output embedding to improve language models* (2017).
#[derive(Clone, Debug)]
pub struct Embedding<E: Float> {
    /// The table, `W [V, D]`.
    pub w: Param<E>,
}

module!(Embedding { w });

impl<E: Float> Embedding<E> {
    /// Creates vectors of `d` features for `v` ids, normal of standard deviation `1/sqrt(d)`: about as long as 1.
    pub fn new<R: Rng + ?Sized>(v: usize, d: usize, rng: &mut R) -> Self {
        Embedding { w: Param::of("embedding", "W", init::normal([v, d], d, rng)) }
    }

    /// Creates an embedding that shares this table.
    ///
    /// # Errors
    /// If it is not of rank 2.
    pub fn from_param(w: Param<E>) -> Result<Self> {
        expect("embedding", "w", &[Axis::Any("V"), Axis::Any("D")], w.shape())?;
        Ok(Embedding { w })
    }

    /// Creates an embedding of a table with these initial values.
    ///
    /// # Errors
    /// If it is not of rank 2.
    pub fn from_array(w: Tensor<E>) -> Result<Self> {
        Self::from_param(Param::of("embedding", "W", w))
    }

    /// Looks up the vectors of ids.
    ///
    /// # Shapes
    /// `[..] -> [.., D]`
    ///
    /// # Errors
    /// If an id is not below V.
    pub fn forward<'t>(&self, tape: &'t Tape<E>, ids: &Tensor<usize>) -> Result<Var<'t, E>> {
        Ok(tape.try_param(&self.w)?.try_gather_rows(ids)?)
    }
}
