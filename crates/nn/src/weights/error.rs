//! Errors of files of weights.

use std::io;
use std::ops::Range;

use retrograde_tensor::Shape;

/// An error of a file of weights, or of a request to it. [`Error::Weights`](crate::Error::Weights) adds its path.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WeightsError {
    /// The file cannot be read.
    #[error("expected a readable file, found: {reason}")]
    Unreadable {
        /// The kind of the error.
        kind: io::ErrorKind,
        /// Its text.
        reason: String,
    },
    /// The file cannot be written. What was there before is there still.
    #[error("expected a file that can be written, found: {reason}")]
    Unwritable {
        /// The kind of the error.
        kind: io::ErrorKind,
        /// Its text.
        reason: String,
    },
    /// The file has another format.
    #[error(
        "expected a .safetensors file, found {found}: convert it where it was made, in Python \
         by safetensors.torch.save_file(torch.load(path, weights_only=True), other_path); see `nn::weights`"
    )]
    OtherFormat {
        /// The format.
        found: &'static str,
    },
    /// The file is too short to hold even the length of its header.
    #[error("expected the length of a header in the first 8 bytes, found {found} bytes in all")]
    NoHeader {
        /// The length of the file.
        found: usize,
    },
    /// The header ends beyond the end of the file.
    #[error("expected a header of {expected} bytes, found {found}")]
    HeaderLength {
        /// The length that the first 8 bytes state.
        expected: u64,
        /// The bytes that follow them.
        found: usize,
    },
    /// The header is longer than the format allows.
    #[error("expected a header of at most {most} bytes, found {found}")]
    HeaderTooLong {
        /// The limit.
        most: usize,
        /// The length of the header.
        found: usize,
    },
    /// The header is not text.
    #[error("expected a header in UTF-8, found an invalid byte at {at}")]
    NotUtf8 {
        /// The place of the byte in the header.
        at: usize,
    },
    /// The header is not the JSON that the format asks for.
    #[error("expected {expected} at byte {at} of the header, found {found}")]
    Header {
        /// The place in the header.
        at: usize,
        /// The format's requirement.
        expected: &'static str,
        /// The character found.
        found: String,
    },
    /// The header declares two tensors of one name.
    #[error("expected each tensor once in the header, found {name} twice")]
    Repeated {
        /// The name.
        name: String,
    },
    /// A field of a declaration, or of `__metadata__`, that is given twice.
    #[error("{of}: expected each field once, found {field:?} twice")]
    RepeatedField {
        /// The tensor, or `__metadata__`.
        of: String,
        /// The name of the field.
        field: String,
    },
    /// A name that the format keeps for itself.
    #[error("expected names of arrays that the format leaves free, found {name}")]
    ReservedName {
        /// The name.
        name: &'static str,
    },
    /// A declaration without one of its three fields.
    #[error("tensor {name}: expected dtype, shape and data_offsets, found no {missing}")]
    Incomplete {
        /// The name of the tensor.
        name: String,
        /// The field that is not there.
        missing: &'static str,
    },
    /// A declaration with a field that the format does not have.
    #[error("tensor {name}: expected dtype, shape and data_offsets, found {found:?}")]
    UnknownField {
        /// The name of the tensor.
        name: String,
        /// The field.
        found: String,
    },
    /// Offsets that are not a start and an end.
    #[error("tensor {name}: expected 2 data_offsets, found {found}")]
    OffsetCount {
        /// The name of the tensor.
        name: String,
        /// The number of them.
        found: usize,
    },
    /// An element type that the format does not have, or that takes less than a byte.
    #[error("tensor {name}: expected a dtype of whole bytes such as F32, found {found:?}")]
    UnknownDtype {
        /// The name of the tensor.
        name: String,
        /// The type that the header states.
        found: String,
    },
    /// A shape whose bytes cannot be counted.
    #[error("tensor {name}: expected a number of bytes that fits in usize, found {dtype} {dims:?}")]
    TooLarge {
        /// The name of the tensor.
        name: String,
        /// The element type.
        dtype: &'static str,
        /// The shape.
        dims: Vec<usize>,
    },
    /// Offsets that overlap another tensor's, leave a hole, or do not fit the shape.
    #[error("tensor {name}: expected {dtype} {dims:?} at bytes {expected:?} of the data, found {found:?}")]
    Offsets {
        /// The name of the tensor.
        name: String,
        /// The element type.
        dtype: &'static str,
        /// The shape.
        dims: Vec<usize>,
        /// From the end of the tensor before, as many bytes as the shape takes.
        expected: Range<usize>,
        /// The offsets that the header states.
        found: Range<usize>,
    },
    /// More or fewer bytes of data than the header declares.
    #[error("expected {expected} bytes of data after the header, found {found}")]
    DataLength {
        /// The bytes of the tensors in the header.
        expected: usize,
        /// The bytes after the header.
        found: usize,
    },
    /// The metadata has no string of this name.
    #[error("__metadata__: expected a string {name}, found none")]
    NoMetadata {
        /// The name that was asked for.
        name: String,
    },
    /// No tensor has this name.
    #[error("expected a tensor {name}, found none")]
    Missing {
        /// The name that was asked for.
        name: String,
    },
    /// Nothing has the name of this tensor.
    #[error("expected no tensor {name}, found one")]
    Unexpected {
        /// The name in the file.
        name: String,
    },
    /// A tensor of another element type than the one asked for.
    #[error("tensor {name}: expected dtype {expected}, found {found}")]
    Dtype {
        /// The name of the tensor.
        name: String,
        /// The type that was asked for.
        expected: &'static str,
        /// The type in the file.
        found: &'static str,
    },
    /// A tensor of another shape than the one asked for.
    #[error("tensor {name}: expected shape {expected}, found {found:?}")]
    Shape {
        /// The name of the tensor.
        name: String,
        /// The shape that was asked for.
        expected: Shape,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor that [`Tensor`](retrograde_tensor::Tensor) cannot hold.
    #[error("tensor {name}: {source}")]
    Unrepresentable {
        /// The name of the tensor.
        name: String,
        /// The reason.
        source: retrograde_tensor::Error,
    },
    /// A number that is no index.
    #[error("tensor {name}: expected indices that fit in usize, found {found}")]
    NotAnIndex {
        /// The name of the tensor.
        name: String,
        /// The first such number.
        found: i128,
    },
    /// A number that a float type does not have.
    #[error("tensor {name}: expected numbers of {expected}, found {found}")]
    Inexact {
        /// The name of the tensor.
        name: String,
        /// The type that was asked for.
        expected: &'static str,
        /// The first such number.
        found: i128,
    },
    /// An array that is not one of NumPy, or of a type that is not read.
    #[error("array {name}: expected {expected}, found {found}")]
    Npy {
        /// The name of the array.
        name: String,
        /// The format's requirement.
        expected: &'static str,
        /// As found.
        found: String,
    },
    /// An archive that is not one of stored arrays.
    #[error("zip archive: expected {expected}, found {found}")]
    Zip {
        /// The format's requirement.
        expected: &'static str,
        /// As found.
        found: String,
    },
    /// A number that is no byte.
    #[error("tensor {name}: expected bytes, found {found}")]
    NotAByte {
        /// The name of the tensor.
        name: String,
        /// The first such number.
        found: usize,
    },
    /// A checkpoint in a layout that this version does not know.
    #[error(
        "expected a checkpoint of version {expected}, found {found}: begin a new run with its weights, which \
         `Weights::load` reads as the arrays `weights/..`"
    )]
    Version {
        /// The version that is written.
        expected: usize,
        /// The version in the file.
        found: usize,
    },
}

impl WeightsError {
    pub(super) fn unreadable(error: &io::Error) -> Self {
        WeightsError::Unreadable { kind: error.kind(), reason: error.to_string() }
    }

    pub(super) fn unwritable(error: &io::Error) -> Self {
        WeightsError::Unwritable { kind: error.kind(), reason: error.to_string() }
    }
}
