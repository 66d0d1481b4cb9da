//! The methods of a tensor, a file for each family.

mod compare;
mod create;
mod display;
mod elementwise;
mod infer;
mod iter;
mod join;
mod matmul;
mod operators;
mod random;
mod reduce;
mod rows;
mod softmax;
mod view;

pub use compare::{Mismatch, Worst};
pub use iter::Iter;
