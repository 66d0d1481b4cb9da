//! The level of the processor's instructions that kernels use, and the variable that lowers it.

use std::process::{Command, Output};

use retrograde_tensor::{Level, Tensor};

const LEVELS: [Level; 3] = [Level::Portable, Level::Avx2, Level::Avx512];

/// Runs one test of this program in a process of its own, with `RETROGRADE_SIMD` set or not.
fn run(test: &str, level: Option<&str>) -> Output {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test, "--ignored", "--nocapture"]).env_remove("RETROGRADE_SIMD");
    if let Some(level) = level {
        command.env("RETROGRADE_SIMD", level);
    }
    command.output().unwrap()
}

#[test]
#[ignore = "run by the tests below, in processes of their own"]
fn computes() {
    let x = Tensor::from([1.0_f32, 2.0]);
    println!("at {:?} of {:?}: {}", Level::current(), Level::highest(), x.exp().ln());
}

#[test]
#[cfg_attr(miri, ignore = "an interpreter starts no processes")]
fn the_environment_lowers_the_level() {
    assert!(Level::current() <= Level::highest());
    let cases = [
        (None, Level::Avx512),
        (Some(""), Level::Avx512),
        (Some("avx512"), Level::Avx512),
        (Some("avx2"), Level::Avx2),
        (Some("portable"), Level::Portable),
    ];
    for (asked, level) in cases {
        let text = String::from_utf8(run("level::computes", asked).stdout).unwrap();
        // Never above what the processor has, which the other process may see otherwise, as under an emulator.
        let possible = LEVELS.map(|highest| format!("at {:?} of {highest:?}: ", level.min(highest)));
        let found = possible.iter().any(|line| text.contains(line));
        assert!(found, "{asked:?}: expected one of {possible:?}, found {text}");
    }
}

#[test]
#[cfg_attr(miri, ignore = "an interpreter starts no processes")]
fn an_unknown_level_is_an_error() {
    let output = run("level::computes", Some("AVX2"));
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    let expected = "RETROGRADE_SIMD: expected portable, avx2 or avx512, found \"AVX2\"";
    assert!(text.contains(expected), "{text}");
}

#[test]
fn a_peak_is_a_rate() {
    let peak = retrograde_tensor::peak_gflops(0.0);
    assert!(peak.is_finite() && peak > 0.0, "{peak}");
}
