//! Element types in files.

use retrograde_tensor::{Element, Tensor};

/// An element type that can be read from a file and written to one.
pub trait Stored: Element + sealed::Sealed {
    /// Its name in the format.
    const DTYPE: &'static str;
}

pub(super) mod sealed {
    use super::Tensor;

    pub trait Sealed: Sized {
        /// The type in which all elements of an array can be stored.
        fn dtype(x: &Tensor<Self>) -> &'static str;

        /// The elements that these bytes of a type are, little-endian; `None` if they are not read from that type. The
        /// inner error is a number that does not fit.
        fn decode(dtype: &str, bytes: &[u8]) -> Option<Result<Vec<Self>, i128>>;

        /// Its bytes, little-endian.
        fn encode(self) -> impl AsRef<[u8]>;
    }
}

macro_rules! float {
    ($float:ty, $dtype:literal) => {
        impl Stored for $float {
            const DTYPE: &'static str = $dtype;
        }

        impl sealed::Sealed for $float {
            fn dtype(_: &Tensor<Self>) -> &'static str {
                $dtype
            }

            fn decode(dtype: &str, bytes: &[u8]) -> Option<Result<Vec<Self>, i128>> {
                let chunks = bytes.as_chunks().0.iter();
                (dtype == $dtype).then(|| Ok(chunks.map(|&chunk| <$float>::from_le_bytes(chunk)).collect()))
            }

            fn encode(self) -> impl AsRef<[u8]> {
                self.to_le_bytes()
            }
        }
    };
}
float!(f32, "F32");
float!(f64, "F64");

/// Indices, such as token ids, are stored as signed integers, or as unsigned ones where one of them needs that. Both are
/// read.
impl Stored for usize {
    const DTYPE: &'static str = "I64";
}

impl sealed::Sealed for usize {
    fn dtype(x: &Tensor<Self>) -> &'static str {
        if x.iter().all(|x| i64::try_from(x).is_ok()) { Self::DTYPE } else { "U64" }
    }

    fn decode(dtype: &str, bytes: &[u8]) -> Option<Result<Vec<Self>, i128>> {
        let number: fn([u8; 8]) -> i128 = match dtype {
            "I64" => |chunk| i64::from_le_bytes(chunk).into(),
            "U64" => |chunk| u64::from_le_bytes(chunk).into(),
            _ => return None,
        };
        let index = |&chunk| usize::try_from(number(chunk)).map_err(|_| number(chunk));
        Some(bytes.as_chunks().0.iter().map(index).collect())
    }

    fn encode(self) -> impl AsRef<[u8]> {
        (self as u64).to_le_bytes()
    }
}
