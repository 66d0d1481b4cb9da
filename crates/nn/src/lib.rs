//! Recurrent layers composed from primitive operations, and their hand-derived twins.
//!
//! A [`Cell`] is one step of a recurrent network, written as its formula; [`Time`] lifts it over a sequence, and a
//! [`Layer`] is anything over sequences that is composed of such. No
//! backward pass is written anywhere but in [`explicit`], where the textbook's is, to be compared with.
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
//! let mut adam = Adam::new(0.01);
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

mod attention;
mod bidirectional;
mod cell;
mod chain;
mod check;
mod checkpoint;
mod clip;
mod dropout;
mod embedding;
mod error;
pub mod explicit;
mod gru;
pub mod init;
mod layer;
mod layer_norm;
mod layer_norm_lstm;
mod linear;
mod loss;
mod lstm;
mod mgu;
mod module;
mod noise;
mod optim;
mod parallel;
mod pass;
mod peephole;
mod recurrent_dropout;
mod residual;
mod rnn;
mod schedule;
mod shapes;
mod stacked;
mod state;
mod stateful;
mod text;
mod time;
pub mod torch;
pub mod weights;
mod zoneout;

pub use attention::{AdditiveAttention, Attended, Attention, DotAttention};
pub use bidirectional::Bidirectional;
pub use cell::{Cell, StateOn};
pub use checkpoint::{Checkpoint, Generator};
pub use clip::{clip_grad_norm, clip_grad_value, grad_norm};
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use error::{Error, Result};
pub use gru::{GruCell, TimeGru};
pub use layer::{Layer, LayerStateOn, Unrolled};
pub use layer_norm::LayerNorm;
pub use layer_norm_lstm::LayerNormLstmCell;
pub use linear::Linear;
pub use loss::{CrossEntropy, MeanLoss, binary_cross_entropy, cross_entropy, mse};
pub use lstm::{LstmCell, TimeLstm};
pub use mgu::MguCell;
pub use module::{Module, join};
pub use noise::Noise;
pub use optim::{AdaGrad, Adam, AdamW, Group, Optimizer, OptimizerState, RmsProp, Sgd, Slot, Slots};
pub use parallel::{Parallel, rows};
pub use pass::SequenceOptions;
pub use peephole::PeepholeLstmCell;
pub use residual::Residual;
pub use rnn::{RnnCell, TimeRnn};
pub use schedule::{Plateau, Schedule};
pub use shapes::{Axis, Pattern};
pub use stacked::Stacked;
pub use state::{State, Zip};
pub use stateful::Stateful;
pub use text::{Perplexity, Sampler, Window, Windows};
pub use time::Time;

/// What [`module!`] needs to name.
#[doc(hidden)]
pub mod macro_support {
    pub use retrograde_autograd::Param;
    pub use retrograde_tensor::Float;
}
