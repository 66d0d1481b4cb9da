//! Files of NumPy: those that it wrote, those that it could have written, and bad ones. And numbers that are widened.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::files::{Folder, Temporary};
use crate::common::{normal, seeded};
use rand::RngExt;
use retrograde_nn::weights::{self, Weights, Writer, load_npy, save_npy};
use retrograde_nn::{Linear, Module};
use retrograde_tensor::{Shape, Tensor};
use safetensors::Dtype;
use safetensors::tensor::TensorView;

/// Written by `numpy.savez` 2.4: arrays of several types, one of them in Fortran order, one big-endian.
const SAVED: &[u8] = include_bytes!("../data/numpy.npz");

/// A file of a name of its own: tests run at the same time.
fn temporary() -> Temporary {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    Temporary::new(&format!("array-{}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

pub(crate) fn load(bytes: &[u8]) -> retrograde_nn::Result<Weights> {
    let file = temporary();
    fs::write(&file.0, bytes).unwrap();
    Weights::load(&file.0)
}

/// The text of an error after the path.
pub(crate) fn text<T: std::fmt::Debug>(result: retrograde_nn::Result<T>) -> String {
    let text = result.unwrap_err().to_string();
    text.split_once(": ").unwrap().1.to_owned()
}

/// A file as the format's documentation has it.
pub(crate) fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn read(bytes: &[u8]) -> retrograde_nn::Result<Tensor<f64>> {
    let file = temporary();
    fs::write(&file.0, bytes).unwrap();
    load_npy(&file.0)
}

#[test]
fn what_numpy_wrote_is_read() {
    let file = load(SAVED).unwrap();
    assert_eq!(file.names().collect::<Vec<_>>(), ["b", "e", "f4", "f8", "h", "i4", "i8", "s", "u"]);
    assert_eq!(file.get::<f32>("f4").unwrap(), Tensor::from([[1.5, -2.0, 3.0], [4.0, 5.0, -0.25]]));
    let expected = Tensor::from([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]]);
    assert_eq!(file.get::<f64>("f8").unwrap(), expected);
    assert_eq!(file.get::<usize>("i8").unwrap(), Tensor::from([[3], [1 << 40]]));
    assert_eq!(file.get::<f32>("e").unwrap(), Tensor::zeros([0, 2]));
    assert_eq!(file.get::<f64>("s").unwrap(), Tensor::scalar(2.5));
    assert_eq!(text(file.get::<f64>("f4")), "tensor f4: expected dtype F64, found F32");
    assert_eq!(text(file.get::<usize>("i4")), "tensor i4: expected dtype I64, found I32");

    let wide = file.widen();
    assert_eq!(wide.get::<f64>("f4").unwrap().at(&[1, 2]), -0.25);
    assert_eq!(wide.get::<f64>("i4").unwrap(), Tensor::from([-7.0, 2147483647.0]));
    assert_eq!(text(wide.get::<f32>("i4")), "tensor i4: expected numbers of F32, found 2147483647");
    assert_eq!(text(wide.get::<usize>("i4")), "tensor i4: expected indices that fit in usize, found -7");
    assert_eq!(
        wide.get::<f32>("h").unwrap().to_vec(),
        [1.5, -0.099975586, 65504.0, 5.9604645e-8, f32::INFINITY]
    );
    assert_eq!(wide.get::<f32>("b").unwrap(), Tensor::from([1.0, 0.0]));
    assert_eq!(wide.get::<usize>("u").unwrap(), Tensor::from([0, 255]));
    assert_eq!(text(wide.get::<f32>("f8")), "tensor f8: expected dtype F32, found F64");
    assert_eq!(text(wide.get::<usize>("f8")), "tensor f8: expected dtype I64, found F64");
}

#[test]
fn any_order_and_type_of_an_array() {
    for (seed, dims) in
        [&[][..], &[1], &[5], &[2, 3], &[3, 1, 2], &[2, 3, 2, 2], &[2, 0, 3], &[2, 1, 3, 1, 2, 2]]
            .iter()
            .enumerate()
    {
        let shape = Shape::new(dims).unwrap();
        let rng = &mut seeded(seed as u64);
        let x = Tensor::from_fn(shape, |_| f64::from(rng.random_range(-100..100_i8)));
        let columns: Vec<f64> = x.permute(&(0..dims.len()).rev().collect::<Vec<_>>()).to_vec();
        let sizes: String = dims.iter().map(|dim| format!("{dim},")).collect();
        for (fortran, elements) in [("False", x.to_vec()), ("True", columns)] {
            macro_rules! holds {
                ($descr:literal, $to:ident, $number:ty) => {
                    let data: Vec<u8> = elements.iter().flat_map(|&x| (x as $number).$to()).collect();
                    let header = format!(
                        "{{'descr': '{}', 'fortran_order': {fortran}, 'shape': ({sizes}), }}\n",
                        $descr
                    );
                    assert_eq!(read(&npy(&header, &data)).unwrap(), x, "{header}");
                };
            }
            holds!("<f8", to_le_bytes, f64);
            holds!(">f8", to_be_bytes, f64);
            holds!("<f4", to_le_bytes, f32);
            holds!(">f4", to_be_bytes, f32);
            holds!("<i8", to_le_bytes, i64);
            holds!(">i8", to_be_bytes, i64);
            holds!("<i4", to_le_bytes, i32);
            holds!(">i4", to_be_bytes, i32);
            holds!("<i2", to_le_bytes, i16);
            holds!("|i1", to_le_bytes, i8);
        }
    }
}

#[test]
fn what_is_written_is_read() {
    let folder = Folder::new("numpy");
    for (seed, dims) in [&[][..], &[1], &[5], &[2, 3], &[0, 2], &[2, 3, 1, 2]].iter().enumerate() {
        let shape = Shape::new(dims).unwrap();
        let x: Tensor<f64> = normal(shape, 1.0, &mut seeded(seed as u64));
        let path = folder.join("x.npy");
        save_npy(&x, &path).unwrap();
        assert_eq!(load_npy::<f64>(&path).unwrap(), x);
        let bytes = fs::read(&path).unwrap();
        // The next multiple of 64 for all shapes, as NumPy has it.
        assert_eq!(bytes.len() - 8 * x.numel(), 128);
        assert_eq!(bytes[bytes.len() - 8 * x.numel() - 1], b'\n');
        let single = x.map(|x| x as f32);
        save_npy(&single, &path).unwrap();
        assert_eq!(load_npy::<f32>(&path).unwrap(), single);
        assert_eq!(load_npy::<f64>(&path).unwrap(), single.map(f64::from));

        let mut writer = Writer::default();
        writer.insert("x", &x.permute(&(0..dims.len()).rev().collect::<Vec<_>>()));
        writer.insert("rnn/ünt.w x", &single);
        writer.insert("ids", &Tensor::from([3_usize, 1 << 63]));
        let path = folder.join("all.npz");
        writer.save_npz(&path).unwrap();
        let file = Weights::load(&path).unwrap();
        assert_eq!(file.names().collect::<Vec<_>>(), ["ids", "rnn/ünt.w x", "x"]);
        assert_eq!(file.get::<f32>("rnn/ünt.w x").unwrap(), single);
        assert_eq!(file.get::<usize>("ids").unwrap(), Tensor::from([3, 1 << 63]));
        assert_eq!(
            file.get::<f64>("x").unwrap().to_vec(),
            x.permute(&(0..dims.len()).rev().collect::<Vec<_>>()).to_vec()
        );
    }
    let path = folder.join("none.npz");
    Writer::default().save_npz(&path).unwrap();
    assert_eq!(Weights::load(&path).unwrap().names().count(), 0);
    let mut writer = Writer::default();
    writer.insert_metadata("format", "pt");
    assert_eq!(
        text(writer.save_npz(&path)),
        "zip archive: expected no metadata, found the string \"format\""
    );
}

#[test]
fn a_model_goes_through_an_archive() {
    let folder = Folder::new("model-npz");
    let path = folder.join("model.npz");
    let rng = &mut seeded(1);
    let (trained, other) = (Linear::<f64>::new(3, 2, rng), Linear::<f64>::new(3, 2, rng));
    let mut writer = Writer::default();
    trained.named_params().iter().for_each(|(name, param)| writer.insert(name, &param.value()));
    writer.save_npz(&path).unwrap();
    Weights::load(&path).unwrap().load_into(&other).unwrap();
    assert_eq!(trained.w.value(), other.w.value());
    // Single precision into double.
    let path = folder.join("single");
    let single = Linear::<f32>::new(3, 2, rng);
    weights::save(&single, &path).unwrap();
    assert!(Weights::load(&path).unwrap().load_into(&other).is_err());
    assert_eq!(trained.w.value(), other.w.value());
    Weights::load(&path).unwrap().widen().load_into(&other).unwrap();
    assert_eq!(single.w.value().map(f64::from), other.w.value());
}

#[test]
fn bad_arrays_are_refused() {
    let good = "{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}";
    assert_eq!(read(&npy(good, &[0; 16])).unwrap(), Tensor::zeros([2]));
    let said = |bytes: &[u8]| {
        let text = text(read(bytes));
        let (name, said) = text.split_once(": ").unwrap();
        assert!(name.starts_with("array "), "{text}");
        said.to_owned()
    };
    let fields = "expected the fields descr, fortran_order and shape in the header, each once, found ";
    let bytes = "expected as many bytes of elements as the header declares, found ";
    let sizes = "expected sizes that fit in usize as shape, found ";
    // A part of the header, what stands there, the bytes of elements; the error.
    for (part, other, data, expected) in [
        (good, "{}", 0, format!("{fields}fewer")),
        (good, "[1]", 0, "expected a dictionary as header, found '[' at byte 0".into()),
        (good, "{'descr", 0, "expected the end of a string in the header, found none".into()),
        ("}", ", 'x': 'y'}", 16, format!("{fields}\"x\"")),
        ("'fortran_order': False", "'descr': '<f8'", 16, format!("{fields}\"descr\"")),
        ("", "", 15, format!("{bytes}15 for the shape [2] of \"<f8\"")),
        ("", "", 17, format!("{bytes}17 for the shape [2] of \"<f8\"")),
        (
            "'<f8'",
            "[('x', '<f8')]",
            16,
            "expected elements of a plain type, not a record, in the header, found '[' at byte 10".into(),
        ),
        ("False", "0", 16, "expected True or False as fortran_order, found '0' at byte 34".into()),
        ("(2,)", "(2)", 16, "expected a tuple of sizes as shape, found a number in parentheses".into()),
        ("(2,)", "(-2,)", 16, format!("{sizes}'-' at byte 51")),
        ("(2,)", "(99999999999999999999,)", 16, format!("{sizes}'9' at byte 51")),
        ("}", "} x", 16, "expected the end of the header, found 'x' at byte 56".into()),
        ("}", "", 16, "expected `,` or `}` after a field of the header, found its end".into()),
    ] {
        let header = good.replacen(part, other, 1);
        assert_eq!(said(&npy(&header, &vec![0; data])), expected, "{header}");
    }
    let kind = "expected elements that are floats, integers or bools, such as '<f4', found";
    for descr in ["<c8", "|O", "<U3", "|S2", "<M8[ns]", "f8", "", "<f16", "é8", "<e8"] {
        assert_eq!(said(&npy(&good.replace("<f8", descr), &[0; 16])), format!("{kind} {descr:?}"));
    }
    for huge in ["(4294967296, 4294967296)", "(0, 4294967296, 4294967296)"] {
        let text = text(read(&npy(&good.replace("(2,)", huge), &[])));
        assert!(
            text.starts_with("tensor array")
                || text.contains("expected a number of bytes that fits in usize"),
            "{text}"
        );
    }
    let seven = text(read(&npy(&good.replace("(2,)", "(1,1,1,1,1,1,1)"), &[0; 8])));
    assert!(seven.contains("axes"), "{seven}");

    let whole = npy(good, &[0; 16]);
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err());
    }
    let versions: Vec<bool> = (0..5)
        .map(|version| read(&[&b"\x93NUMPY"[..], &[version, 0], &whole[8..]].concat()).is_ok())
        .collect();
    assert_eq!(versions, [false, true, false, false, false]); // 2 and 3 have a longer length
    let long =
        [b"\x93NUMPY\x03\0", &(good.len() as u32).to_le_bytes()[..], good.as_bytes(), &[0; 16]].concat();
    assert_eq!(read(&long).unwrap(), Tensor::zeros([2]));
}

