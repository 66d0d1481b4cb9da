//! Whole trainings: a few thousand steps from given weights, and the curves that others got.
//!
//! A folder may hold `simple_rnnlm.json` and `char_rnn.json`, each with its arrays beside it. What a manifest does not
//! say of a training is how near a curve has to come; that is said here.

mod char_rnn;
mod curve;
mod simple_rnnlm;
mod two_biases;

use std::fmt;
use std::path::Path;

use indicatif::ProgressBar;
use retrograde::nn::weights::Weights;
use serde_json::Value;

use super::{Case, Error, read};
pub use curve::{Curve, Curves, Unit};

/// A training that is ready to be run: all that it reads has been read.
trait Training {
    /// The number of steps.
    fn steps(&self) -> usize;

    /// Takes them.
    fn run(self: Box<Self>, bar: &ProgressBar) -> Result<Vec<Curve>, Error>;
}

/// Makes trainings of a manifest, its arrays and the text, if one is given.
type Open = fn(&Source<'_>) -> Result<Vec<Box<dyn Training>>, Error>;

/// The name of each kind of training, which is that of its files, and what reads it.
const KINDS: [(&str, Open); 2] = [("simple_rnnlm", simple_rnnlm::open), ("char_rnn", char_rnn::open)];

/// The source of a training.
struct Source<'a> {
    folder: &'a Path,
    manifest: &'a Value,
    arrays: &'a Weights,
    /// Where the text is, if it was said.
    text: Option<&'a Path>,
}

impl<'a> Source<'a> {
    /// The fields of the manifest, and the arrays whose names begin with `name/`.
    fn case(&self, name: &'a str) -> Case<'a> {
        Case::new(name, self.manifest, self.arrays)
    }
}

/// The trainings of a folder.
pub struct Trainings(Vec<Box<dyn Training>>);

impl fmt::Debug for Trainings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Trainings").field(&self.0.len()).finish()
    }
}

impl Trainings {
    /// Reads all that the trainings of a folder need; there may be none.
    ///
    /// A text is looked for at `text`, or else by its name in the folder, and in a folder `data` beside it.
    ///
    /// # Errors
    /// If a file or the text is not there, or is not of the form that it should have.
    pub fn open(folder: &Path, text: Option<&Path>) -> Result<Self, Error> {
        let mut trainings = Vec::new();
        for (kind, open) in KINDS {
            let path = folder.join(format!("{kind}.json"));
            if !path.exists() {
                continue;
            }
            let manifest = read(&path)?;
            let arrays = Weights::load(folder.join(format!("{kind}.safetensors")))?;
            let source = Source { folder, manifest: &manifest, arrays: &arrays, text };
            trainings.extend(open(&source).map_err(|source| Error::In {
                place: path.display().to_string(),
                source: Box::new(source),
            })?);
        }
        Ok(Trainings(trainings))
    }

    /// The number of steps that they take together.
    pub fn steps(&self) -> usize {
        self.0.iter().map(|training| training.steps()).sum()
    }

    /// Takes them.
    ///
    /// # Errors
    /// If a layer refuses what was read.
    pub fn run(self, bar: &ProgressBar) -> Result<Curves, Error> {
        let mut curves = Curves::default();
        for training in self.0 {
            curves.0.extend(training.run(bar)?);
        }
        Ok(curves)
    }
}
