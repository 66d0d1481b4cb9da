//! The tests of the crate from outside, as one program: what they share is compiled once.

mod layers;

mod check;
mod check_errors;
mod formulas;
mod ops;
mod tape;
