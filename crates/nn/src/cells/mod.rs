//! Recurrent cells, each written as its formula.

mod gates;
mod gru;
mod layer_norm_lstm;
mod lstm;
mod mgu;
mod peephole;
mod rnn;

pub use gru::{GruCell, TimeGru};
pub use layer_norm_lstm::LayerNormLstmCell;
pub use lstm::{LstmCell, TimeLstm};
pub use mgu::MguCell;
pub use peephole::PeepholeLstmCell;
pub use rnn::{RnnCell, TimeRnn};
