//! Vector instructions: an algorithm is a [`Kernel`], written once over any [`Vector`] and compiled for each level ([`Isa`])
//! that a processor may have.
//!
//! A new level is a file with its vectors and a row in the table of `isa.rs`.

mod format;
mod isa;
mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod pair;
mod peak;
mod portable;
pub(crate) mod slices;
#[cfg(test)]
mod tests;
mod trig;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use format::Format;
pub use isa::Isa;
pub(crate) use isa::Lane;
pub use peak::peak_gflops;
pub(crate) use vector::{Kernel, Vector, prefetch};
