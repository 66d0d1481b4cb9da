//! Streams of tokens: windows, perplexity, sampling.

mod perplexity;
mod sampler;
mod windows;

pub use perplexity::Perplexity;
pub use sampler::Sampler;
pub use windows::{Window, Windows};
