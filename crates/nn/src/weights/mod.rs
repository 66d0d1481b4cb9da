//! Named arrays in `.safetensors` files, such as the weights of a model.

mod fault;
mod header;
mod json;
mod model;
mod replace;
mod writer;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use retrograde_tensor::{Element, Shape, Tensor};

use crate::{Error, Result};
pub use fault::Fault;
use header::Entry;
pub use model::{Loaded, save};
pub use writer::Writer;

/// The named arrays of a `.safetensors` file, such as the weights of a model.
///
/// What the header declares is checked when the file is loaded, so that an array can be taken out whole or not at all.
/// The numbers stay bytes until they are asked for.
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
    entries: BTreeMap<String, Entry>,
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
        let read = std::fs::read(path).map_err(|error| Fault::Unreadable(error.kind()));
        read.and_then(split)
            .map(|(entries, data)| Weights { path: path.to_owned(), entries, data })
            .map_err(|fault| Error::Weights { path: path.to_owned(), fault: Box::new(fault) })
    }

    /// The names, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// Whether there is an array of this name.
    pub fn contains(&self, name: &str) -> bool {
        self.entries.contains_key(name)
    }

    /// The array of this name.
    ///
    /// # Errors
    /// If there is none, or if its elements are of another type than `E`; for indices also if a number is none.
    pub fn get<E: Stored>(&self, name: &str) -> Result<Tensor<E>> {
        self.find(name).and_then(|entry| self.decode(name, entry)).map_err(|fault| self.error(fault))
    }

    /// The array of this name, which has to have this shape.
    ///
    /// # Errors
    /// As [`get`](Self::get), and if the shape is another one.
    pub fn get_shaped<E: Stored>(&self, name: &str, shape: impl Into<Shape>) -> Result<Tensor<E>> {
        let expected = shape.into();
        let shaped = |entry: &Entry| {
            if entry.dims == *expected {
                return self.decode(name, entry);
            }
            Err(Fault::Shape { name: name.into(), expected, found: entry.dims.clone() })
        };
        self.find(name).and_then(shaped).map_err(|fault| self.error(fault))
    }

    fn find(&self, name: &str) -> Result<&Entry, Fault> {
        self.entries.get(name).ok_or_else(|| Fault::Missing { name: name.into() })
    }

    fn decode<E: Stored>(&self, name: &str, entry: &Entry) -> Result<Tensor<E>, Fault> {
        let name = || name.to_owned();
        if entry.dtype != E::DTYPE {
            return Err(Fault::Dtype { name: name(), expected: E::DTYPE, found: entry.dtype });
        }
        let elements = E::decode(&self.data[entry.bytes.clone()])
            .map_err(|found| Fault::NotAnIndex { name: name(), found })?;
        Shape::new(&entry.dims)
            .and_then(|shape| Tensor::from_vec(elements, shape))
            .map_err(|source| Fault::Unrepresentable { name: name(), source })
    }

    fn error(&self, fault: Fault) -> Error {
        Error::Weights { path: self.path.clone(), fault: Box::new(fault) }
    }
}

/// The declared arrays and the data of a file.
fn split(mut file: Vec<u8>) -> Result<(BTreeMap<String, Entry>, Vec<u8>), Fault> {
    let Some((length, rest)) = file.split_first_chunk() else {
        return Err(Fault::NoHeader { found: file.len() });
    };
    let expected = u64::from_le_bytes(*length);
    let header = usize::try_from(expected).ok().and_then(|length| rest.get(..length));
    let header = header.ok_or(Fault::HeaderLength { expected, found: rest.len() })?;
    let text = std::str::from_utf8(header).map_err(|error| Fault::NotUtf8 { at: error.valid_up_to() })?;
    let entries = header::read(text, rest.len() - header.len())?;
    let start = length.len() + header.len();
    Ok((entries, file.split_off(start)))
}

/// An element type that can be read from a file and written to one.
pub trait Stored: Element + sealed::Sealed {
    /// Its name in the format.
    const DTYPE: &'static str;
}

mod sealed {
    pub trait Sealed: Sized {
        /// The elements that these bytes are, little-endian; or the number that is not one.
        fn decode(bytes: &[u8]) -> Result<Vec<Self>, i64>;

        /// Its bytes, little-endian.
        fn encode(self) -> impl AsRef<[u8]>;
    }
}

impl Stored for f32 {
    const DTYPE: &'static str = "F32";
}

impl Stored for f64 {
    const DTYPE: &'static str = "F64";
}

/// Indices, such as token ids, are stored as signed integers.
impl Stored for usize {
    const DTYPE: &'static str = "I64";
}

impl sealed::Sealed for f32 {
    fn decode(bytes: &[u8]) -> Result<Vec<Self>, i64> {
        Ok(bytes.as_chunks().0.iter().map(|&chunk| f32::from_le_bytes(chunk)).collect())
    }

    fn encode(self) -> impl AsRef<[u8]> {
        self.to_le_bytes()
    }
}

impl sealed::Sealed for f64 {
    fn decode(bytes: &[u8]) -> Result<Vec<Self>, i64> {
        Ok(bytes.as_chunks().0.iter().map(|&chunk| f64::from_le_bytes(chunk)).collect())
    }

    fn encode(self) -> impl AsRef<[u8]> {
        self.to_le_bytes()
    }
}

impl sealed::Sealed for usize {
    fn decode(bytes: &[u8]) -> Result<Vec<Self>, i64> {
        let index = |&chunk| {
            let number = i64::from_le_bytes(chunk);
            usize::try_from(number).map_err(|_| number)
        };
        bytes.as_chunks().0.iter().map(index).collect()
    }

    fn encode(self) -> impl AsRef<[u8]> {
        (self as u64).to_le_bytes()
    }
}
