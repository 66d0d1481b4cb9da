//! Reverse-mode automatic differentiation on a tape: one table of rules, many readings.
//!
//! A [`Tape`] records operations on [`Var`]s as they are computed. For each input of each operation one line of
//! [`rules`] says what its cotangent is, and says it once, over anything that implements [`Value`]. One sweep reads
//! the recorded operations backwards and applies those lines, so each kind of value is a reading of the same record:
//!
//! | reading | what comes out |
//! |---|---|
//! | tensors, with fused kernels: [`Var::backward`] | gradients |
//! | tensors, as the table has it: [`Tape::backward_over`] with [`Plain`] | the oracle for the fused kernels |
//! | other numbers, from the inputs on: [`Tape::backward_in`] | how exact a gradient is |
//! | variables: [`Var::backward_recorded`] | gradients that can be differentiated again, [`Var::hvp`] |
//! | formulas: the crate `retrograde-derivation` | the backward pass in writing: text, LaTeX, NumPy, Rust |
//! | the set of values that a line looks at | what the tape has to keep |
//!
//! Another reading, over a tape or anything else that has operations, is an implementation of [`sweep::Reading`].
//!
//! Read forwards, the record needs no table: [`Tape::jvp`] computes it again over [`Dual`] numbers, which makes it an
//! oracle for all of the above, and [`Tape::check_finite`] finds the first value that is infinite or NaN.
//!
//! # Example
//! ```
//! use retrograde_autograd::{Param, Tape};
//! use retrograde_derivation::DeriveVar;
//! use retrograde_tensor::Tensor;
//!
//! let wx = Param::new("Wx", Tensor::from([[0.5_f64, -0.3]]));
//! let wh = Param::new("Wh", Tensor::from([[0.1, 0.4], [-0.2, 0.3]]));
//! let tape = Tape::new();
//! let h_prev = tape.var(Tensor::from([[0.2, -0.1]])).named("h_prev");
//! let x = tape.var(Tensor::from([[1.0]])).named("x");
//! let t = (h_prev.matmul(&wh) + x.matmul(&wx)).named("t");
//! let h_next = t.tanh().named("h_next");
//!
//! let dh_next = Tensor::from([[1.0, -2.0]]);
//! let gradients = h_next.backward_with(&dh_next)?;
//! let dt = dh_next * (1.0 - h_next.value().square());
//! assert_eq!(gradients.get(&wh), Some(&h_prev.value().t().matmul(&dt)));
//!
//! let derived = "\
//! dt = dh_next ⊙ (1 - h_next²)
//! dWx = xᵀ·dt
//! dWh = h_prevᵀ·dt
//! dx = dt·Wxᵀ
//! dh_prev = dt·Whᵀ
//! ";
//! assert_eq!(h_next.derivation()?.to_string(), derived);
//! # Ok::<(), retrograde_autograd::Error>(())
//! ```
#![forbid(unsafe_code)]

mod backward;
mod display;
mod error;
mod forward_mode;
mod function;
mod gradients;
#[cfg(debug_assertions)]
mod instances;
pub mod op;
mod readings;
mod recompute;
pub mod rules;
pub mod sweep;
mod tape;
pub mod value;

pub use error::{Error, Result};
pub use forward_mode::dual::Dual;
pub use function::Function;
pub use gradients::{Gradients, Key};
pub use op::Op;
pub use readings::finite::{Direction, NonFinite};
pub use readings::numbers::Plain;
pub use readings::observed::{Term, Visit};
pub use tape::Tape;
pub use tape::bind::Placeholder;
pub use tape::id::NodeId;
pub use tape::inspect::{Node, NodeKind};
pub use tape::operand::Operand;
pub use tape::param::Param;
pub use tape::var::Var;
pub use value::Value;

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
