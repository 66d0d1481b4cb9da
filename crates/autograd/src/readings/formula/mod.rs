//! The symbolic reading of the rules: the backward pass as formulas, in the names that the user gave.

mod derivation;
mod expr;
mod latex;
mod notation;
mod text;

pub use derivation::{Derivation, Line};
pub use expr::{Expr, Term};
