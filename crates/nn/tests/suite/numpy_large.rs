//! Archives of NumPy with more arrays, or with larger numbers, than their first format has room for.

use crate::common::files::Folder;
use crate::numpy::{load, npy, text};
use retrograde_nn::weights::{Weights, Writer};
use retrograde_tensor::Tensor;

/// One array more than an archive can count without the fields of large ones.
#[test]
fn an_archive_of_too_many_arrays_is_refused() {
    let mut writer = Writer::default();
    let x = Tensor::<f32>::zeros([0]);
    (0..65534).for_each(|i| writer.insert(i.to_string(), &x));
    let folder = Folder::new("numpy-many");
    let path = folder.join("x.npz");
    writer.save_npz(&path).unwrap();
    assert_eq!(Weights::load(&path).unwrap().names().count(), 65534);
    writer.insert("x", &x);
    let expected = "zip archive: expected arrays of less than 4 GiB in all, 65534 at most, found more";
    assert_eq!(text(writer.save_npz(&path)), expected);
}

/// An archive of one array `x` whose numbers stand, where `wide` says, in the fields of large archives: those of the member,
/// the number of members, and the start of the list.
///
/// # Source
/// PKWARE, *APPNOTE: .ZIP file format specification*, version 6.3.10 (2022), sections 4.3.7 to 4.3.16 and 4.5.3.
fn large_archive(array: &[u8], crc: u32, wide: [bool; 3]) -> Vec<u8> {
    let [member, count, list] = wide;
    let size = if member { u32::MAX } else { array.len() as u32 }.to_le_bytes();
    let (crc, name) = (crc.to_le_bytes(), b"x.npy");
    let common = [&b"\x2d\0\0\0\0\0\0\0\0\0"[..], &crc, &size, &size, &[5, 0]].concat();
    let local = [&b"PK\x03\x04"[..], &common, &[0, 0], name, array].concat();
    // A field that says nothing of sizes, and the one that does: size, stored size, start.
    let mut extra = b"\x99\x99\x04\0abcd\x01\0\x18\0".to_vec();
    [array.len(), array.len(), 0].iter().for_each(|&number| extra.extend((number as u64).to_le_bytes()));
    let lengths = if member { [extra.len() as u8, 0] } else { [0, 0] };
    let start = if member { u32::MAX } else { 0_u32 }.to_le_bytes();
    let mut central = [&b"PK\x01\x02\x2d\0"[..], &common, &lengths, &[0; 10], &start, name].concat();
    if member {
        central.extend(extra);
    }
    let (begin, size) = (local.len() as u64, central.len() as u64);
    let at = begin + size;
    let mut end = [&b"PK\x06\x06"[..], &44_u64.to_le_bytes(), &[45, 0, 45, 0], &[0; 8]].concat();
    [1, 1, size, begin].iter().for_each(|number| end.extend(number.to_le_bytes()));
    end.extend([&b"PK\x06\x07"[..], &[0; 4], &at.to_le_bytes(), &1_u32.to_le_bytes()].concat());
    let count = if count { u16::MAX } else { 1 }.to_le_bytes();
    let begin = if list { u32::MAX } else { begin as u32 }.to_le_bytes();
    end.extend(
        [&b"PK\x05\x06\0\0\0\0"[..], &count, &count, &(size as u32).to_le_bytes(), &begin, &[0, 0]].concat(),
    );
    [local, central, end].concat()
}

#[test]
fn the_fields_of_large_archives_are_read() {
    let array = npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}\n", &{
        [1.5_f64, -2.0].map(f64::to_le_bytes).concat()
    });
    // The checksum, by long division of polynomials over GF(2).
    let mut crc = !0_u32;
    for bit in array.iter().flat_map(|byte| (0..8).map(move |i| u32::from(byte >> i & 1))) {
        crc = if (crc ^ bit) & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
    }
    for wide in 0..8 {
        let wide = [wide & 1, wide & 2, wide & 4].map(|bit| bit != 0);
        let file = load(&large_archive(&array, !crc, wide)).unwrap();
        assert_eq!(file.get::<f64>("x").unwrap(), Tensor::from([1.5, -2.0]), "{wide:?}");
    }
}
