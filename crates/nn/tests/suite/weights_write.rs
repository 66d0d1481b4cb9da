//! Files of weights that are written: as the reference implementation reads them, and into models.

use std::fs;

use crate::common::files::Folder;
use crate::common::{normal, seeded};
use retrograde_autograd::Param;
use retrograde_nn::weights::{self, Weights, Writer};
use retrograde_nn::{Error, Linear, Module};
use retrograde_tensor::Tensor;
use safetensors::{Dtype, SafeTensors};

fn fault(error: Error) -> String {
    match error {
        Error::Weights { source, .. } => source.to_string(),
        other => panic!("{other}"),
    }
}

#[test]
fn the_reference_reads_what_was_written() {
    let folder = Folder::new("reference");
    let path = folder.join("w");
    let mut rng = seeded(1);
    let view = normal::<f64>([3, 4], 1.0, &mut rng).t(); // [4, 3], not contiguous
    let single = normal::<f32>([5], 1.0, &mut rng);
    let odd = "quote \" backslash \\ line\nfeed é 😀";
    let mut writer = Writer::default();
    writer.insert("single", &single);
    writer.insert("view", &Tensor::<f64>::zeros([1]));
    writer.insert("view", &view); // in its place
    writer.insert("ids", &Tensor::from([[3_usize], [1 << 40]]));
    writer.insert("empty", &Tensor::<f32>::zeros([0, 2]));
    writer.insert(odd, &Tensor::scalar(f64::NEG_INFINITY));
    writer.save(&path).unwrap();

    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.len(), 5);
    let expect = |name: &str, dtype: Dtype, shape: &[usize], data: Vec<u8>| {
        let tensor = file.tensor(name).unwrap();
        assert_eq!((tensor.dtype(), tensor.shape(), tensor.data()), (dtype, shape, &*data), "{name}");
        let at = tensor.data().as_ptr() as usize - bytes.as_ptr() as usize;
        assert!(data.is_empty() || at.is_multiple_of(dtype.bitsize() / 8), "{name} is not aligned");
    };
    expect("view", Dtype::F64, &[4, 3], view.iter().flat_map(f64::to_le_bytes).collect());
    expect("single", Dtype::F32, &[5], single.iter().flat_map(f32::to_le_bytes).collect());
    expect("ids", Dtype::I64, &[2, 1], [3_i64, 1 << 40].into_iter().flat_map(i64::to_le_bytes).collect());
    expect("empty", Dtype::F32, &[0, 2], Vec::new());
    expect(odd, Dtype::F64, &[], f64::NEG_INFINITY.to_le_bytes().to_vec());
    assert_eq!(Weights::load(&path).unwrap().get::<f64>("view").unwrap(), view);
    Writer::default().save(&path).unwrap();
    assert_eq!(SafeTensors::deserialize(&fs::read(&path).unwrap()).unwrap().len(), 0);
}

/// Every name that Rust has a string for, in arrays and in the metadata, but for the one that the format keeps.
#[test]
fn any_name_is_written_and_read() {
    let folder = Folder::new("any-name");
    let path = folder.join("w");
    let controls: String = (0..=0x7f).map(char::from).collect();
    let long = "n".repeat(100_000);
    let odd = [
        "",
        " ",
        "\0",
        "/",
        "a/b",
        "..",
        "\u{7f}\u{80}\u{2028}\u{feff}\u{10ffff}",
        "__metadata",
        &controls,
        &long,
    ];
    let mut writer = Writer::default();
    for (i, name) in odd.into_iter().enumerate() {
        writer.insert(name, &Tensor::scalar(i as f64));
        writer.insert_metadata(name, odd[odd.len() - 1 - i]);
    }
    writer.save(&path).unwrap();
    let file = Weights::load(&path).unwrap();
    let bytes = fs::read(&path).unwrap();
    // Nothing is escaped that need not be.
    assert!(bytes.windows(5).any(|part| part == b"\" \":{"));
    let reference = SafeTensors::deserialize(&bytes).unwrap();
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    let metadata = metadata.metadata().clone().unwrap();
    assert_eq!((file.names().count(), reference.len()), (odd.len(), odd.len()));
    for (i, name) in odd.into_iter().enumerate() {
        assert_eq!(file.get::<f64>(name).unwrap(), Tensor::scalar(i as f64), "{name:?}");
        assert_eq!(reference.tensor(name).unwrap().data(), (i as f64).to_le_bytes(), "{name:?}");
        assert_eq!(file.metadata()[name], odd[odd.len() - 1 - i]);
        assert_eq!(metadata[name], odd[odd.len() - 1 - i]);
    }
}

/// A module whose paths are those of a map.
struct Named(Vec<(String, Param<f64>)>);

impl Module<f64> for Named {
    fn visit(&self, _: &str, f: &mut dyn FnMut(&str, &Param<f64>)) {
        self.0.iter().for_each(|(path, param)| f(path, param));
    }
}

