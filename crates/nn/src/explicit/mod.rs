//! Backpropagation through time derived by hand, as the textbook has it.
//!
//! These layers know nothing of tapes: they are plain arithmetic on tensors, forwards and backwards, line by line in
//! the textbook's own names. The layers of [`crate`] have no backward pass of their own; what they derive from the
//! tape is compared with what is written here.
//!
//! # Source
//! K. Saitoh, *Deep Learning from Scratch 2: Natural Language Processing* (2018), chapter 5.

mod rnn;
mod time_rnn;

pub use rnn::Rnn;
pub use time_rnn::TimeRnn;
