//! Files of weights: what is read from good ones, and what is said of bad ones.

use std::fs;

use crate::common::files::Temporary;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde_nn::weights::Weights;
use retrograde_tensor::Tensor;
use safetensors::{Dtype, SafeTensors};

/// A file of these bytes.
fn written(name: &str, bytes: &[u8]) -> Temporary {
    let temporary = Temporary::new(name);
    fs::write(&temporary.0, bytes).unwrap();
    temporary
}

/// The text of an error about a file, without its path.
fn fault(file: &Temporary, error: retrograde_nn::Error) -> String {
    let text = error.to_string();
    let path = format!("{}: ", file.0.display());
    text.strip_prefix(&path).unwrap_or_else(|| panic!("{text} does not start with {path}")).to_owned()
}

fn file(header: &[u8], data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes(), header, data].concat()
}

/// The message on a file with this header and `length` bytes of data.
fn refusal(name: &str, header: &str, data: usize) -> String {
    bytes_refusal(name, &file(header.as_bytes(), &vec![0; data]))
}

fn bytes_refusal(name: &str, bytes: &[u8]) -> String {
    let temporary = written(name, bytes);
    fault(&temporary, Weights::load(&temporary.0).unwrap_err())
}

const TWO: &str = r#"{"a":{"dtype":"F64","shape":[3],"data_offsets":[0,24]},
    "b":{"data_offsets":[24,40],"shape":[2,2],"dtype":"F32"},"__metadata__":{"format":"pt"}}  "#;

#[test]
fn arrays_are_read_whatever_their_order_and_type() {
    let header = r#"{"ids":{"dtype":"I64","shape":[2],"data_offsets":[40,56]},
        "none":{"dtype":"F32","shape":[0,3],"data_offsets":[40,40]},
        "w\u00e9 \"\ud83d\ude00":{"dtype":"F64","shape":[],"data_offsets":[56,64]},
        "a":{"dtype":"F64","shape":[3],"data_offsets":[0,24]},
        "b":{"data_offsets":[24,40],"shape":[2,2],"dtype":"F32"}}"#;
    let data = [
        [1.5_f64, -2.0, 1e-300].into_iter().flat_map(f64::to_le_bytes).collect::<Vec<u8>>(),
        [1.0_f32, 2.0, 3.0, 4.5].into_iter().flat_map(f32::to_le_bytes).collect(),
        [7_i64, 1 << 40].into_iter().flat_map(i64::to_le_bytes).collect(),
        (-0.25_f64).to_le_bytes().to_vec(),
    ];
    let temporary = written("order", &file(header.as_bytes(), &data.concat()));
    let weights = Weights::load(&temporary.0).unwrap();
    assert_eq!(weights.names().collect::<Vec<_>>(), ["a", "b", "ids", "none", "wé \"😀"]);
    assert!(weights.contains("ids") && !weights.contains("id"));
    assert_eq!(weights.get::<f64>("a").unwrap(), Tensor::from([1.5, -2.0, 1e-300]));
    assert_eq!(weights.get_shaped::<f32>("b", [2, 2]).unwrap(), Tensor::from([[1.0, 2.0], [3.0, 4.5]]));
    assert_eq!(weights.get::<usize>("ids").unwrap(), Tensor::from([7, 1 << 40]));
    assert_eq!(weights.get::<f32>("none").unwrap(), Tensor::zeros([0, 3]));
    assert_eq!(weights.get::<f64>("wé \"😀").unwrap(), Tensor::scalar(-0.25));
}

#[test]
fn every_escape_of_json_is_read() {
    let header = br#"{"\"\\\/\b\f\n\r\t\u0041\u00E9":{"dtype":"F64","shape":[],"data_offsets":[0,8]}}"#;
    let bytes = file(header, &1.5_f64.to_le_bytes());
    let temporary = written("escapes", &bytes);
    let name = "\"\\/\u{8}\u{c}\n\r\tA\u{e9}";
    assert_eq!(SafeTensors::deserialize(&bytes).unwrap().names(), [name]);
    let weights = Weights::load(&temporary.0).unwrap();
    assert_eq!(weights.get::<f64>(name).unwrap(), Tensor::scalar(1.5));
}

