//! What training and sampling on a stream of tokens needs.

mod perplexity;
mod sampler;
mod windows;

pub use perplexity::Perplexity;
pub use sampler::Sampler;
pub use windows::{Window, Windows};
