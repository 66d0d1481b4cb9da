//! Layers as derivations print them.

pub mod rnn;
pub mod lstm;
pub mod gru;
pub mod gru_before;
pub mod mgu;
pub mod peephole;
pub mod layer_norm;
pub mod janet;
pub mod reversed;
pub mod recomputed;
pub mod learned;
pub mod textbook;
pub mod of_each_step;
