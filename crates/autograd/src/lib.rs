//! Reverse-mode automatic differentiation on a tape: one table of rules, many readings.
#![forbid(unsafe_code)]

mod adjoint;
pub mod check;
mod dual;
mod error;
pub mod expr;
mod forward;
mod gradients;
mod jvp;
pub mod op;
mod operand;
mod ops;
mod param;
mod reads;
pub mod rules;
mod sweep;
mod tape;
pub mod value;
mod var;

pub use adjoint::Plain;
pub use dual::Dual;
pub use error::{Error, Result};
pub use expr::{Derivation, Expr};
pub use gradients::{Gradients, Key};
pub use op::Op;
pub use operand::Operand;
pub use param::Param;
pub use tape::Tape;
pub use value::Value;
pub use var::Var;