#[test]
fn a_file_that_cannot_be_read_is_refused() {
    let missing = std::env::temp_dir().join("retrograde-no-such.safetensors");
    let expected = format!(
        "{}: expected a readable file, found: No such file or directory (os error 2)",
        missing.display()
    );
    assert_eq!(Weights::load(&missing).unwrap_err().to_string(), expected);
}

#[test]
fn a_truncated_file_is_refused() {
    let whole = file(TWO.as_bytes(), &[0; 40]);
    let header = TWO.len();
    let refused = |length: usize| bytes_refusal("truncated", &whole[..length]);
    assert_eq!(refused(0), "expected the length of a header in the first 8 bytes, found 0 bytes in all");
    assert_eq!(refused(7), "expected the length of a header in the first 8 bytes, found 7 bytes in all");
    assert_eq!(refused(20), format!("expected a header of {header} bytes, found 12"));
    assert_eq!(refused(8 + header), "expected 40 bytes of data after the header, found 0");
    assert_eq!(refused(8 + header + 39), "expected 40 bytes of data after the header, found 39");
    assert_eq!(refusal("longer", TWO, 41), "expected 40 bytes of data after the header, found 41");
}

#[test]
fn a_header_length_that_lies_is_refused() {
    let lie = |length: u64| {
        let mut bytes = file(TWO.as_bytes(), &[0; 40]);
        bytes[..8].copy_from_slice(&length.to_le_bytes());
        bytes_refusal("length", &bytes)
    };
    let after = TWO.len() + 40;
    assert_eq!(lie(u64::MAX), format!("expected a header of 18446744073709551615 bytes, found {after}"));
    assert_eq!(lie(after as u64 + 1), format!("expected a header of {} bytes, found {after}", after + 1));
    assert_eq!(lie(0), "expected an object at byte 0 of the header, found the end");
    assert_eq!(lie(10), "expected the end of a string at byte 10 of the header, found the end");
    let beyond = TWO.len() as u64 + 1;
    let expected = format!("expected the end at byte {} of the header, found '\\0'", TWO.len());
    assert_eq!(lie(beyond), expected);
}

