//! What a tape records, keeps, hands out, refuses and prints.

mod errors;
mod finite;
mod function;
mod gradients;
mod hessian;
mod inspect;
mod long;
mod operands;
mod params;
mod print;
mod recompute;
mod untracked;
