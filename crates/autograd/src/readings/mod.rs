//! The readings of a record by the one sweep: numbers, recorded gradients, other kinds of numbers,
//! a search for what is not finite.

pub(crate) mod expanded;
pub(crate) mod finite;
pub(crate) mod numbers;
pub(crate) mod observed;
mod pending;
mod product;
mod recorded;
mod replayed;
pub(crate) mod saved;
