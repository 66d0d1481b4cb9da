//! A minimal automatic-differentiation framework for recurrent networks.
//!
//! A layer is written as its formula, and its backward pass is derived from the recorded tape. This crate gathers the
//! others: [`tensor`] for arrays, [`autograd`] for the tape and its derivatives, [`derivation`] for backward passes in writing,
//! [`nn`] for recurrent layers, [`check`] for checking any of them.
//!
//! New here? [`Time`](nn::Time) is a cell over a sequence, [`rules`](autograd::rules) the table that all derivatives come
//! from, [`Derivation`](derivation::Derivation) a backward pass in writing, [`Check`](check::Check) the way to check one.
//!
//! # The backward pass in writing
//! Backpropagation through time, as derived from the tape of a layer. `p` is `xs·Wx + b`, computed for all steps at once:
//! ```
//! use retrograde::prelude::*;
//!
//! let mut rnn = TimeRnn::new(RnnCell::<f64>::new(3, 4, &mut StdRng::seed_from_u64(1)));
//! let tape = Tape::new();
//! let xs = tape.var(Tensor::ones([2, 5, 3])).named("xs"); // [N, T, D]
//! let hs = rnn.forward(&xs)?.hs;
//! let derived = "\
//! h_{-1} = h_prev
//! dh = 0
//! for t = T-1 .. 0:
//!     dh_t = dhs[:, t] + dh
//!     dt = dh_t ⊙ (1 - h_t²)
//!     dWh += h_{t-1}ᵀ·dt
//!     dh = dt·Whᵀ
//!     dp[:, t] = dt
//! dh_prev = dh
//! db = Σₙₜ dp
//! dWx = Σₙ (xsᵀ·dp)
//! dxs = dp·Wxᵀ
//! ";
//! assert_eq!(hs.derivation()?.to_string(), derived);
//! # Ok::<(), retrograde::nn::Error>(())
//! ```
//!
//! # Example
//! The same in numbers:
//! ```
//! use retrograde::prelude::*;
//!
//! let cell = RnnCell::from_arrays(Tensor::ones([1, 2]), Tensor::<f64>::eye(2), Tensor::zeros([2]))?;
//! let mut rnn = TimeRnn::new(cell);
//! let tape = Tape::new();
//! let xs = tape.var(Tensor::zeros([1, 3, 1])); // [N, T, D]
//! let out = rnn.forward(&xs)?;
//! let grads = out.hs.sum().backward()?;
//! assert_eq!(grads.get(&out.initial), Some(&Tensor::from([[3.0, 3.0]])));
//! assert_eq!(grads.get(&rnn.cell.b), Some(&Tensor::from([6.0, 6.0]))); // 1 + 2 + 3 over the steps
//! # Ok::<(), retrograde::nn::Error>(())
//! ```
#![forbid(unsafe_code)]

pub use retrograde_autograd as autograd;
pub use retrograde_check as check;
pub use retrograde_derivation as derivation;
pub use retrograde_nn as nn;
pub use retrograde_tensor as tensor;

/// The names that most programs need.
///
/// # Example
/// ```
/// use retrograde::prelude::*;
///
/// struct Scale<E> {
///     gain: Param<E>,
/// }
/// module!(Scale { gain });
///
/// let scale = Scale { gain: Param::new("gain", Tensor::from([2.0_f64, 3.0])) };
/// let tape = Tape::new();
/// let x = tape.var(Tensor::from([1.0, -1.0]));
/// let y = &x * &scale.gain;
/// let grads: Gradients<f64> = y.square().sum().backward()?;
/// Sgd::new(0.5).step(&grads)?; // dgain = 2 x² gain
/// assert_close!(scale.gain.value(), Tensor::zeros([2]), 0.0, 1e-15);
/// assert_eq!(scale.param_count(), 2);
/// # Ok::<(), retrograde::nn::Error>(())
/// ```
pub mod prelude {
    pub use crate::autograd::{Function, Gradients, Param, Placeholder, Tape, Var};
    pub use crate::check::Check;
    pub use crate::derivation::{DeriveTape, DeriveVar};
    pub use crate::nn::{
        Adam, AdditiveAttention, Attention, Cell, DotAttention, Embedding, GruCell, Layer, Linear, LstmCell,
        Module, Noise, Optimizer, RnnCell, SequenceOptions, Sgd, State, Stateful, Time, TimeGru, TimeLstm,
        TimeRnn, Tree, clip_grad_norm, cross_entropy, module, state,
    };
    pub use crate::tensor::{Float, IntoShape, Shape, Tensor, assert_close};
    pub use rand::SeedableRng;
    pub use rand::rngs::StdRng;
}

/// The examples of the README, as tests.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
