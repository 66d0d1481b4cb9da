//! Writing files of weights.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use retrograde_tensor::{Shape, Tensor};

use super::header::{MAX_HEADER, METADATA};
use super::replace::replace;
use super::{Stored, WeightsError, npy, npz};
use crate::{Error, Result};

/// Named arrays to be written to a `.safetensors` file, or to an `.npz` archive.
///
/// # Example
/// ```
/// use retrograde_nn::weights::{Weights, Writer};
/// use retrograde_tensor::Tensor;
///
/// let path = std::env::temp_dir().join("writer-example.safetensors");
/// let mut writer = Writer::default();
/// writer.insert("wx", &Tensor::from([[1.0_f32, 2.0]]));
/// writer.insert("ids", &Tensor::from([7, 9]));
/// writer.save(&path)?;
/// assert_eq!(Weights::load(&path)?.get::<usize>("ids")?, Tensor::from([7, 9]));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct Writer {
    metadata: BTreeMap<String, String>,
    arrays: BTreeMap<String, Array>,
}

#[derive(Clone, Debug)]
struct Array {
    dtype: &'static str,
    shape: Shape,
    bytes: Vec<u8>,
}

impl Writer {
    /// Adds an array, or replaces the array of this name.
    pub fn insert<E: Stored>(&mut self, name: impl Into<String>, x: &Tensor<E>) {
        let mut bytes = Vec::with_capacity(x.numel() * size_of::<E>());
        x.iter().for_each(|x| bytes.extend_from_slice(x.encode().as_ref()));
        self.arrays.insert(name.into(), Array { dtype: E::dtype(x), shape: x.shape(), bytes });
    }

    /// Adds a string that the file states of itself, or replaces the one of this name.
    pub fn insert_metadata(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.metadata.insert(name.into(), value.into());
    }

    /// Writes the file. A file that was there is replaced whole or, if anything fails, not at all; see
    /// [writing](super#writing).
    ///
    /// # Errors
    /// If an array has the name `__metadata__`, which the format keeps for itself, if the header takes more than 100 MB,
    /// or if the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        write_to(path.as_ref(), self.bytes())
    }

    /// Writes the arrays as an `.npz` archive, as `numpy.savez` does: `numpy.load(path)["wx"]` is one of them. A file that was
    /// there is replaced whole or not at all.
    ///
    /// # Errors
    /// If there are strings of metadata, for which an archive has no place, if it would take 4 GiB or more, or if the file
    /// cannot be written.
    ///
    /// # Example
    /// ```
    /// use retrograde_nn::weights::{Weights, Writer};
    /// use retrograde_tensor::Tensor;
    ///
    /// let path = std::env::temp_dir().join("npz-example.npz");
    /// let mut writer = Writer::default();
    /// writer.insert("rnn.wx", &Tensor::from([[1.0_f32, 2.0]]));
    /// writer.save_npz(&path)?;
    /// assert_eq!(Weights::load(&path)?.get::<f32>("rnn.wx")?, Tensor::from([[1.0, 2.0]]));
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn save_npz(&self, path: impl AsRef<Path>) -> Result<()> {
        let array = |(name, array): (&String, &Array)| {
            (name.clone(), [npy::header(array.dtype, array.shape), array.bytes.clone()].concat())
        };
        let archive = || match self.metadata.keys().next() {
            None => npz::write(&self.arrays.iter().map(array).collect()),
            Some(name) => {
                Err(WeightsError::Zip { expected: "no metadata", found: format!("the string {name:?}") })
            }
        };
        write_to(path.as_ref(), archive())
    }

    /// The bytes of the file: the length of the header, the header, the data.
    fn bytes(&self) -> Result<Vec<u8>, WeightsError> {
        if self.arrays.contains_key(METADATA) {
            return Err(WeightsError::ReservedName { name: METADATA });
        }
        let mut fields = Vec::new();
        if !self.metadata.is_empty() {
            let strings = self.metadata.iter().map(|(name, value)| quoted(name) + ":" + &quoted(value));
            fields.push(format!("\"{METADATA}\":{{{}}}", strings.collect::<Vec<_>>().join(",")));
        }
        // Wide elements first, and a header of a multiple of 8 bytes, so that every array is aligned.
        let mut arrays: Vec<(&String, &Array)> = self.arrays.iter().collect();
        arrays.sort_by_key(|(_, array)| array.dtype.ends_with("32"));
        let mut end = 0;
        for (name, Array { dtype, shape, bytes }) in &arrays {
            let start = end;
            end += bytes.len();
            let (name, shape) = (quoted(name), &**shape);
            fields.push(format!(
                r#"{name}:{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{start},{end}]}}"#
            ));
        }
        let mut header = format!("{{{}}}", fields.join(","));
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));
        if header.len() > MAX_HEADER {
            return Err(WeightsError::HeaderTooLong { most: MAX_HEADER, found: header.len() });
        }

        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.reserve(header.len() + end);
        file.extend_from_slice(header.as_bytes());
        arrays.iter().for_each(|(_, array)| file.extend_from_slice(&array.bytes));
        Ok(file)
    }
}

/// Replaces a file.
fn write_to(path: &Path, bytes: Result<Vec<u8>, WeightsError>) -> Result<()> {
    let write = |file: Vec<u8>| replace(path, &file).map_err(|error| WeightsError::unwritable(&error));
    bytes.and_then(write).map_err(|source| Error::Weights { path: path.to_owned(), source: Box::new(source) })
}

/// A string of JSON.
fn quoted(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c < ' ' => write!(quoted, "\\u{:04x}", u32::from(c)).expect("a string can be written to"),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
