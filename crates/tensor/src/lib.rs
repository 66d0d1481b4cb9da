//! Strided n-dimensional arrays with NumPy's semantics: views in O(1), copies only where said.

mod compare;
mod display;
mod element;
mod elementwise;
mod error;
mod fold;
mod gemm;
mod index;
mod infer;
mod join;
mod kernel;
mod layout;
mod matmul;
mod matrix;
mod operators;
mod random;
mod reduce;
mod shape;
mod simd;
mod softmax;
mod storage;
mod tensor;
mod view;
mod walk;

pub use compare::{Mismatch, Worst};
pub use element::{Element, Float, Scalar};
pub use error::Error;
pub use matrix::{Matrix, MatrixMut};
pub use simd::Level;
pub use shape::{MAX_RANK, Shape};
pub use tensor::{Iter, Tensor};
