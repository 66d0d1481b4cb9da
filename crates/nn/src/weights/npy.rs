//! Arrays of NumPy: a header that is a literal of Python, and the elements.

use std::path::Path;

use retrograde_tensor::{Shape, Tensor};

use super::replace::replace;
use super::{Stored, WeightsError};
use crate::{Error, Result};

/// The first bytes of an array of NumPy.
pub(super) const MAGIC: &[u8] = b"\x93NUMPY";

/// NumPy's names of element types, without the order of bytes, and those of `.safetensors`.
const TYPES: [(&str, &str); 12] = [
    ("f8", "F64"),
    ("f4", "F32"),
    ("f2", "F16"),
    ("i8", "I64"),
    ("i4", "I32"),
    ("i2", "I16"),
    ("i1", "I8"),
    ("u8", "U64"),
    ("u4", "U32"),
    ("u2", "U16"),
    ("u1", "U8"),
    ("b1", "BOOL"),
];

/// An array as bytes: little-endian, in row-major order.
pub(super) struct Array {
    pub(super) dtype: &'static str,
    pub(super) dims: Vec<usize>,
    pub(super) bytes: Vec<u8>,
}

/// Reads an array that `numpy.save` wrote, in C or Fortran order, of any order of bytes. Numbers of another type are
/// widened: all floats and integers that are numbers of `E` are read, and refused where one is none.
///
/// # Errors
/// If the file cannot be read or is no array of NumPy, if its elements have a type that `E` does not hold, or if one of them
/// is no number of `E`.
///
/// # Example
/// ```
/// use retrograde_nn::weights::{load_npy, save_npy};
/// use retrograde_tensor::Tensor;
///
/// let path = std::env::temp_dir().join("npy-example.npy");
/// save_npy(&Tensor::from([[1.0_f32, 2.5]]), &path)?; // np.load(path) is the same in Python
/// assert_eq!(load_npy::<f64>(&path)?, Tensor::from([[1.0, 2.5]]));
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Source
/// The format: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>.
pub fn load_npy<E: Stored>(path: impl AsRef<Path>) -> Result<Tensor<E>> {
    let path = path.as_ref();
    let name = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let bytes = std::fs::read(path).map_err(|error| WeightsError::unreadable(&error));
    let array = bytes.and_then(|bytes| read(&name(), &bytes));
    array
        .and_then(|x| E::tensor(&name(), (x.dtype, &x.dims), &x.bytes, true))
        .map_err(|source| Error::Weights { path: path.to_owned(), source: source.into() })
}

/// Writes an array as `numpy.save` does. A file that was there is replaced whole or not at all; see
/// [writing](crate::weights#writing).
///
/// # Errors
/// If the file cannot be written.
///
/// # Example
/// See [`load_npy`].
pub fn save_npy<E: Stored>(x: &Tensor<E>, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let mut bytes = header(E::dtype(x), x.shape());
    x.iter().for_each(|x| bytes.extend_from_slice(x.encode().as_ref()));
    replace(path, &bytes).map_err(|error| Error::Weights {
        path: path.to_owned(),
        source: WeightsError::unwritable(&error).into(),
    })
}

/// The bytes before the elements, a multiple of 64.
pub(super) fn header(dtype: &str, shape: Shape) -> Vec<u8> {
    let name = TYPES.iter().find(|(_, known)| *known == dtype).map_or("", |(name, _)| name);
    let sizes: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let sizes = if shape.rank() == 1 { sizes.trim_end() } else { sizes.trim_end_matches(", ") };
    let text = format!("{{'descr': '<{name}', 'fortran_order': False, 'shape': ({sizes}), }}");
    let start = MAGIC.len() + 4;
    let length = (start + text.len() + 1).next_multiple_of(64) - start;
    let mut bytes = [MAGIC, &[1, 0], &(length as u16).to_le_bytes(), text.as_bytes()].concat();
    bytes.resize(start + length - 1, b' ');
    bytes.push(b'\n');
    bytes
}

