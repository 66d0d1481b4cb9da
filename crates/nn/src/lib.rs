//! Recurrent layers composed from primitive operations, and their hand-derived twins.
#![forbid(unsafe_code)]

mod error;
pub mod weights;

pub use error::{Error, Result};
