//! Damaged files: none makes the reader panic, and what it reads comes back. `RETROGRADE_FILES` sets how many are tried.

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_nn::weights::{Writer, save_npy};
use retrograde_tensor::Tensor;
use retrograde_tests::files::{
    checkpoint, damaged, npy, state_dict, torch, weights, whole_checkpoint, written,
};

fn count() -> u64 {
    std::env::var("RETROGRADE_FILES").map_or(4000, |count| count.parse().expect("a number"))
}

/// Tries damaged copies of a file. Some are to be accepted, as those with changed numbers are, and some refused.
fn hunt(whole: &[u8], read: fn(&[u8]) -> bool) {
    assert!(read(whole));
    let accepted =
        (0..count()).filter(|&seed| read(&damaged(whole, &mut StdRng::seed_from_u64(seed)))).count();
    println!("{accepted} accepted");
    assert!(accepted > 20 && accepted < count() as usize - 20, "{accepted} accepted");
}

#[test]
fn weights_that_are_damaged() {
    let path = std::env::temp_dir().join(format!("retrograde-weights-{}", std::process::id()));
    let mut writer = Writer::default();
    writer.insert("layers.0.wx", &Tensor::<f64>::from_fn([2, 3], |at| at[0] as f64 - 0.5 * at[1] as f64));
    writer.insert("b", &Tensor::<f32>::from([1.0, f32::NAN]));
    writer.insert("ids", &Tensor::from([3_usize, 4]));
    writer.insert("none", &Tensor::<f64>::zeros([0, 2]));
    writer.insert_metadata("format", "pt");
    writer.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    hunt(&whole, weights);
}

#[test]
fn arrays_of_numpy_that_are_damaged() {
    let x = Tensor::<f64>::from_fn([2, 3], |at| at[0] as f64 - 0.5 * at[1] as f64);
    let whole = written(|path| save_npy(&x, path).unwrap());
    hunt(&whole, npy);
    // In Fortran order, big-endian, of another type.
    let header = "{'descr': '>i4', 'fortran_order': True, 'shape': (3, 2), }\n";
    let start = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
    hunt(&[start, (1..7_i32).flat_map(i32::to_be_bytes).collect()].concat(), npy);
}

#[test]
fn archives_of_numpy_that_are_damaged() {
    let mut writer = Writer::default();
    writer.insert("wx", &Tensor::<f64>::from_fn([2, 3], |at| at[0] as f64 - 0.5 * at[1] as f64));
    writer.insert("ids", &Tensor::from([3_usize, 4]));
    hunt(&written(|path| writer.save_npz(path).unwrap()), weights);
}

#[test]
fn checkpoints_that_are_damaged() {
    hunt(&whole_checkpoint(), checkpoint);
}

#[test]
fn state_dictionaries_that_are_damaged() {
    let mut kinds = [0; 7];
    (0..count()).for_each(|seed| kinds[torch(&state_dict(&mut StdRng::seed_from_u64(seed)))] += 1);
    println!("accepted by no kind, one, ..: {kinds:?}");
    assert!(kinds[0] > 20 && kinds[1] > 20, "{kinds:?}");
}
