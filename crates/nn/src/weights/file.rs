//! Reading files of weights.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use retrograde_tensor::{IntoShape, Tensor};

use super::header::{self, Entry, Header, MAX_HEADER};
use super::stored::Stored;
use super::{WeightsError, foreign, npz};
use crate::{Error, Result};

/// The named arrays of a `.safetensors` file or an `.npz` archive, such as the weights of a model.
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
    widen: bool,
}

impl Weights {
    /// Reads a `.safetensors` file, or an `.npz` archive as `numpy.savez` writes it: the first bytes tell. The arrays of an
    /// archive may be in C or Fortran order.
    ///
    /// # Errors
    /// If the file cannot be read, if an archive is compressed, if its header is not of the format, or if the data that it declares are not what
    /// follows it: the error names the file and says what was expected and what was found.
    ///
    /// # Source
    /// The format: <https://github.com/huggingface/safetensors#format>.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let read = std::fs::read(path).map_err(|error| WeightsError::unreadable(&error));
        read.and_then(split)
            .map(|(header, data)| Weights { path: path.to_owned(), header, data, widen: false })
            .map_err(|source| Error::Weights { path: path.to_owned(), source: Box::new(source) })
    }

    /// Lets arrays be read as any type that has all their numbers: half precisions (`F16`, `BF16`), bytes, bools and integers as
    /// floats or indices, `F32` as `f64`. A number that the type does not have is an error, and so is `F64` as `f32`: read
    /// it as `f64`, and round it by [`Tensor::cast`].
    ///
    /// # Example
    /// A file of single precision in a model of double precision:
    /// ```
    /// use rand::{SeedableRng, rngs::StdRng};
    /// use retrograde_nn::Linear;
    /// use retrograde_nn::weights::{self, Weights};
    ///
    /// let path = std::env::temp_dir().join("widen-example.safetensors");
    /// weights::save(&Linear::<f32>::new(3, 2, &mut StdRng::seed_from_u64(1)), &path)?;
    /// let linear = Linear::<f64>::new(3, 2, &mut StdRng::seed_from_u64(2));
    /// assert!(Weights::load(&path)?.load_into(&linear).is_err());
    /// Weights::load(&path)?.widen().load_into(&linear)?;
    /// # std::fs::remove_file(&path)?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn widen(self) -> Self {
        Weights { widen: true, ..self }
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
    /// If there is none, if its elements have another type than `E` (see [`widen`](Self::widen)), or if indices do not fit in
    /// `usize`.
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
        E::tensor(name, (entry.dtype, &entry.dims), &self.data[entry.bytes.clone()], self.widen)
    }

    pub(crate) fn error(&self, source: WeightsError) -> Error {
        Error::Weights { path: self.path.clone(), source: Box::new(source) }
    }
}

/// The header and the data of a file.
fn split(mut file: Vec<u8>) -> Result<(Header, Vec<u8>), WeightsError> {
    if npz::recognize(&file) {
        return npz::read(&file);
    }
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
