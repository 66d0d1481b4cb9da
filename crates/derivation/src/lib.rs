//! Backward passes in writing: the table of rules, read over formulas in the names of the variables.
//!
//! [`derivation`](DeriveVar::derivation) sweeps a tape as [`Var::backward`](retrograde_autograd::Var::backward) does, over
//! formulas instead of numbers. A [`Derivation`] prints as text, LaTeX, NumPy and Rust, and time steps of the same operations
//! as the textbook's loop.
//!
//! # Example
//! ```
//! use retrograde_autograd::{Param, Tape};
//! use retrograde_derivation::DeriveVar;
//! use retrograde_tensor::Tensor;
//!
//! let wx = Param::new("Wx", Tensor::<f64>::zeros([3, 4]));
//! let wh = Param::new("Wh", Tensor::zeros([4, 4]));
//! let tape = Tape::new();
//! let h_prev = tape.var(Tensor::zeros([2, 4])).named("h_prev");
//! let x = tape.var(Tensor::zeros([2, 3])).named("x");
//! let t = (h_prev.matmul(&wh) + x.matmul(&wx)).named("t");
//! let h_next = t.tanh().named("h_next");
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

// `graph` is a tape without its values, `expr` and `simplify` are formulas, `lines` the sweep over them. `steps` finds
// repeated time steps, `author` cuts the graph into parts, `loops` derives a step as an `excerpt`, and what comes of it is a
// `program`. `notation`, `text` and `latex` write for readers; `passes` makes instructions (`code`) of a program, which
// `numpy` and `rust` write down as a `language`.
mod author;
mod code;
mod derivation;
mod excerpt;
mod expr;
mod graph;
mod language;
mod latex;
mod lines;
mod loops;
mod names;
mod notation;
mod numpy;
mod passes;
mod program;
mod rust;
mod simplify;
mod steps;
mod text;

pub use derivation::{Derivation, DeriveTape, DeriveVar, Line, Statement};
pub use expr::{Expr, Term};

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
