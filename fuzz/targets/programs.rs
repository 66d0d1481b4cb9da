//! Random programs on a tape: every way to a gradient gives the same one.
#![no_main]
#![allow(dead_code)]

#[path = "../../tests/src/program/mod.rs"]
mod program;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    program::Program::from_bytes(bytes).check();
});
