//! A minimal automatic-differentiation framework for recurrent networks.
//!
//! A layer is written as its formula, and its backward pass is derived from the recorded tape. This crate gathers the
//! others: [`tensor`] for arrays, [`autograd`] for the tape and its derivatives, [`nn`] for recurrent layers.
//!
//! # Example
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
pub use retrograde_nn as nn;
pub use retrograde_tensor as tensor;

/// What most programs need.
pub mod prelude {
    pub use crate::autograd::{Gradients, Param, Tape, Var};
    pub use crate::nn::{
        Adam, Cell, Embedding, Linear, Module, RnnCell, Sgd, State, Time, TimeRnn, clip_grad_norm,
        cross_entropy, module,
    };
    pub use crate::tensor::{Float, Shape, Tensor, assert_close};
}
