//! What a tape records, keeps, hands out, refuses and prints.

mod errors;
mod finite;
mod function;
mod gradients;
mod hessian;
mod long;
mod operands;
mod print;
mod recompute;
