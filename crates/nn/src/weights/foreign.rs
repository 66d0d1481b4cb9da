//! Files of other formats that are taken for `.safetensors`.

use super::{WeightsError, npy};

/// The first bytes of files of other formats, and their names.
const FORMATS: [(&[u8], &str); 5] = [
    (b"PK", "a zip archive, as torch.save and numpy.savez write"),
    (b"\x80", "a pickle, as old versions of torch.save write"),
    (npy::MAGIC, "an array of NumPy, which `load_npy` reads"),
    (b"\x89HDF", "an HDF5 file, as Keras writes"),
    (b"GGUF", "a GGUF file"),
];

/// Names the format of a file that is not `.safetensors`, if its first bytes tell.
pub(super) fn recognize(file: &[u8]) -> Option<WeightsError> {
    // A header of less than 16 MB has a length whose last five bytes are 0.
    if file.get(3..8).is_some_and(|end| end.iter().all(|&byte| byte == 0)) {
        return None;
    }
    let is = |magic: &[u8]| match magic {
        b"\x80" => matches!(file, [0x80, 2..=5, ..]), // and the protocol
        _ => file.starts_with(magic),
    };
    let (_, found) = FORMATS.iter().find(|(magic, _)| is(magic))?;
    Some(WeightsError::OtherFormat { found })
}
