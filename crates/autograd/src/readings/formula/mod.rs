//! The symbolic reading of the rules: the backward pass as formulas, in the names that the user gave.
//!
//! `expr` and `simplify` are formulas, `lines` the sweep over them; `steps` finds repeated time steps, `program` makes loops
//! of them; `notation`, `text` and `latex` write for readers, `code`, `numpy` and `rust` for machines.

mod code;
mod derivation;
mod expr;
mod latex;
mod lines;
mod names;
mod notation;
mod numpy;
mod program;
mod rust;
mod simplify;
mod steps;
mod text;

pub use derivation::{Derivation, Line, Statement};
pub use expr::{Expr, Term};
