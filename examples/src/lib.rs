//! Common parts of the examples: printing, reading, drawing, errors.
#![forbid(unsafe_code)]

pub mod chart;
pub mod difference;
pub mod error;
pub mod figure;
pub mod findings;
pub mod formula;
pub mod formulas;
pub mod golden;
pub mod heat_map;
pub mod language_model;
pub mod options;
pub mod pictures;
pub mod progress;
pub mod screen;
pub mod svg;
pub mod table;
pub mod tensorboard;
pub mod text;
pub mod words;

pub use error::{Error, Result};
pub use findings::{Findings, finish};
pub use options::Options;
pub use screen::{Ink, Screen};
