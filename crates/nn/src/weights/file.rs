//! Reading `.safetensors` files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use retrograde_tensor::{IntoShape, Shape, Tensor};

use super::header::{self, Entry, Header, MAX_HEADER};
use super::stored::Stored;
use super::{WeightsError, foreign};
use crate::{Error, Result};

/// The named arrays of a `.safetensors` file, such as the weights of a model.
///
/// The header is checked when the file is loaded, so that an array is read whole or not at all. The numbers stay bytes
/// until they are asked for.
///
/// # Example
/// ```
/// use retrograde_nn::weights::{Weights, Writer};
/// use retrograde_tensor::Tensor;
///
/// let path = std::env::temp_dir().join("weights-example.safetensors");
/// let mut writer = Writer::default();
/// writer.insert("b", &Tensor::from([1.0_f32, 2.5]));
/// writer.save(&path)?;
///
/// let weights = Weights::load(&path)?;
/// assert_eq!(weights.get::<f32>("b")?, Tensor::from([1.0, 2.5]));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Weights {
    path: PathBuf,
    header: Header,
    data: Vec<u8>,
}

impl Weights {
    /// Reads a file.
    ///
    /// # Errors
    /// If the file cannot be read, if its header is not of the format, or if the data that it declares are not what
    /// follows it: the error names the file and says what was expected and what was found.
    ///
    /// # Source
    /// The format: <https://github.com/huggingface/safetensors#format>.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = std::fs::read(path).map_err(|error| WeightsError::unreadable(&error));
        read.and_then(split)
            .map(|(header, data)| Weights { path: path.to_owned(), header, data })
            .map_err(|source| Error::Weights { path: path.to_owned(), source: Box::new(source) })
    }

    /// Returns the strings that the file states of itself, by name: its `__metadata__`.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.header.metadata
    }

    /// Returns the names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.header.entries.keys().map(String::as_str)
    }

    /// Whether there is an array of this name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.header.entries.contains_key(name)
    }

    /// Returns the array of this name.
    ///
    /// # Errors
    /// If there is none, if its elements have another type than `E`, or if indices do not fit in `usize`.
    pub fn get<E: Stored>(&self, name: &str) -> Result<Tensor<E>> {
        self.find(name).and_then(|entry| self.decode(name, entry)).map_err(|source| self.error(source))
    }

    /// Returns the array of this name, which has to have this shape.
    ///
    /// # Errors
    /// As [`get`](Self::get), and if the shape is another one.
    pub fn get_shaped<E: Stored>(&self, name: &str, shape: impl IntoShape) -> Result<Tensor<E>> {
        let expected = shape.into_shape("get_shaped")?;
        let shaped = |entry: &Entry| {
            if entry.dims == *expected {
                return self.decode(name, entry);
            }
            Err(WeightsError::Shape { name: name.into(), expected, found: entry.dims.clone() })
        };
        self.find(name).and_then(shaped).map_err(|source| self.error(source))
    }

    fn find(&self, name: &str) -> Result<&Entry, WeightsError> {
        self.header.entries.get(name).ok_or_else(|| WeightsError::Missing { name: name.into() })
    }

    fn decode<E: Stored>(&self, name: &str, entry: &Entry) -> Result<Tensor<E>, WeightsError> {
        let name = || name.to_owned();
        let elements = E::decode(entry.dtype, &self.data[entry.bytes.clone()])
            .ok_or_else(|| WeightsError::Dtype { name: name(), expected: E::DTYPE, found: entry.dtype })?
            .map_err(|found| WeightsError::NotAnIndex { name: name(), found })?;
        Shape::new(&entry.dims)
            .and_then(|shape| Tensor::from_vec(elements, shape))
            .map_err(|source| WeightsError::Unrepresentable { name: name(), source })
    }

    pub(crate) fn error(&self, source: WeightsError) -> Error {
        Error::Weights { path: self.path.clone(), source: Box::new(source) }
    }
}

/// The header and the data of a file.
fn split(mut file: Vec<u8>) -> Result<(Header, Vec<u8>), WeightsError> {
    let (start, header) = read_header(&file).map_err(|error| foreign::recognize(&file).unwrap_or(error))?;
    Ok((header, file.split_off(start)))
}

/// The header of a file, and where its data begin.
fn read_header(file: &[u8]) -> Result<(usize, Header), WeightsError> {
    let Some((length, rest)) = file.split_first_chunk() else {
        return Err(WeightsError::NoHeader { found: file.len() });
    };
    let expected = u64::from_le_bytes(*length);
    let header = usize::try_from(expected).ok().and_then(|length| rest.get(..length));
    let header = header.ok_or(WeightsError::HeaderLength { expected, found: rest.len() })?;
    if header.len() > MAX_HEADER {
        return Err(WeightsError::HeaderTooLong { most: MAX_HEADER, found: header.len() });
    }
    let text = std::str::from_utf8(header);
    let text = text.map_err(|error| WeightsError::NotUtf8 { at: error.valid_up_to() })?;
    let data = rest.len() - header.len();
    Ok((file.len() - data, header::read(text, data)?))
}
