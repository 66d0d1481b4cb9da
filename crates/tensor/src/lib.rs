//! Strided n-dimensional arrays with NumPy's semantics: views in O(1), copies only where said.
//!
//! A [`Tensor`] is a [`Shape`], strides and an offset over shared storage. It holds any [`Element`], and computes
//! with any [`Scalar`]: `f32`, `f64`, or a number type that you define, such as a dual number.
//!
//! | to | see |
//! |---|---|
//! | create | [`from`](Tensor::from), [`from_vec`](Tensor::from_vec), [`zeros`](Tensor::zeros), [`from_fn`](Tensor::from_fn), [`normal`](Tensor::normal) |
//! | view | [`reshape`](Tensor::reshape), [`permute`](Tensor::permute), [`narrow`](Tensor::narrow), [`select`](Tensor::select), [`broadcast_to`](Tensor::broadcast_to) |
//! | join | [`stack`](Tensor::stack), [`concat`](Tensor::concat) |
//! | compute | `+ - * /`, [`tanh`](Tensor::tanh), [`map`](Tensor::map), [`zip`](Tensor::zip), [`where_mask`](Tensor::where_mask) |
//! | multiply | [`solve`](Tensor::solve), [`matmul`](Tensor::matmul), [`matmul_acc`](Tensor::matmul_acc), [`matmul_acc_sum`](Tensor::matmul_acc_sum) |
//! | reduce | [`sum_axes`](Tensor::sum_axes), [`sum_to`](Tensor::sum_to), [`max`](Tensor::max), [`argmax`](Tensor::argmax), [`softmax`](Tensor::softmax) |
//! | convert | [`cast`](Tensor::cast), [`into_vec`](Tensor::into_vec), `TryFrom` and `From` arrays of `ndarray` with the feature of that name |
//! | look up | [`top_k`](Tensor::top_k), [`gather_rows`](Tensor::gather_rows), [`scatter_add_rows`](Tensor::scatter_add_rows) |
//! | write | [`add_assign`](Tensor::add_assign), [`add_at`](Tensor::add_at), [`set_at`](Tensor::set_at), [`as_mut_slice`](Tensor::as_mut_slice) |
//! | compare | `==`, [`allclose`](Tensor::allclose), [`assert_close!`] |
//!
//! An operation that can fail because of a shape comes twice: `try_matmul` returns an [`Error`], `matmul` panics with its text
//! at the line of the caller.
//!
//! # Example
//! ```
//! use rand::SeedableRng;
//! use rand::rngs::StdRng;
//! use retrograde_tensor::Tensor;
//!
//! let rng = &mut StdRng::seed_from_u64(1);
//! let x = Tensor::<f32>::normal([10, 5], 0.0, 1.0, rng)?;
//! let w = Tensor::normal([5, 3], 0.0, 0.1, rng)?;
//! let b = Tensor::zeros([3]);
//!
//! let h = (x.matmul(&w) + &b).tanh(); // [10, 5] · [5, 3] -> [10, 3]
//! assert_eq!(h.dims(), [10, 3]);
//! # Ok::<(), retrograde_tensor::Error>(())
//! ```

mod element;
mod error;
mod float;
mod gemm;
mod loops;
mod ops;
mod shape;
mod simd;
mod storage;
mod tensor;

pub use element::{Element, Float, Scalar};
pub use error::Error;
pub use gemm::{Matrix, MatrixMut};
pub use ops::{Cast, Iter, Mismatch, Worst};
pub use shape::{IntoShape, MAX_RANK, Shape};
pub use simd::Isa;
#[doc(hidden)]
pub use simd::peak_gflops;
pub use storage::buffer::release_buffers;
pub use tensor::Tensor;

/// The example of the README, as a test.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