#[test]
fn bad_archives_are_refused() {
    let list = b"PK\x01\x02"; // before each member of the list: versions, flags, compression
    // Bytes, which of those places, what stands there; the error.
    for (from, nth, to, expected) in [
        (
            &list[..],
            0,
            &b"PK\x01\x02\x14\x03\x2d\0\0\0\x08\0"[..],
            "expected stored arrays, as numpy.savez writes them, found \"f4.npy\", which is compressed",
        ),
        (
            list,
            0,
            b"PK\x01\x02\x14\x03\x2d\0\x01\0",
            "expected arrays that are not encrypted, found \"f4.npy\", which is",
        ),
        (
            &1.5_f32.to_le_bytes(),
            0,
            &2.5_f32.to_le_bytes(),
            "expected arrays whose checksums are those stated, found \"f4.npy\" with another",
        ),
        (b"f4.npy", 1, b"f4.txt", "expected members that end with .npy, found \"f4.txt\""),
    ] {
        let mut bytes = SAVED.to_vec();
        let at = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(from)).nth(nth).unwrap();
        bytes[at..at + to.len()].copy_from_slice(to);
        assert_eq!(text(load(&bytes)).strip_prefix("zip archive: "), Some(expected));
    }
    for length in 4..SAVED.len() {
        assert!(load(&SAVED[..length]).is_err());
    }
    let cut = text(load(&SAVED[..SAVED.len() - 30]));
    assert_eq!(
        cut,
        "zip archive: expected the list of the arrays at the end, found none: the file may be cut"
    );
    // A comment behind the end is allowed.
    let mut commented = SAVED.to_vec();
    let end = commented.len();
    commented[end - 2] = 3;
    commented.extend_from_slice(b"abc");
    assert_eq!(load(&commented).unwrap().names().count(), 9);
}

