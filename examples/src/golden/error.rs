//! The errors in a folder of golden values.

use std::io::ErrorKind;
use std::path::PathBuf;

use serde_json::Value;

/// Bad input: what was expected, and what was found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder is not there.
    #[error("expected a folder of golden values at {}, found none", path.display())]
    NoFolder {
        /// Where it should be.
        path: PathBuf,
    },
    /// A folder without a single case that can be run.
    #[error("expected a case of a known kind in {}, found none", path.display())]
    NothingToRun {
        /// The folder.
        path: PathBuf,
    },
    /// A manifest that cannot be read.
    #[error("{}: expected a readable file, found: {kind}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        kind: ErrorKind,
    },
    /// A manifest that is not JSON.
    #[error("{}: expected JSON, found: {source}", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// The parser's message.
        source: serde_json::Error,
    },
    /// A field of a manifest that is not there or is something else.
    #[error("expected {field} to be {expected}, found {found}")]
    Field {
        /// The name of the field.
        field: String,
        /// The value expected.
        expected: String,
        /// The value found.
        found: String,
    },
    /// An operation given another number of inputs than it takes.
    #[error("expected {expected} inputs, found {found}")]
    Inputs {
        /// The number of inputs that the operation takes.
        expected: usize,
        /// The number of inputs that the manifest lists.
        found: usize,
    },
    /// The text that a model was trained on is not at hand.
    #[error("expected the text {name} at {}, found none: say where it is with --text FILE", shown(places))]
    NoText {
        /// The name of the text.
        name: String,
        /// Where it was looked for.
        places: Vec<PathBuf>,
    },
    /// A text that cannot be read.
    #[error(transparent)]
    Text(Box<crate::Error>),
    /// Another text than the one that a model was trained on.
    #[error(
        "text {}: expected at least {characters} characters, {letters} different ones in all, found {}, {} different",
        path.display(), found.1, found.0
    )]
    OtherText {
        /// The file.
        path: PathBuf,
        /// The number of different characters expected.
        letters: usize,
        /// The least number of characters expected.
        characters: usize,
        /// The numbers of both found.
        found: (usize, usize),
    },
    /// An error in a file, or in one case of it.
    #[error("{place}: {source}")]
    In {
        /// The file, and the case.
        place: String,
        /// The fault found there.
        source: Box<Error>,
    },
    /// Arrays that are not as they should be, or that a layer refuses.
    #[error(transparent)]
    Nn(#[from] retrograde::nn::Error),
    /// Operands that an operation refuses.
    #[error(transparent)]
    Autograd(#[from] retrograde::autograd::Error),
    /// A shape that no tensor has.
    #[error(transparent)]
    Tensor(#[from] retrograde::tensor::Error),
}

fn shown(places: &[PathBuf]) -> String {
    places.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(" or ")
}

impl Error {
    /// A field that is not what it should be. In a manifest, what is not there reads as `null`.
    pub(super) fn field(field: &str, expected: impl Into<String>, found: &Value) -> Self {
        let found = match found {
            Value::Null => "none".into(),
            Value::Array(_) => "a list".into(),
            Value::Object(_) => "an object".into(),
            value => value.to_string(),
        };
        Error::Field { field: field.into(), expected: expected.into(), found }
    }
}
