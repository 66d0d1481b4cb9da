//! The header of a `.safetensors` file: the tensors that it declares, and the check that they fill the data.

use std::collections::BTreeMap;
use std::ops::Range;

use super::WeightsError;
use super::json::Json;

/// The declaration of one tensor.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) dtype: &'static str,
    pub(super) dims: Vec<usize>,
    /// The place of its data, counted from the end of the header.
    pub(super) bytes: Range<usize>,
}

/// The element types of the format that take whole bytes, with their sizes in bytes.
const DTYPES: [(&str, usize); 19] = [
    ("BOOL", 1),
    ("U8", 1),
    ("I8", 1),
    ("F8_E4M3", 1),
    ("F8_E5M2", 1),
    ("F8_E8M0", 1),
    ("F8_E4M3FNUZ", 1),
    ("F8_E5M2FNUZ", 1),
    ("I16", 2),
    ("U16", 2),
    ("F16", 2),
    ("BF16", 2),
    ("I32", 4),
    ("U32", 4),
    ("F32", 4),
    ("I64", 8),
    ("U64", 8),
    ("F64", 8),
    ("C64", 8),
];

/// The longest header that is read or written, in bytes: as long as the format's own library reads.
pub(super) const MAX_HEADER: usize = 100_000_000;

/// The name of the strings that a file states of itself.
pub(super) const METADATA: &str = "__metadata__";

/// A whole header.
#[derive(Clone, Debug, Default)]
pub(super) struct Header {
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) entries: BTreeMap<String, Entry>,
}

/// Reads a header, if its tensors lie end to end and fill `data` bytes.
///
/// # Source
/// The format: <https://github.com/huggingface/safetensors#format>.
pub(super) fn read(header: &str, data: usize) -> Result<Header, WeightsError> {
    let (mut metadata, mut declared) = (None, BTreeMap::new());
    let mut json = Json::new(header);
    json.object(|json, name| {
        if name == METADATA {
            return once(&mut metadata, strings(json)?).map_err(|()| WeightsError::Repeated { name });
        }
        let entry = entry(json, &name)?;
        match declared.insert(name.clone(), entry) {
            Some(_) => Err(WeightsError::Repeated { name }),
            None => Ok(()),
        }
    })?;
    json.end()?;

    let mut by_place: Vec<(&String, &Entry)> = declared.iter().collect();
    by_place.sort_by_key(|(_, entry)| (entry.bytes.start, entry.bytes.end));
    let mut end = 0;
    for (name, entry) in by_place {
        end = entry.check(name, end)?;
    }
    if end != data {
        return Err(WeightsError::DataLength { expected: end, found: data });
    }
    Ok(Header { metadata: metadata.unwrap_or_default(), entries: declared })
}

/// Fills a place, unless it is filled.
fn once<T>(place: &mut Option<T>, value: T) -> Result<(), ()> {
    if place.replace(value).is_none() { Ok(()) } else { Err(()) }
}

/// `{"format": "pt", ..}`
fn strings(json: &mut Json<'_>) -> Result<BTreeMap<String, String>, WeightsError> {
    let mut strings = BTreeMap::new();
    json.object(|json, field| match strings.insert(field.clone(), json.string()?) {
        Some(_) => Err(WeightsError::RepeatedField { of: METADATA.into(), field }),
        None => Ok(()),
    })?;
    Ok(strings)
}

/// `{"dtype": "F64", "shape": [2, 3], "data_offsets": [0, 48]}`, in any order.
fn entry(json: &mut Json<'_>, tensor: &str) -> Result<Entry, WeightsError> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    json.object(|json, field| {
        let filled = match &*field {
            "dtype" => once(&mut dtype, json.string()?),
            "shape" => once(&mut shape, json.integers()?),
            "data_offsets" => once(&mut offsets, json.integers()?),
            _ => return Err(WeightsError::UnknownField { name: tensor.into(), found: field }),
        };
        filled.map_err(|()| WeightsError::RepeatedField { of: format!("tensor {tensor}"), field })
    })?;
    let without = |missing| WeightsError::Incomplete { name: tensor.into(), missing };
    let dtype = dtype.ok_or_else(|| without("dtype"))?;
    let dims = shape.ok_or_else(|| without("shape"))?;
    let offsets = offsets.ok_or_else(|| without("data_offsets"))?;
    let &(dtype, _) = DTYPES
        .iter()
        .find(|(known, _)| *known == dtype)
        .ok_or_else(|| WeightsError::UnknownDtype { name: tensor.into(), found: dtype })?;
    match offsets[..] {
        [start, end] => Ok(Entry { dtype, dims, bytes: start..end }),
        _ => Err(WeightsError::OffsetCount { name: tensor.into(), found: offsets.len() }),
    }
}

impl Entry {
    /// Checks that the data begin where the tensor before ends and are as many as the shape takes. Returns where they end.
    fn check(&self, name: &str, start: usize) -> Result<usize, WeightsError> {
        let Entry { dtype, dims, bytes } = self;
        let (name, dims) = (name.to_owned(), dims.clone());
        let size = DTYPES.iter().find(|(known, _)| known == dtype).map_or(0, |&(_, size)| size);
        let size = dims.iter().try_fold(size, |product, &dim| product.checked_mul(dim));
        let Some(end) = size.and_then(|size| start.checked_add(size)) else {
            return Err(WeightsError::TooLarge { name, dtype, dims });
        };
        if *bytes != (start..end) {
            return Err(WeightsError::Offsets {
                name,
                dtype,
                dims,
                expected: start..end,
                found: bytes.clone(),
            });
        }
        Ok(end)
    }
}
