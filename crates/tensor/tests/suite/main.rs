//! The tests of the crate from outside, as one program: what they share is compiled once.

#[macro_use]
mod common;

mod blocks;
mod buffers;
mod convert;
mod create;
mod dual;
mod elementwise;
mod errors;
mod indexing;
mod infer;
mod level;
mod products;
mod reductions;
mod sizes;
mod surface;
mod text;
mod views;
