//! The header of a `.safetensors` file: what it declares, and whether that can be true.

use std::collections::BTreeMap;
use std::ops::Range;

use super::Fault;
use super::json::Json;

/// What the header says of one tensor.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) dtype: &'static str,
    pub(super) dims: Vec<usize>,
    /// The place of its data, counted from the end of the header.
    pub(super) bytes: Range<usize>,
}

/// The element types of the format that take whole bytes, and how many.
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

/// The tensors that a header declares, by name, if they lie end to end and fill `data` bytes.
///
/// # Source
/// The format: <https://github.com/huggingface/safetensors#format>.
pub(super) fn read(header: &str, data: usize) -> Result<BTreeMap<String, Entry>, Fault> {
    let mut declared = BTreeMap::new();
    let mut json = Json::new(header);
    json.object(|json, name| {
        if name == "__metadata__" {
            return json.object(|json, _| json.string().map(drop));
        }
        let entry = entry(json, &name)?;
        match declared.insert(name.clone(), entry) {
            Some(_) => Err(Fault::Repeated { name }),
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
        return Err(Fault::DataLength { expected: end, found: data });
    }
    Ok(declared)
}

/// `{"dtype": "F64", "shape": [2, 3], "data_offsets": [0, 48]}`, in any order.
fn entry(json: &mut Json<'_>, tensor: &str) -> Result<Entry, Fault> {
    let (mut dtype, mut shape, mut offsets) = (None, None, None);
    json.object(|json, field| {
        match &*field {
            "dtype" => dtype = Some(json.string()?),
            "shape" => shape = Some(json.integers()?),
            "data_offsets" => offsets = Some(json.integers()?),
            _ => return Err(Fault::UnknownField { name: tensor.into(), found: field }),
        }
        Ok(())
    })?;
    let without = |missing| Fault::Incomplete { name: tensor.into(), missing };
    let dtype = dtype.ok_or_else(|| without("dtype"))?;
    let dims = shape.ok_or_else(|| without("shape"))?;
    let offsets = offsets.ok_or_else(|| without("data_offsets"))?;
    let &(dtype, _) = DTYPES
        .iter()
        .find(|(known, _)| *known == dtype)
        .ok_or_else(|| Fault::UnknownDtype { name: tensor.into(), found: dtype })?;
    match offsets[..] {
        [start, end] => Ok(Entry { dtype, dims, bytes: start..end }),
        _ => Err(Fault::OffsetCount { name: tensor.into(), found: offsets.len() }),
    }
}

impl Entry {
    /// Whether the data lie where the tensor before ends and are as many as the shape takes. Returns where they end.
    fn check(&self, name: &str, start: usize) -> Result<usize, Fault> {
        let Entry { dtype, dims, bytes } = self;
        let (name, dims) = (name.to_owned(), dims.clone());
        let size = DTYPES.iter().find(|(known, _)| known == dtype).map_or(0, |&(_, size)| size);
        let size = dims.iter().try_fold(size, |product, &dim| product.checked_mul(dim));
        let Some(end) = size.and_then(|size| start.checked_add(size)) else {
            return Err(Fault::TooLarge { name, dtype, dims });
        };
        if *bytes != (start..end) {
            return Err(Fault::Offsets { name, dtype, dims, expected: start..end, found: bytes.clone() });
        }
        Ok(end)
    }
}
