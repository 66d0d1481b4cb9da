//! Any bytes as a file: read or refused, and what was read comes back when it is written.
#![no_main]
#![allow(dead_code)]

#[path = "../../tests/src/files.rs"]
mod files;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let _ = files::checkpoint(bytes);
});