#[test]
fn a_header_that_is_not_of_the_format_is_refused() {
    let utf8 = bytes_refusal("utf8", &file(b"{\"a\xff\":{}}", &[]));
    assert_eq!(utf8, "expected a header in UTF-8, found an invalid byte at 3");
    let at = |header: &str| refusal("json", header, 0);
    assert_eq!(at("[]"), "expected an object at byte 0 of the header, found '['");
    assert_eq!(at("{\"a\" 1}"), "expected `:` at byte 5 of the header, found '1'");
    assert_eq!(at("{\"a\n\":1}"), "expected the end of a string at byte 3 of the header, found '\\n'");
    assert_eq!(at("{\"\\x\":1}"), "expected an escape of JSON at byte 2 of the header, found '\\\\'");
    assert_eq!(at("{\"\\ud83d\":1}"), "expected an escaped character at byte 2 of the header, found '\\\\'");
    assert_eq!(at("{\"a\":[1]}"), "expected an object at byte 5 of the header, found '['");
    assert_eq!(at(r#"{"__metadata__":{"n":1}}"#), "expected a string at byte 21 of the header, found '1'");
    let shape =
        |shape: &str| at(&format!(r#"{{"a":{{"shape":{shape},"dtype":"U8","data_offsets":[0,0]}}}}"#));
    let integer = "expected an integer that fits in usize at byte";
    assert_eq!(shape("3"), "expected a list of integers at byte 14 of the header, found '3'");
    assert_eq!(shape("[-1]"), format!("{integer} 15 of the header, found '-'"));
    assert_eq!(shape("[18446744073709551616]"), format!("{integer} 15 of the header, found '1'"));
    assert_eq!(shape("[01]"), format!("{integer} 15 of the header, found '0'"));
    assert_eq!(shape("[1.5]"), "expected `,` or `]` at byte 16 of the header, found '.'");
    assert_eq!(at("{\"a\":{}}"), "tensor a: expected dtype, shape and data_offsets, found no dtype");
    assert_eq!(
        at(r#"{"a":{"dtype":"F32","shape":[]}}"#),
        "tensor a: expected dtype, shape and data_offsets, found no data_offsets"
    );
    assert_eq!(
        at(r#"{"a":{"device":"cpu"}}"#),
        "tensor a: expected dtype, shape and data_offsets, found \"device\""
    );
    assert_eq!(
        at(r#"{"a":{"dtype":"F63","shape":[0],"data_offsets":[0,0]}}"#),
        "tensor a: expected a dtype of whole bytes such as F32, found \"F63\""
    );
    assert_eq!(
        at(r#"{"a":{"dtype":"F64","shape":[0],"data_offsets":[0]}}"#),
        "tensor a: expected 2 data_offsets, found 1"
    );
}

/// A name given twice is refused.
#[test]
fn what_is_given_twice_is_refused() {
    let at = |header: &str| refusal("twice", header, 0);
    let entry = r#""a":{"dtype":"F64","shape":[0],"data_offsets":[0,0]}"#;
    assert_eq!(at(&format!("{{{entry},{entry}}}")), "expected each tensor once in the header, found a twice");
    let escaped = entry.replace('a', "\\u0061").replace("d\\u0061t\\u0061", "data");
    assert_eq!(
        at(&format!("{{{entry},{escaped}}}")),
        "expected each tensor once in the header, found a twice"
    );
    let fields = [r#""dtype":"F64""#, r#""shape":[0]"#, r#""data_offsets":[0,0]"#];
    for (field, name) in fields.into_iter().zip(["dtype", "shape", "data_offsets"]) {
        let header = format!(r#"{{"a":{{{},{field}}}}}"#, fields.join(","));
        assert_eq!(at(&header), format!("tensor a: expected each field once, found {name:?} twice"));
    }
    assert_eq!(
        at(r#"{"__metadata__":{},"__metadata__":{"x":"y"}}"#),
        "expected each tensor once in the header, found __metadata__ twice"
    );
    assert_eq!(
        at(r#"{"__metadata__":{"x":"y","x":"y"}}"#),
        "__metadata__: expected each field once, found \"x\" twice"
    );
}

#[test]
fn a_header_longer_than_the_format_allows_is_refused() {
    let header = |length: usize| {
        let mut header = vec![b' '; length];
        header[..2].copy_from_slice(b"{}");
        let file = file(&header, &[]);
        assert_eq!(SafeTensors::deserialize(&file).is_ok(), length <= 100_000_000);
        let temporary = written("long", &file);
        Weights::load(&temporary.0).map(drop).map_err(|error| fault(&temporary, error))
    };
    assert_eq!(header(100_000_000), Ok(()));
    assert_eq!(
        header(100_000_001),
        Err("expected a header of at most 100000000 bytes, found 100000001".to_owned())
    );
}

#[test]
fn files_of_other_formats_are_told_to_be_such() {
    let said = |bytes: &[u8]| bytes_refusal("format", bytes);
    // As torch.save writes them: a zip archive, and a pickle of the number that old versions begin with.
    let zip = b"PK\x03\x04\0\0\x08\x08\0\0\0\0\0\0\0\0model/data.pkl";
    let pickle = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";
    for (zip, writers) in [(&zip[..], "torch.save writes"), (b"PK", "torch.save and numpy.savez write")] {
        let text = said(zip);
        let start = format!("expected a .safetensors file, found a zip archive, as {writers}: convert");
        assert!(text.starts_with(&start) && text.contains("safetensors.torch.save_file("), "{text}");
    }
    for protocol in 2..=5 {
        let mut pickle = pickle.to_vec();
        pickle[1] = protocol;
        let text = said(&pickle);
        assert!(text.starts_with("expected a .safetensors file, found a pickle, "), "{text}");
    }
    assert!(said(b"\x80\x04\x95").contains("found a pickle"));
    assert!(!said(b"\x80\x09\x95\x01\x02\x03\x04\x05\x06").contains("pickle"));
    assert!(said(b"\x93NUMPY\x01\0v\0{'descr': '<f8'}").contains("found an array of NumPy"));
    // A header of the length that these bytes are as a number, in a file cut short.
    let short = |length: u64| said(&[&length.to_le_bytes()[..], b"{"].concat());
    assert_eq!(short(0x4b50), "expected a header of 19280 bytes, found 1");
    assert_eq!(short(0x280), "expected a header of 640 bytes, found 1");
    assert_eq!(short(0x10280), "expected a header of 66176 bytes, found 1");
    assert_eq!(short(0xff4b50), "expected a header of 16730960 bytes, found 1");
    let mut padded = TWO.as_bytes().to_vec();
    padded.resize(0x10280, b' ');
    assert_eq!(said(&file(&padded, &[0; 39])), "expected 40 bytes of data after the header, found 39");
}

#[test]
fn a_folder_is_no_file() {
    let folder = std::env::temp_dir();
    let said = Weights::load(&folder).unwrap_err().to_string();
    assert!(said.starts_with(&format!("{}: expected a readable file, found: ", folder.display())), "{said}");
}

#[test]
fn offsets_and_shapes_that_lie_are_refused() {
    let lie = |a: &str, b: &str| {
        let header = format!(
            r#"{{"a":{{"dtype":"F64","shape":[3],"data_offsets":{a}}},"b":{{"dtype":"F32","shape":[2],"data_offsets":{b}}}}}"#
        );
        refusal("offsets", &header, 32)
    };
    let b = "tensor b: expected F32 [2] at bytes 24..32 of the data, found";
    assert_eq!(lie("[0,24]", "[16,24]"), format!("{b} 16..24"));
    assert_eq!(lie("[0,24]", "[28,36]"), format!("{b} 28..36"));
    assert_eq!(lie("[0,24]", "[24,28]"), format!("{b} 24..28"));
    assert_eq!(lie("[0,24]", "[32,24]"), format!("{b} 32..24"));
    assert_eq!(
        lie("[0,20]", "[20,28]"),
        "tensor a: expected F64 [3] at bytes 0..24 of the data, found 0..20"
    );
    let huge = |shape: &str, end: usize| {
        refusal("huge", &format!(r#"{{"a":{{"dtype":"F64","shape":{shape},"data_offsets":[0,{end}]}}}}"#), 0)
    };
    assert_eq!(
        huge("[4294967296,4294967296]", 0),
        "tensor a: expected a number of bytes that fits in usize, found F64 [4294967296, 4294967296]"
    );
    assert_eq!(
        huge("[1125899906842624]", 1 << 53),
        "expected 9007199254740992 bytes of data after the header, found 0"
    );
}

#[test]
fn many_tensors_that_lie_about_their_size_do_not_overflow() {
    let part = usize::MAX / 4;
    let entry = |i: usize| {
        let (start, end) = (i * part, (i + 1) * part);
        format!(r#""{i}":{{"dtype":"U8","shape":[{part}],"data_offsets":[{start},{end}]}}"#)
    };
    let header = format!("{{{}}}", [entry(0), entry(1), entry(2), entry(3)].join(","));
    let expected = format!("expected {} bytes of data after the header, found 5", 4 * part);
    assert_eq!(refusal("sum", &header, 5), expected);
}

#[test]
fn what_is_not_there_as_asked_for_is_refused() {
    let temporary = written("asked", &file(TWO.as_bytes(), &[0; 40]));
    let weights = Weights::load(&temporary.0).unwrap();
    let said = |error| fault(&temporary, error);
    assert_eq!(said(weights.get::<f64>("c").unwrap_err()), "expected a tensor c, found none");
    assert_eq!(said(weights.get::<f32>("a").unwrap_err()), "tensor a: expected dtype F32, found F64");
    assert_eq!(said(weights.get::<usize>("b").unwrap_err()), "tensor b: expected dtype I64, found F32");
    assert_eq!(
        said(weights.get_shaped::<f32>("b", [4]).unwrap_err()),
        "tensor b: expected shape [4], found [2, 2]"
    );
}

#[test]
fn what_no_tensor_can_hold_is_refused() {
    let header = r#"{"deep":{"dtype":"F64","shape":[1,1,1,1,1,1,1],"data_offsets":[0,8]},
        "ids":{"dtype":"I64","shape":[2],"data_offsets":[8,24]}}"#;
    let data = [4_i64, 4, -1].into_iter().flat_map(i64::to_le_bytes).collect::<Vec<u8>>();
    let temporary = written("unheld", &file(header.as_bytes(), &data));
    let weights = Weights::load(&temporary.0).unwrap();
    assert_eq!(
        fault(&temporary, weights.get::<f64>("deep").unwrap_err()),
        "tensor deep: shape: expected at most 6 axes, found 7 in [1, 1, 1, 1, 1, 1, 1]"
    );
    assert_eq!(
        fault(&temporary, weights.get::<usize>("ids").unwrap_err()),
        "tensor ids: expected indices that fit in usize, found -1"
    );
}

/// The reference implementation of the format accepts the same files, and reads the same numbers from them.
#[test]
fn damaged_files_are_refused_exactly_when_the_reference_refuses_them() {
    let mut rng = StdRng::seed_from_u64(7);
    let numbers: Vec<u8> = (0..5).flat_map(|i| f64::to_le_bytes(f64::from(i) - 1.5)).collect();
    let whole = file(TWO.as_bytes(), &numbers);
    let alphabet = b"{}[]\",:\\ 0123456789FUIabdtu-.\xff";
    let (mut accepted, mut refused) = (0, 0);
    for _ in 0..20_000 {
        let mut bytes = whole.clone();
        for _ in 0..rng.random_range(1..4) {
            let at = rng.random_range(8..8 + TWO.len());
            match rng.random_range(0..4) {
                0 => bytes[at] = alphabet[rng.random_range(0..alphabet.len())],
                1 => bytes.swap(at, at + 1),
                2 => bytes[rng.random_range(0..8)] ^= 1 << rng.random_range(0..8),
                _ => bytes.truncate(bytes.len() - rng.random_range(0..3)),
            }
        }
        let temporary = written("damaged", &bytes);
        let ours = Weights::load(&temporary.0);
        match SafeTensors::deserialize(&bytes) {
            Err(_) => {
                assert!(ours.is_err(), "accepted {:?}", String::from_utf8_lossy(&bytes));
                refused += 1;
            }
            Ok(reference) => {
                let ours = ours.unwrap_or_else(|e| panic!("{e}: {:?}", String::from_utf8_lossy(&bytes)));
                assert_eq!(ours.names().count(), reference.len());
                for (name, view) in reference.iter().filter(|(_, view)| view.dtype() == Dtype::F64) {
                    let found =
                        ours.get_shaped::<f64>(name, retrograde_tensor::Shape::new(view.shape()).unwrap());
                    let found: Vec<u8> = found.unwrap().iter().flat_map(f64::to_le_bytes).collect();
                    assert_eq!(found, view.data());
                }
                accepted += 1;
            }
        }
    }
    assert!(accepted > 500 && refused > 500, "{accepted} accepted, {refused} refused");
}
