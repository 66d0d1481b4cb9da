//! Damaged state dictionaries of PyTorch: read or refused, and what was read comes back.
#![no_main]
#![allow(dead_code)]

use rand::SeedableRng;
use rand::rngs::StdRng;

#[path = "../../tests/src/files.rs"]
mod files;

libfuzzer_sys::fuzz_target!(|seed: u64| {
    let _ = files::torch(&files::state_dict(&mut StdRng::seed_from_u64(seed)));
});
