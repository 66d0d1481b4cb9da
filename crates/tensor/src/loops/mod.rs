//! Loops over elements of any strides: strided places, blocks of elements, tuples of elements, reductions.

pub(crate) mod blocks;
pub(crate) mod fold;
pub(crate) mod reduce;
pub(crate) mod strided;
pub(crate) mod zip;
