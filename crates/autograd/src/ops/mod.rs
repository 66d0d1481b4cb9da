//! The methods of a variable, one an operation, grouped by what they do.

mod arithmetic;
mod elementwise;
mod index;
mod linear;
mod reduce;
mod shape;
mod slice;
