//! Loops over elements that lie in memory in any way: strided places, pairs of elements, reductions.

pub(crate) mod reduce;
pub(crate) mod strided;
pub(crate) mod zip;
