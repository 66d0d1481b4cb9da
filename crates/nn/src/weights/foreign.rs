//! Files of other formats that are taken for `.safetensors`.

use super::WeightsError;

/// How files of other formats begin, and what they are.
const FORMATS: [(&[u8], &str); 5] = [
    (b"PK", "a zip archive, as torch.save and numpy.savez write"),
    (b"\x80", "a pickle, as old versions of torch.save write"),
    (b"\x93NUMPY", "an array of NumPy"),
    (b"\x89HDF", "an HDF5 file, as Keras writes"),
    (b"GGUF", "a GGUF file"),
];

/// Names the format of a file that is not `.safetensors`, if its first bytes tell.
pub(super) fn recognize(file: &[u8]) -> Option<WeightsError> {
    let is = |magic: &[u8]| match (magic, file) {
        // The length of a header that is not far too long has zeros from byte 4 on at the latest. A pickle states its
        // protocol, which is at least 2, and goes on with an opcode, of which none is 0.
        (b"\x80", [0x80, 2..=5, rest @ ..]) => !rest.starts_with(&[0]),
        (b"\x80", _) => false,
        (b"PK", [b'P', b'K', rest @ ..]) => !rest.starts_with(&[0]),
        _ => file.starts_with(magic),
    };
    let (_, found) = FORMATS.iter().find(|(magic, _)| is(magic))?;
    Some(WeightsError::OtherFormat { found })
}
