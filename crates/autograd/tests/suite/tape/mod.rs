//! The records of a tape, its values, its errors, and how it prints.

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
