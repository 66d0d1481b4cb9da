//! Loops over elements that lie in memory in any way: strided places, blocks of elements, tuples of elements, reductions.

pub(crate) mod blocks;
pub(crate) mod reduce;
pub(crate) mod strided;
pub(crate) mod zip;
