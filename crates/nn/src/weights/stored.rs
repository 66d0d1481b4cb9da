//! Element types in files.

use retrograde_tensor::{Element, Shape, Tensor};

use super::WeightsError;

/// An element type that can be read from a file and written to one.
pub trait Stored: Element + sealed::Sealed {
    /// Its name in the format.
    const DTYPE: &'static str;
}

pub(super) mod sealed {
    use super::{Shape, Stored, Tensor, WeightsError};

    pub trait Sealed: Sized {
        /// The type in which all elements of an array can be stored.
        fn dtype(x: &Tensor<Self>) -> &'static str;

        /// The elements that these bytes of a type are, little-endian; `None` if they are not read from that type. The
        /// inner error is a number that does not fit.
        fn decode(dtype: &str, bytes: &[u8]) -> Option<Result<Vec<Self>, i128>>;

        /// As `decode`, from every type of numbers that can be numbers of this type.
        fn widen(dtype: &str, bytes: &[u8]) -> Option<Result<Vec<Self>, i128>>;

        /// The error about a number that does not fit.
        fn unfit(name: String, found: i128) -> WeightsError;

        /// Its bytes, little-endian.
        fn encode(self) -> impl AsRef<[u8]>;

        /// The array of a type and a shape.
        fn tensor(
            name: &str,
            (dtype, dims): (&'static str, &[usize]),
            bytes: &[u8],
            widen: bool,
        ) -> Result<Tensor<Self>, WeightsError>
        where
            Self: Stored,
        {
            let decoded = if widen { Self::widen(dtype, bytes) } else { Self::decode(dtype, bytes) };
            let elements = decoded
                .ok_or_else(|| WeightsError::Dtype {
                    name: name.into(),
                    expected: Self::DTYPE,
                    found: dtype,
                })?
                .map_err(|found| Self::unfit(name.into(), found))?;
            Shape::new(dims)
                .and_then(|shape| Tensor::from_vec(elements, shape))
                .map_err(|source| WeightsError::Unrepresentable { name: name.into(), source })
        }
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

            fn widen(dtype: &str, bytes: &[u8]) -> Option<Result<Vec<Self>, i128>> {
                if let Some((size, integer)) = integers(dtype) {
                    let number = |bytes| match integer(bytes) {
                        whole if whole as $float as i128 == whole => Ok(whole as $float),
                        found => Err(found),
                    };
                    return Some(bytes.chunks_exact(size).map(number).collect());
                }
                let (size, float) = floats(dtype).filter(|&(size, _)| size <= size_of::<Self>())?;
                Some(Ok(bytes.chunks_exact(size).map(|bytes| float(bytes) as $float).collect()))
            }

            fn unfit(name: String, found: i128) -> WeightsError {
                WeightsError::Inexact { name, expected: $dtype, found }
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
        matches!(dtype, "I64" | "U64").then(|| Self::widen(dtype, bytes)).flatten()
    }

    fn widen(dtype: &str, bytes: &[u8]) -> Option<Result<Vec<Self>, i128>> {
        let (size, integer) = integers(dtype)?;
        let index = |bytes| usize::try_from(integer(bytes)).map_err(|_| integer(bytes));
        Some(bytes.chunks_exact(size).map(index).collect())
    }

    fn unfit(name: String, found: i128) -> WeightsError {
        WeightsError::NotAnIndex { name, found }
    }

    fn encode(self) -> impl AsRef<[u8]> {
        (self as u64).to_le_bytes()
    }
}

/// The number of bytes of a type, and the number that these bytes are.
type Number<T> = (usize, fn(&[u8]) -> T);

/// The integer types.
fn integers(dtype: &str) -> Option<Number<i128>> {
    macro_rules! integer {
        ($integer:ty) => {
            (size_of::<$integer>(), |bytes| {
                <$integer>::from_le_bytes(bytes.try_into().expect("its bytes")).into()
            })
        };
    }
    Some(match dtype {
        "BOOL" | "U8" => integer!(u8),
        "I8" => integer!(i8),
        "U16" => integer!(u16),
        "I16" => integer!(i16),
        "U32" => integer!(u32),
        "I32" => integer!(i32),
        "U64" => integer!(u64),
        "I64" => integer!(i64),
        _ => return None,
    })
}

/// The float types.
fn floats(dtype: &str) -> Option<Number<f64>> {
    Some(match dtype {
        "F16" => (2, |bytes| half(u16::from_le_bytes(bytes.try_into().expect("2 bytes")))),
        // The upper half of the bits of an f32.
        "BF16" => (2, |bytes| {
            f32::from_bits(u32::from(u16::from_le_bytes(bytes.try_into().expect("2 bytes"))) << 16).into()
        }),
        "F32" => (4, |bytes| f32::from_le_bytes(bytes.try_into().expect("4 bytes")).into()),
        "F64" => (8, |bytes| f64::from_le_bytes(bytes.try_into().expect("8 bytes"))),
        _ => return None,
    })
}

/// A number of half precision: a sign, 5 bits of exponent, 10 of fraction (IEEE 754-2008, section 3.6).
fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2.0_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2.0_f64.powi(exponent - 15),
    };
    if bits >> 15 == 0 { size } else { -size }
}
