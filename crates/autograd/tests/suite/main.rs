//! The tests of the crate from outside, as one program: what they share is compiled once.

mod ops;
mod rules_page;
mod tape;
