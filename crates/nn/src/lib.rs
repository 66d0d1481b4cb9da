//! Recurrent layers composed from primitive operations, and their hand-derived twins.
//!
//! A [`Cell`] is one step of a recurrent network, written as its formula; [`Time`] lifts it over a sequence, and a
//! [`Layer`] is anything over sequences that is composed of such layers. Backward passes are written in [`explicit`] alone,
//! as the textbook has them, for comparison.
//!
//! # Example
//! ```
//! use rand::{SeedableRng, rngs::StdRng};
//! use retrograde_autograd::Tape;
//! use retrograde_nn::{Adam, Linear, Module, Optimizer, RnnCell, TimeRnn, clip_grad_norm, cross_entropy, module};
//! use retrograde_tensor::{Float, Tensor};
//!
//! struct Model<E: Float> {
//!     rnn: TimeRnn<E>,
//!     linear: Linear<E>,
//! }
//! module!(Model { rnn, linear });
//!
//! let mut rng = StdRng::seed_from_u64(1);
//! let mut model = Model::<f32> {
//!     rnn: TimeRnn::new(RnnCell::new(3, 8, &mut rng)).stateful(true),
//!     linear: Linear::new(8, 5, &mut rng),
//! };
//! let mut adam = Adam::new(0.01).of(&model)?; // refuses gradients of parameters that `module!` does not list
//! for _ in 0..3 {
//!     let tape = Tape::new();
//!     let xs = tape.constant(Tensor::normal([2, 4, 3], 0.0, 1.0, &mut rng)?); // [N, T, D]
//!     let hs = model.rnn.forward(&xs)?.hs; // [N, T, H]
//!     let logits = model.linear.forward(&hs)?; // [N, T, V]
//!     let loss = cross_entropy(&logits, &Tensor::from([[0, 1, 2, 3], [4, 3, 2, 1]]))?;
//!     let mut grads = loss.backward()?;
//!     clip_grad_norm(&mut grads, 0.25);
//!     adam.step(&grads)?;
//! }
//! assert_eq!(model.param_count(), 3 * 8 + 8 * 8 + 8 + 8 * 5 + 5);
//! # Ok::<(), retrograde_nn::Error>(())
//! ```
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]

mod batches;
mod cells;
mod checkpoint;
mod clip;
mod error;
pub mod explicit;
pub mod init;
mod layers;
mod loss;
mod module;
mod optim;
mod parallel;
mod patience;
mod range;
mod scan;
mod schedule;
mod shapes;
mod snapshot;
mod text;
mod time;
pub mod torch;
pub mod weights;

pub use batches::Batches;
pub use cells::{
    GruCell, LayerNormLstmCell, LstmCell, MguCell, PeepholeLstmCell, RnnCell, TimeGru, TimeLstm, TimeRnn,
};
pub use checkpoint::{Checkpoint, Generator, Restored, Rounding};
pub use clip::{clip_grad_norm, clip_grad_value, grad_norm, try_clip_grad_norm};
pub use error::{Error, Result};
pub use layers::{
    AdditiveAttention, Attended, Attention, Bidirectional, Conv1d, DotAttention, Dropout, Embedding,
    LayerNorm, Linear, Residual, Stacked,
};
pub use loss::{CrossEntropy, MeanLoss, binary_cross_entropy, cross_entropy, mse};
pub use module::{Module, join};
pub use optim::{
    AdaGrad, Adam, AdamW, Group, GroupSettings, Optimizer, OptimizerState, Rates, RmsProp, Setting, Sgd,
    Slot, Slots,
};
pub use parallel::{Parallel, split_even};
pub use patience::{Patience, Progress};
pub use scan::{linear_scan, scan};
pub use schedule::{Plateau, Schedule};
pub use shapes::{Axis, Pattern};
pub use snapshot::{Ema, Snapshot};
pub use text::{Beam, BeamSearch, Perplexity, Sampler, Window, Windows};
pub use time::{
    BoxedCell, Causality, Cell, Form, Layer, LayerStateOn, Leaf, Mapped, Noise, OnTape, SequenceOptions,
    Single, State, StateOn, Stateful, Time, Tree, Unrolled,
};

/// Names that the macros use.
#[doc(hidden)]
pub mod macro_support {
    pub use crate::optim::{Number, other_settings, setting};
    pub use crate::range::Range;
    pub use retrograde_autograd::{Param, Placeholder};
    pub use retrograde_tensor::Float;
}

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
