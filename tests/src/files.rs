//! Files from elsewhere, damaged in any way: each is read or refused with an error, and what was read comes back when it is
//! written. A fuzzer and a seeded loop share these functions.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde_autograd::Tape;
use retrograde_nn::torch::{StateDict, TorchLayer};
use retrograde_nn::weights::{Weights, Writer, load_npy, save_npy};
use retrograde_nn::{
    Adam, Bidirectional, Checkpoint, GruCell, Layer, LstmCell, Module, Optimizer, RnnCell, Stacked, Time,
};
use retrograde_tensor::{Shape, Tensor};

/// A file that is removed when this is dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new(bytes: &[u8]) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let name =
            format!("retrograde-fuzz-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let memory = PathBuf::from("/dev/shm");
        let folder = if memory.is_dir() { memory } else { std::env::temp_dir() };
        let path = folder.join(name);
        fs::write(&path, bytes).expect("a folder for temporary files");
        Temporary(path)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// A file with changes of a few bytes, cut, or with a piece twice.
#[must_use]
pub fn damaged(whole: &[u8], rng: &mut StdRng) -> Vec<u8> {
    const ALPHABET: &[u8] = b"{}[]\",:\\/.- 0123456789FUIabdtu\xff";
    let mut bytes = whole.to_vec();
    for _ in 0..rng.random_range(1..4) {
        if bytes.is_empty() {
            break;
        }
        // More often in the header than in the numbers.
        let at = rng.random_range(0..bytes.len()).min(rng.random_range(0..bytes.len()));
        match rng.random_range(0..6) {
            0 => bytes[at] = ALPHABET[rng.random_range(0..ALPHABET.len())],
            1 => bytes[at] = rng.random(),
            2 => bytes[at.min(7)] ^= 1 << rng.random_range(0..8),
            3 => bytes.truncate(at),
            4 => drop(bytes.remove(at)),
            _ => {
                let piece = bytes[at..(at + rng.random_range(1..40)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
    bytes
}

/// Reads bytes as weights. Returns whether they are a file of weights.
///
/// # Panics
/// If what was read is not what is read again after it was written.
#[must_use]
pub fn weights(bytes: &[u8]) -> bool {
    let file = Temporary::new(bytes);
    let Ok(weights) = Weights::load(&file.0) else { return false };
    let (mut writer, mut kept) = (Writer::default(), Vec::new());
    for name in weights.names() {
        let (single, indices) = (weights.get::<f32>(name), weights.get::<usize>(name));
        if let Ok(x) = weights.get::<f64>(name) {
            writer.insert(name, &x);
            kept.push((name, x));
        }
        assert!(single.is_err() || indices.is_err(), "{name}: numbers and indices");
    }
    // The names of the format itself cannot be those of tensors.
    if writer.save(&file.0).is_ok() {
        let again = Weights::load(&file.0).expect("it was just written");
        for (name, x) in kept {
            let found = again.get::<f64>(name).expect("it was just written");
            let bits = |x: &Tensor<f64>| x.iter().map(f64::to_bits).collect::<Vec<_>>();
            assert_eq!((found.shape(), bits(&found)), (x.shape(), bits(&x)), "{name}");
        }
    }
    true
}

/// Reads bytes as an array of NumPy. Returns whether they are one.
///
/// # Panics
/// If what was read is not what is read again after it was written.
#[must_use]
pub fn npy(bytes: &[u8]) -> bool {
    let file = Temporary::new(bytes);
    let Ok(x) = load_npy::<f64>(&file.0) else { return false };
    save_npy(&x, &file.0).expect("a folder for temporary files");
    let again = load_npy::<f64>(&file.0).expect("it was just written");
    let bits = |x: &Tensor<f64>| x.iter().map(f64::to_bits).collect::<Vec<_>>();
    assert_eq!((again.shape(), bits(&again)), (x.shape(), bits(&x)));
    true
}

/// The bytes that a writer writes to a path.
#[must_use]
pub fn written(write: impl FnOnce(&Path)) -> Vec<u8> {
    let file = Temporary::new(&[]);
    write(&file.0);
    fs::read(&file.0).expect("it was just written")
}

/// A checkpoint of a run that has taken a step, as a file.
#[must_use]
pub fn whole_checkpoint() -> Vec<u8> {
    let rng = &mut StdRng::seed_from_u64(1);
    let model = model();
    let tape = Tape::new();
    let xs = tape.constant(Tensor::normal([2, 3, 2], 0.0, 1.0, rng).expect("a standard deviation of 1"));
    let out = model.run(&xs, None, &retrograde_nn::SequenceOptions::new()).expect("an input that fits");
    let mut adam = Adam::new(0.1);
    adam.step(&out.hs.sum().backward().expect("a scalar")).expect("settings in range");
    let mut checkpoint = Checkpoint::of(&model, &adam).expect("distinct paths");
    checkpoint.carry("rnn", Some(&out.last.detach()));
    checkpoint.series.insert("losses".into(), vec![1.0, 0.5]);
    checkpoint.generators.insert("noise".into(), [7; 49]);
    written(|path| checkpoint.save(path).expect("a folder for temporary files"))
}

fn model() -> Time<RnnCell<f64>, f64> {
    Time::new(RnnCell::new(2, 2, &mut StdRng::seed_from_u64(2)))
}

/// Reads bytes as a checkpoint. Returns whether they are one.
///
/// # Panics
/// If a checkpoint that was refused has changed the model, or if what was read is not what is read again after it was
/// written.
#[must_use]
pub fn checkpoint(bytes: &[u8]) -> bool {
    let file = Temporary::new(bytes);
    let Ok(checkpoint) = Checkpoint::<f64>::load(&file.0) else { return false };
    let (model, mut adam) = (model(), Adam::new(0.25));
    let before = model.params().iter().map(|param| param.value()).collect::<Vec<_>>();
    if checkpoint.restore(&model, &mut adam).is_err() {
        let after = model.params().iter().map(|param| param.value()).collect::<Vec<_>>();
        assert_eq!((before, adam.lr), (after, 0.25), "refused, and changed all the same");
    }
    if checkpoint.save(&file.0).is_ok() {
        let again = Checkpoint::<f64>::load(&file.0).expect("it was just written");
        // Not compared as numbers, since one that is none does not equal itself.
        assert_eq!(format!("{again:?}"), format!("{checkpoint:?}"));
    }
    true
}

/// A state dictionary as PyTorch has it of one or two layers, with up to three entries renamed, dropped, reshaped or added.
#[must_use]
pub fn state_dict(rng: &mut StdRng) -> StateDict<f64> {
    let (d, h, gates) = (rng.random_range(1..4), rng.random_range(1..4), [1, 3, 4][rng.random_range(0..3)]);
    let directions = [&[""][..], &["", "_reverse"]][rng.random_range(0..2)];
    let bias = rng.random_range(0..4) > 0;
    let mut dict = StateDict::new();
    let mut inputs = d;
    for layer in 0..rng.random_range(1..3) {
        for direction in directions {
            let mut insert = |name: &str, dims: &[usize]| {
                let shape = Shape::new(dims).expect("two axes");
                let x = Tensor::normal(shape, 0.0, 1.0, rng).expect("a standard deviation of 1");
                dict.insert(format!("rnn.{name}_l{layer}{direction}"), x);
            };
            insert("weight_ih", &[gates * h, inputs]);
            insert("weight_hh", &[gates * h, h]);
            if bias {
                insert("bias_ih", &[gates * h]);
                insert("bias_hh", &[gates * h]);
            }
        }
        inputs = h * directions.len();
    }
    for _ in 0..rng.random_range(0..4) {
        let names: Vec<String> = dict.keys().cloned().collect();
        let Some(name) = names.get(rng.random_range(0..names.len().max(1))) else { break };
        let other = names[rng.random_range(0..names.len())].clone();
        match rng.random_range(0..6) {
            0 => drop(dict.remove(name)),
            1 => {
                let x = dict.remove(name).expect("one of the names");
                dict.insert(other, x);
            }
            2 => drop(dict.insert(name.replace("l0", "l1"), Tensor::zeros([2]))),
            3 => {
                let x = dict[name].clone();
                let numel = x.numel();
                dict.insert(name.clone(), x.reshape([numel]));
            }
            4 => drop(dict.insert(name.clone(), Tensor::zeros([[0, 3, 8][rng.random_range(0..3)], 2]))),
            _ => {
                drop(dict.insert(format!("rnn.weight_hr_l{}", rng.random_range(0..2)), Tensor::zeros([1, 2])))
            }
        }
    }
    dict
}

/// Makes layers of every kind of a state dictionary. Returns how many kinds accept it.
///
/// # Panics
/// If layers that were made of it do not give a dictionary from which the same layers come.
#[must_use]
pub fn torch(dict: &StateDict<f64>) -> usize {
    fn accepts<L: TorchLayer<f64>>(dict: &StateDict<f64>) -> usize
    where
        Stacked<L, f64>: Module<f64>,
    {
        let Ok(layers) = Stacked::<L, f64>::from_torch(dict, "rnn.") else { return 0 };
        let back = layers.to_torch("rnn.").expect("they came from PyTorch");
        let again = Stacked::<L, f64>::from_torch(&back, "rnn.").expect("it was just made");
        let values = |layers: &Stacked<L, f64>| -> Vec<(String, Tensor<f64>)> {
            layers.named_params().into_iter().map(|(path, param)| (path, param.value())).collect()
        };
        assert_eq!(values(&again), values(&layers));
        1
    }
    accepts::<Time<RnnCell<f64>, f64>>(dict)
        + accepts::<Time<LstmCell<f64>, f64>>(dict)
        + accepts::<Time<GruCell<f64>, f64>>(dict)
        + accepts::<Bidirectional<RnnCell<f64>, f64>>(dict)
        + accepts::<Bidirectional<LstmCell<f64>, f64>>(dict)
        + accepts::<Bidirectional<GruCell<f64>, f64>>(dict)
}
