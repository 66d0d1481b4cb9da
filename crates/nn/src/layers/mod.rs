//! Layers: those that compose others over sequences, and those that treat every step alike.

mod attention;
mod bidirectional;
mod chain;
mod conv1d;
mod dropout;
mod embedding;
mod layer_norm;
mod linear;
mod residual;
mod stacked;

pub use attention::{AdditiveAttention, Attended, Attention, DotAttention};
pub use bidirectional::Bidirectional;
pub use conv1d::Conv1d;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use layer_norm::LayerNorm;
pub use linear::Linear;
pub use residual::Residual;
pub use stacked::Stacked;