#[test]
fn numbers_of_safetensors_are_widened() {
    let file = temporary();
    let views = |dtype: Dtype, data: Vec<u8>| {
        let shape = vec![data.len() / (dtype.bitsize() / 8)];
        let view = TensorView::new(dtype, shape, &data).unwrap();
        safetensors::serialize_to_file([("x", view)], None, &file.0).unwrap();
        Weights::load(&file.0).unwrap().widen()
    };
    // All numbers of half precision, against the steps between them: 2^-24 below 2^-14, twice as long with each power of 2.
    let all: Vec<u8> = (0..=u16::MAX).flat_map(u16::to_le_bytes).collect();
    let half = views(Dtype::F16, all.clone()).get::<f64>("x").unwrap().to_vec();
    let mut expected = 0.0;
    for bits in 0..0x7c00_usize {
        assert_eq!((half[bits], half[bits + 0x8000]), (expected, -expected));
        expected += 2.0_f64.powi(-24 + (bits >> 10).saturating_sub(1) as i32);
    }
    assert_eq!((half[0x7c00], half[0xfc00]), (f64::INFINITY, f64::NEG_INFINITY));
    assert!(half[0x7c01..0x8000].iter().chain(&half[0xfc01..]).all(|x| x.is_nan()));
    let brain = views(Dtype::BF16, all).get::<f32>("x").unwrap().to_vec();
    assert_eq!((brain[0x3f80], brain[0xc049], brain[1]), (1.0, -3.140625, f32::from_bits(1 << 16)));
    assert!(brain[0x7f81].is_nan());

    let bytes: Vec<u8> = (0..=255).collect();
    let of_bytes = |dtype| views(dtype, bytes.clone());
    assert_eq!(of_bytes(Dtype::U8).get::<f32>("x").unwrap().at(&[255]), 255.0);
    assert_eq!(of_bytes(Dtype::U8).get::<usize>("x").unwrap().at(&[200]), 200);
    assert_eq!(of_bytes(Dtype::I8).get::<f32>("x").unwrap().at(&[255]), -1.0);
    assert_eq!(of_bytes(Dtype::I16).get::<f64>("x").unwrap().at(&[127]), -2.0);
    assert_eq!(of_bytes(Dtype::U16).get::<f64>("x").unwrap().at(&[127]), 65534.0);
    assert_eq!(views(Dtype::U32, vec![255; 4]).get::<f64>("x").unwrap().at(&[0]), 4294967295.0);
    let [exact, inexact] = [1_i64 << 53, (1 << 53) + 1].map(|x| x.to_le_bytes().to_vec());
    assert_eq!(views(Dtype::I64, exact).get::<f64>("x").unwrap().at(&[0]), 9007199254740992.0);
    let tenth = 0.1_f32.to_le_bytes().to_vec();
    assert_eq!(views(Dtype::F32, tenth).get::<f64>("x").unwrap().at(&[0]), f64::from(0.1_f32));
    for (found, expected) in [
        (text(of_bytes(Dtype::I8).get::<usize>("x")), "indices that fit in usize, found -128"),
        (text(views(Dtype::U32, vec![255; 4]).get::<f32>("x")), "numbers of F32, found 4294967295"),
        (text(views(Dtype::U64, vec![255; 8]).get::<f64>("x")), "numbers of F64, found 18446744073709551615"),
        (text(views(Dtype::I64, inexact).get::<f64>("x")), "numbers of F64, found 9007199254740993"),
        (text(views(Dtype::F64, vec![0; 8]).get::<f32>("x")), "dtype F32, found F64"),
        (text(views(Dtype::F8_E4M3, vec![0]).get::<f32>("x")), "dtype F32, found F8_E4M3"),
    ] {
        assert_eq!(found.strip_prefix("tensor x: expected "), Some(expected));
    }
    let none = Weights::load(&file.0).unwrap();
    assert!(none.get::<f64>("x").is_err());
}