#[test]
fn the_name_that_the_format_keeps_is_refused() {
    let folder = Folder::new("reserved");
    let path = folder.join("w");
    let param = |x: f64| Param::new("w", Tensor::from([x]));
    weights::save(&Named(vec![("a".into(), param(1.0))]), &path).unwrap();
    let reserved = Named(vec![("__metadata__".into(), param(2.0)), ("a".into(), param(3.0))]);
    assert_eq!(
        weights::save(&reserved, &path).unwrap_err().to_string(),
        format!(
            "{}: expected names of arrays that the format leaves free, found __metadata__",
            path.display()
        )
    );
    assert_eq!(Weights::load(&path).unwrap().get::<f64>("a").unwrap(), Tensor::from([1.0]));
}

#[test]
fn indices_of_all_sizes_come_back() {
    let folder = Folder::new("indices");
    let path = folder.join("w");
    let large = Tensor::from([0, 1, usize::MAX >> 1, (usize::MAX >> 1) + 1, usize::MAX]);
    let mut writer = Writer::default();
    writer.insert("large", &large);
    writer.save(&path).unwrap();
    assert_eq!(Weights::load(&path).unwrap().get::<usize>("large").unwrap(), large);
    let bytes = fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!(file.tensor("large").unwrap().dtype(), Dtype::U64);
    assert_eq!(file.tensor("large").unwrap().data()[32..], u64::MAX.to_le_bytes());
}

/// The reference reads no longer header either.
#[test]
fn a_header_that_cannot_be_read_again_is_not_written() {
    let folder = Folder::new("long-header");
    let path = folder.join("w");
    let mut writer = Writer::default();
    writer.insert("n".repeat(100_000_000), &Tensor::scalar(1.0_f32));
    let said = fault(writer.save(&path).unwrap_err());
    assert!(said.starts_with("expected a header of at most 100000000 bytes, found 1000000"), "{said}");
    assert_eq!(folder.names(), [""; 0]);
}

#[test]
fn models_are_saved_and_loaded_by_paths() {
    let folder = Folder::new("models");
    let path = folder.join("w");
    let mut rng = seeded(2);
    let trained = vec![Linear::<f64>::new(3, 2, &mut rng), Linear::new(2, 2, &mut rng)];
    weights::save(&trained, &path).unwrap();
    let other = vec![Linear::<f64>::new(3, 2, &mut rng), Linear::new(2, 2, &mut rng)];
    Weights::load(&path).unwrap().load_into(&other).unwrap();
    for (trained, other) in trained.params().iter().zip(other.params()) {
        assert_eq!(trained.value(), other.value());
    }
    // Shared parameters are stored once.
    let tied = vec![trained[1].clone(), trained[1].clone()];
    weights::save(&tied, &path).unwrap();
    assert_eq!(Weights::load(&path).unwrap().names().collect::<Vec<_>>(), ["0.b", "0.w"]);
}

#[test]
fn what_does_not_fit_a_model_is_refused_and_changes_nothing() {
    let folder = Folder::new("unfit");
    let path = folder.join("w");
    let model = |sizes: &[usize]| -> Vec<Param<f64>> {
        sizes.iter().map(|&size| Param::new("w", Tensor::zeros([size]))).collect()
    };
    let mut writer = Writer::default();
    writer.insert("1", &Tensor::from([1.0, 2.0]));
    writer.insert("0", &Tensor::from([3.0]));
    writer.save(&path).unwrap();
    let file = Weights::load(&path).unwrap();
    let refused = |model: Vec<Param<f64>>, result: fn(&Weights, &Vec<Param<f64>>) -> Result<(), Error>| {
        let said = fault(result(&file, &model).unwrap_err());
        assert!(model.iter().all(|param| param.value() == Tensor::zeros(param.shape())));
        said
    };
    let whole = |file: &Weights, model: &Vec<Param<f64>>| file.load_into(model);
    let part = |file: &Weights, model: &Vec<Param<f64>>| file.load_part_into(model).map(drop);
    assert_eq!(refused(model(&[1, 2, 3]), whole), "expected a tensor 2, found none");
    assert_eq!(refused(model(&[1]), whole), "expected no tensor 1, found one");
    assert_eq!(refused(model(&[1, 3]), whole), "tensor 1: expected shape [3], found [2]");
    assert_eq!(refused(model(&[1, 3]), part), "tensor 1: expected shape [3], found [2]");
    let single = vec![Param::new("w", Tensor::<f32>::zeros([1]))];
    assert_eq!(fault(file.load_part_into(&single).unwrap_err()), "tensor 0: expected dtype F32, found F64");

    let three = model(&[1, 2, 3]);
    let loaded = file.load_part_into(&three).unwrap();
    assert_eq!((loaded.loaded, loaded.missing), (vec!["0".into(), "1".into()], vec!["2".to_owned()]));
    assert_eq!(three[1].value(), Tensor::from([1.0, 2.0]));
    assert_eq!(three[2].value(), Tensor::zeros([3]));
    let one = model(&[1]);
    assert_eq!(file.load_part_into(&one).unwrap().unexpected, ["1"]);
    assert_eq!(one[0].value(), Tensor::from([3.0]));
}