/// Reads the bytes of a file.
pub(super) fn read(name: &str, file: &[u8]) -> Result<Array, WeightsError> {
    let fault = |expected, found: String| WeightsError::Npy { name: name.to_owned(), expected, found };
    let short = || fault("a header of NumPy", format!("{} bytes in all", file.len()));
    let rest = file.strip_prefix(MAGIC).ok_or_else(|| fault("an array of NumPy", "another file".into()))?;
    let (&[major, _], rest) = rest.split_first_chunk().ok_or_else(short)?;
    let (length, rest) = match major {
        1 => rest.split_first_chunk().map(|(length, rest)| (u32::from(u16::from_le_bytes(*length)), rest)),
        2 | 3 => rest.split_first_chunk().map(|(length, rest)| (u32::from_le_bytes(*length), rest)),
        _ => return Err(fault("version 1, 2 or 3", major.to_string())),
    }
    .ok_or_else(short)?;
    let split = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (text, data) = split.ok_or_else(short)?;
    let text = std::str::from_utf8(text).map_err(|_| fault("a header of text", "other bytes".into()))?;
    let Declared { descr, fortran, dims } =
        Literal { text, at: 0 }.declared().map_err(|(expected, found)| fault(expected, found))?;

    let (order, kind) = descr.split_at_checked(1).unwrap_or_default();
    let known = TYPES.iter().find(|(known, _)| *known == kind && matches!(order, "<" | ">" | "|" | "="));
    let &(_, dtype) = known.ok_or_else(|| {
        fault("elements that are floats, integers or bools, such as '<f4'", format!("{descr:?}"))
    })?;
    let size = usize::from(kind.as_bytes()[1] - b'0');
    let expected = dims.iter().try_fold(size, |product, &dim| product.checked_mul(dim));
    let Some(expected) = expected.filter(|_| {
        dims.iter().filter(|&&dim| dim > 0).try_fold(size, |a, &dim| a.checked_mul(dim)).is_some()
    }) else {
        return Err(WeightsError::TooLarge { name: name.to_owned(), dtype, dims });
    };
    if expected != data.len() {
        let found = format!("{} for the shape {dims:?} of {descr:?}", data.len());
        return Err(fault("as many bytes of elements as the header declares", found));
    }
    let mut bytes = if fortran { row_major(data, &dims, size) } else { data.to_vec() };
    if order == ">" {
        bytes.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    Ok(Array { dtype, dims, bytes })
}

/// The elements, each of `size` bytes, of an array whose first index runs first, in the order in which its last one does.
fn row_major(data: &[u8], dims: &[usize], size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(data.len());
    let steps: Vec<usize> = dims
        .iter()
        .scan(size, |step, &dim| Some(std::mem::replace(step, step.saturating_mul(dim))))
        .collect();
    let (mut index, mut place) = (vec![0; dims.len()], 0);
    while bytes.len() < data.len() {
        bytes.extend_from_slice(&data[place..place + size]);
        for ((i, &dim), step) in index.iter_mut().zip(dims).zip(&steps).rev() {
            *i += 1;
            place += step;
            if *i < dim {
                break;
            }
            place -= dim * step;
            *i = 0;
        }
    }
    bytes
}

/// The fields of a header.
struct Declared {
    descr: String,
    fortran: bool,
    dims: Vec<usize>,
}

/// Expected, and found.
type Fault = (&'static str, String);

/// A reader of `{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }`.
struct Literal<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Literal<'a> {
    fn declared(&mut self) -> Result<Declared, Fault> {
        const FIELDS: &str = "the fields descr, fortran_order and shape in the header, each once";
        let (mut descr, mut fortran, mut dims) = (None, None, None);
        self.expect('{', "a dictionary as header")?;
        while !self.accept('}') {
            let field = self.string("the name of a field in the header")?;
            self.expect(':', "`:` after the name of a field")?;
            let repeated = match field {
                "descr" => descr
                    .replace(self.string("elements of a plain type, not a record, in the header")?)
                    .is_some(),
                "fortran_order" => fortran.replace(self.flag()?).is_some(),
                "shape" => dims.replace(self.sizes()?).is_some(),
                _ => true,
            };
            if repeated {
                return Err((FIELDS, format!("{field:?}")));
            }
            if !self.accept(',') {
                self.expect('}', "`,` or `}` after a field of the header")?;
                break;
            }
        }
        if self.peek().is_some() {
            return Err(("the end of the header", self.found()));
        }
        match (descr, fortran, dims) {
            (Some(descr), Some(fortran), Some(dims)) => {
                Ok(Declared { descr: descr.to_owned(), fortran, dims })
            }
            _ => Err((FIELDS, "fewer".into())),
        }
    }

    /// The rest of the text, without spaces in front.
    fn rest(&mut self) -> &'a str {
        let rest = self.text[self.at..].trim_start_matches([' ', '\t', '\n', '\r']);
        self.at = self.text.len() - rest.len();
        rest
    }

    fn peek(&mut self) -> Option<char> {
        self.rest().chars().next()
    }

    fn found(&mut self) -> String {
        self.peek().map_or("its end".into(), |c| format!("{c:?} at byte {}", self.at))
    }

    fn accept(&mut self, c: char) -> bool {
        let is = self.peek() == Some(c);
        self.at += if is { c.len_utf8() } else { 0 };
        is
    }

    fn expect(&mut self, c: char, expected: &'static str) -> Result<(), Fault> {
        if self.accept(c) { Ok(()) } else { Err((expected, self.found())) }
    }

    /// A string without escapes.
    fn string(&mut self, expected: &'static str) -> Result<&'a str, Fault> {
        let quote =
            self.peek().filter(|c| matches!(c, '\'' | '"')).ok_or_else(|| (expected, self.found()))?;
        let inside = &self.text[self.at + 1..];
        let end = inside.find(quote).filter(|&end| !inside[..end].contains('\\'));
        let end = end.ok_or(("the end of a string in the header", "none".to_owned()))?;
        self.at += end + 2;
        Ok(&inside[..end])
    }

    fn flag(&mut self) -> Result<bool, Fault> {
        for (word, flag) in [("True", true), ("False", false)] {
            if self.rest().starts_with(word) {
                self.at += word.len();
                return Ok(flag);
            }
        }
        Err(("True or False as fortran_order", self.found()))
    }

    fn sizes(&mut self) -> Result<Vec<usize>, Fault> {
        let mut sizes = Vec::new();
        self.expect('(', "a tuple of sizes as shape")?;
        while !self.accept(')') {
            let rest = self.rest();
            let digits = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
            let size = digits.parse().map_err(|_| ("sizes that fit in usize as shape", self.found()))?;
            sizes.push(size);
            self.at += digits.len();
            self.accept('L'); // as Python 2 wrote them
            if !self.accept(',') {
                if sizes.len() == 1 {
                    return Err(("a tuple of sizes as shape", "a number in parentheses".into()));
                }
                self.expect(')', "`,` or `)` after a size")?;
                break;
            }
        }
        Ok(sizes)
    }
}
