//! Backpropagation through time derived by hand, as the textbook has it.
//!
//! These layers know nothing of tapes: they are plain arithmetic on tensors, forwards and backwards, line by line in
//! the textbook's own names. The layers of [`crate`] have no backward pass of their own; what they derive from the
//! tape is compared with what is written here.
//!
//! # Source
//! K. Saitoh, *Deep Learning from Scratch 2: Natural Language Processing* (2018), chapters 5 and 6, appendix C.

mod gru;
mod lstm;
mod rnn;
mod time_gru;
mod time_lstm;
mod time_rnn;

pub use gru::Gru;
pub use lstm::Lstm;
pub use rnn::Rnn;
pub use time_gru::TimeGru;
pub use time_lstm::TimeLstm;
pub use time_rnn::TimeRnn;
