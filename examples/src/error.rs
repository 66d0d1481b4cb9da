//! The errors of the examples.

use std::io;
use std::path::PathBuf;

/// An error of an example: what was expected, and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A text cannot be read.
    #[error("text {}: expected a file that can be read, found: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A text is not UTF-8.
    #[error("text {}: expected UTF-8, found the byte {byte:#04x} at offset {offset}", path.display())]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// Where the first character that is not UTF-8 begins.
        offset: usize,
        /// Its first byte.
        byte: u8,
    },
    /// A text has too few characters to be cut into windows.
    #[error(
        "text {name}: expected at least {expected} characters ({batch} rows, windows of {steps} steps), found {found}"
    )]
    TooShort {
        /// The name of the text.
        name: String,
        /// The fewest characters that will do.
        expected: usize,
        /// The number of them.
        found: usize,
        /// The rows of a window.
        batch: usize,
        /// The steps of a window.
        steps: usize,
    },
    /// A character that the text to be learned does not have.
    #[error("start: expected characters of the text {name}, found {found:?}")]
    UnknownCharacter {
        /// The name of the text.
        name: String,
        /// The character.
        found: char,
    },
    /// A beginning without a character.
    #[error("start: expected at least 1 character, found none")]
    NoStart,
    /// A checkpoint of a run that cannot be gone on with.
    #[error("checkpoint {}: expected a run with {setting} {expected}, found {found}", path.display())]
    OtherRun {
        /// The file.
        path: PathBuf,
        /// The setting that differs.
        setting: &'static str,
        /// The value found.
        expected: f64,
        /// The value expected.
        found: f64,
    },
    /// A file cannot be written.
    #[error("file {}: expected to be able to write it, found: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A figure has nothing to draw.
    #[error("figure {title}: expected a value that its axis can show, found none")]
    EmptyFigure {
        /// The title of the figure.
        title: String,
    },
    /// The output cannot be printed.
    #[error("output: {0}")]
    Output(#[from] io::Error),
    /// Operands do not fit an operation.
    #[error(transparent)]
    Tensor(#[from] retrograde::tensor::Error),
    /// A derivative cannot be taken.
    #[error(transparent)]
    Autograd(#[from] retrograde::autograd::Error),
    /// A gradient cannot be checked.
    #[error(transparent)]
    Check(#[from] retrograde::check::Error),
    /// A layer cannot do what it is asked for.
    #[error(transparent)]
    Nn(#[from] retrograde::nn::Error),
}

/// A result of an example.
pub type Result<T, E = Error> = std::result::Result<T, E>;
