//! Writing `.safetensors` files.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use retrograde_tensor::{Shape, Tensor};

use super::replace::replace;
use super::{Fault, Stored};
use crate::{Error, Result};

/// Named arrays that are to become a `.safetensors` file.
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
    arrays: BTreeMap<String, Array>,
}

#[derive(Clone, Debug)]
struct Array {
    dtype: &'static str,
    shape: Shape,
    bytes: Vec<u8>,
}

impl Writer {
    /// Adds an array, in the place of any of this name.
    ///
    /// # Panics
    /// If the name is `__metadata__`, which the format keeps for itself.
    #[track_caller]
    pub fn insert<E: Stored>(&mut self, name: impl Into<String>, x: &Tensor<E>) {
        let name = name.into();
        assert_ne!(name, "__metadata__", "writer: expected a name that the format leaves free");
        let mut bytes = Vec::with_capacity(x.numel() * size_of::<E>());
        x.iter().for_each(|x| bytes.extend_from_slice(x.encode().as_ref()));
        self.arrays.insert(name, Array { dtype: E::DTYPE, shape: x.shape(), bytes });
    }

    /// Writes the file. One that was there is replaced whole or, if anything fails, not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        replace(path, &self.bytes()).map_err(|error| {
            let fault = Box::new(Fault::Unwritable(error.kind()));
            Error::Weights { path: path.to_owned(), fault }
        })
    }

    /// The file: the length of the header, the header, the data.
    fn bytes(&self) -> Vec<u8> {
        // Wide elements first, and a header of a multiple of 8 bytes, so that every array is aligned.
        let mut arrays: Vec<(&String, &Array)> = self.arrays.iter().collect();
        arrays.sort_by_key(|(_, array)| array.dtype.ends_with("32"));
        let (mut header, mut end) = (String::from("{"), 0);
        for (name, Array { dtype, shape, bytes }) in &arrays {
            let start = end;
            end += bytes.len();
            let comma = if header.len() > 1 { "," } else { "" };
            let (name, shape) = (quoted(name), &**shape);
            let entry = format!(r#"{{"dtype":"{dtype}","shape":{shape:?},"data_offsets":[{start},{end}]}}"#);
            header = header + comma + &name + ":" + &entry;
        }
        header.push('}');
        header.extend(std::iter::repeat_n(' ', header.len().next_multiple_of(8) - header.len()));

        let mut file = (header.len() as u64).to_le_bytes().to_vec();
        file.reserve(header.len() + end);
        file.extend_from_slice(header.as_bytes());
        arrays.iter().for_each(|(_, array)| file.extend_from_slice(&array.bytes));
        file
    }
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
