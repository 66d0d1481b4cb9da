//! Common parts of the tests that cross crates.
#![forbid(unsafe_code)]

pub mod golden;
