//! Streams of tokens: windows, perplexity, sampling.

mod beam;
mod perplexity;
mod sampler;
mod windows;

pub use beam::{Beam, BeamSearch};
pub use perplexity::Perplexity;
pub use sampler::Sampler;
pub use windows::{Window, Windows};
