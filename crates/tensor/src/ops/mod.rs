//! The methods of a tensor, a file for each family.

mod cast;
mod compare;
mod create;
mod display;
mod elementwise;
mod infer;
mod iter;
mod join;
mod matmul;
#[cfg(feature = "ndarray")]
mod ndarray;
mod operators;
mod random;
mod reduce;
mod rows;
mod softmax;
mod solve;
mod view;

pub use cast::Cast;
pub use compare::{Mismatch, Worst};
pub use iter::Iter;
