//! The tests of the crate from outside, as one program: what they share is compiled once.

mod layers;

mod black_box;
mod check;
mod errors;
mod every_layer;
mod function;
mod losses;
mod options;
mod right;
mod settings;
mod verdicts;