/// NumPy itself, by the Python that `RETROGRADE_NUMPY` names, such as `python3`.
#[test]
fn numpy_reads_what_was_written() {
    let Ok(python) = std::env::var("RETROGRADE_NUMPY") else {
        eprintln!("RETROGRADE_NUMPY names no Python with NumPy: not tried");
        return;
    };
    let folder = Folder::new("numpy-reads");
    let x: Tensor<f64> = normal([2, 3, 2], 1.0, &mut seeded(1));
    let arrays = [
        ("all", x.clone()),
        ("none", Tensor::zeros([0, 2])),
        ("one", Tensor::from([7.0])),
        ("s", Tensor::scalar(0.5)),
    ];
    let mut writer = Writer::default();
    for (name, x) in &arrays {
        writer.insert(*name, x);
        save_npy(x, folder.join(format!("{name}.npy"))).unwrap();
    }
    writer.insert("ids ü", &Tensor::from([3_usize, 1 << 40]));
    writer.insert("rnn.wx", &Tensor::from([[1.5_f32], [-2.0]]));
    writer.save_npz(folder.join("all.npz")).unwrap();
    let program = "import sys, numpy as np\n\
        folder = sys.argv[1]\n\
        file = np.load(folder + '/all.npz')\n\
        for name in sorted(file.files):\n\
        \x20   x = file[name]\n\
        \x20   print(name, x.dtype, list(x.shape), [float(v) for v in x.ravel()], sep=';')\n\
        for name in ['all', 'none', 'one', 's']:\n\
        \x20   assert np.array_equal(np.load(folder + '/' + name + '.npy'), file[name])\n";
    let mut command = std::process::Command::new(python);
    let output =
        command.args(["-c", program]).arg(folder.join("")).env("PYTHONIOENCODING", "utf-8").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let found = String::from_utf8(output.stdout).unwrap();
    let mut expected = vec![
        "ids ü;int64;[2];[3.0, 1099511627776.0]".to_owned(),
        "rnn.wx;float32;[2, 1];[1.5, -2.0]".to_owned(),
    ];
    for (name, x) in &arrays {
        expected.push(format!("{name};float64;{:?};{:?}", x.dims(), x.to_vec()));
    }
    expected.sort();
    assert_eq!(found.lines().collect::<Vec<_>>(), expected);
}
