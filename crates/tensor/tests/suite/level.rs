//! The level of the processor's instructions that kernels use, and the variable that lowers it.

use std::process::{Command, Output};

use retrograde_tensor::{Isa, Tensor};

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
    println!("at {} of {}: {}", Isa::current(), Isa::highest(), x.exp().ln());
}

#[test]
#[cfg_attr(miri, ignore = "an interpreter starts no processes")]
fn the_environment_lowers_the_level() {
    assert!(Isa::current() <= Isa::highest());
    assert_eq!(Isa::available().next(), Some(Isa::Portable));
    assert!(Isa::available().is_sorted());
    let cases = Isa::available().map(|isa| (Some(isa.name()), isa));
    for (asked, isa) in cases.chain([(None, Isa::highest()), (Some(""), Isa::highest())]) {
        let text = String::from_utf8(run("level::computes", asked).stdout).unwrap();
        // Never above what the processor has, which the other process may see otherwise, as under an emulator.
        let mut possible = Isa::available().map(|highest| format!("at {} of {highest}: ", isa.min(highest)));
        assert!(possible.any(|line| text.contains(&line)), "{asked:?}: expected {isa}, found {text}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
#[cfg_attr(miri, ignore = "an interpreter starts no processes")]
fn a_level_that_the_processor_lacks_stands_for_the_highest_below() {
    let text = String::from_utf8(run("level::computes", Some("avx512")).stdout).unwrap();
    assert!(text.contains(&format!("at {} of ", Isa::highest())), "{text}");
}

#[test]
#[cfg_attr(miri, ignore = "an interpreter starts no processes")]
fn an_unknown_level_is_an_error() {
    let output = run("level::computes", Some("AVX2"));
    assert!(!output.status.success());
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("RETROGRADE_SIMD: expected one of portable"), "{text}");
    assert!(text.contains("found \"AVX2\""), "{text}");
}

#[test]
fn a_peak_is_a_rate() {
    let peak = retrograde_tensor::peak_gflops(0.0);
    assert!(peak.is_finite() && peak > 0.0, "{peak}");
}
