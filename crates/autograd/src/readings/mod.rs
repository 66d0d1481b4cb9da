//! The readings of a record by the one sweep: numbers, recorded gradients, formulas, other kinds
//! of numbers, a search for what is not finite.

pub(crate) mod finite;
pub mod formula;
pub(crate) mod numbers;
pub(crate) mod observed;
mod pending;
mod recorded;
mod replayed;
pub(crate) mod saved;
