//! The tests of the crate from outside, as one program: what they share is compiled once.

mod common;

mod attention;
mod autodiff_against_explicit;
mod cells;
mod chain;
mod checkpoint;
mod clip;
mod composites;
mod contract;
mod derived_formulas;
mod errors;
mod explicit_finite_differences;
mod function;
mod gated;
mod gated_against_explicit;
mod init;
mod layers;
mod loss;
mod loss_masked;
mod module;
mod more_cells;
mod numbers;
mod optim;
mod optim_rules;
mod options;
mod parallel;
mod recompute;
mod schedule;
mod state;
mod text;
mod torch;
mod weights;
mod weights_replace;
mod weights_write;
