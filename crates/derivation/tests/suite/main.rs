//! The tests of the crate from outside, as one program: what they share is compiled once.

mod formulas;
mod functions;
mod sizes;
