//! The main job as its user meets it: what it prints, what it writes, and how it ends.

mod common;

use std::fs;
use std::path::Path;
use std::process::Output;

use common::{folder, text};
use serde_json::Value;
use unicode_width::UnicodeWidthStr;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    common::run("bptt", folder, arguments)
}

/// The message of a run that cannot go on, having printed nothing.
fn refusal(folder: &Path, arguments: &[&str]) -> String {
    common::refusal("bptt", folder, arguments)
}

#[test]
fn a_quick_run_prints_plain_narrow_lines_and_writes_every_number() {
    let folder = folder("quick");
    let output = run(&folder, &["--quick", "--seed", "3", "--json", "numbers.json"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stderr), "");
    let printed = text(&output.stdout);
    assert!(!printed.contains('\x1b'), "{printed}");
    for line in printed.lines() {
        assert!(line.width() <= 80 && line.trim_end() == line, "{line:?}");
    }
    for part in 1..=5 {
        assert!(printed.lines().any(|line| line.starts_with(&format!("{part}  "))), "part {part}");
    }
    assert!(printed.contains("\nAll comparisons hold.\n"), "{printed}");

    let found: Value = serde_json::from_slice(&fs::read(folder.join("numbers.json")).unwrap()).unwrap();
    assert_eq!(found["failures"], Value::Array(vec![]));
    assert_eq!(found["options"]["seed"], 3);
    derived_lines_are_in(&found, printed);
    tables_are_in(&found, printed);
    for figure in [&found["norms"]["figure"], &found["train"]["figure"]] {
        let path = figure.as_str().unwrap();
        assert!(printed.contains(&format!("Figure: {path}\n")), "{path}");
        assert!(fs::read_to_string(folder.join(path)).unwrap().starts_with("<svg "), "{path}");
    }
}

fn derived_lines_are_in(found: &Value, printed: &str) {
    for line in found["step"]["tape"].as_str().unwrap().lines() {
        assert!(printed.contains(line), "{line}");
    }
    for (part, count) in [("step", 6), ("unrolled", 12)] {
        let lines = found[part]["lines"].as_array().unwrap();
        assert_eq!(lines.len(), count);
        for line in lines {
            assert_eq!(line["derived"], line["by_hand"]);
            // Both columns, side by side.
            let text = line["derived"].as_str().unwrap();
            assert!(printed.lines().any(|row| row.matches(text).count() >= 2), "{line} is not there twice");
        }
    }
    for pair in found["step"]["elements"].as_array().unwrap() {
        let [derived, by_hand] = [0, 1].map(|i| pair[i].as_f64().unwrap());
        assert!((derived - by_hand).abs() <= 1e-12 && derived != 0.0, "{pair}");
    }
    assert!(found["unrolled"]["largest_difference"].as_f64().unwrap() <= 1e-12);
}

/// Rows made again from the numbers are the rows that were printed.
fn tables_are_in(found: &Value, printed: &str) {
    let rows: Vec<String> =
        printed.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let number = |x: &Value| x.as_f64().unwrap();
    let mut expected = Vec::new();
    for row in found["compare"]["rows"].as_array().unwrap() {
        let short = |x: &Value| format!("{:.1e}", number(x));
        let pair = |pair: &Value| format!("{} {}", short(&pair["absolute"]), short(&pair["relative"]));
        let [tensor, largest] = [row["tensor"].as_str().unwrap(), &short(&row["largest"])];
        expected.push(format!(
            "{tensor} {largest} {} {} ✓",
            pair(&row["explicit"]),
            pair(&row["differences"])
        ));
    }
    assert_eq!(expected.len(), 20);
    let [rulers, networks] = ["rulers", "networks"].map(|key| found["norms"][key].as_array().unwrap());
    assert_eq!((rulers.len(), networks.len()), (3, 3));
    for row in rulers.iter().chain(networks) {
        let [a, b] = ["after_20_steps", "after_60_steps"].map(|key| format!("{:.2e}", number(&row[key])));
        let factor = number(&row["factor_per_step"]);
        expected.push(format!("{} {a} {b} {factor:.3}", row["name"].as_str().unwrap()));
        match row["gain"].as_f64() {
            Some(gain) => {
                assert!(
                    (factor - gain).abs() < 1e-3,
                    "a ruler changes by its gain, found {factor} for {gain}"
                );
            }
            // Inputs of size 1 saturate: the gradient vanishes.
            None => assert!(factor < 0.99 && factor > 0.0, "{row}"),
        }
    }
    let reports = found["train"]["reports"].as_array().unwrap();
    for report in reports {
        let [loss, perplexity] = ["loss", "perplexity"].map(|key| number(&report[key]));
        expected.push(format!("{} {loss:.3} {perplexity:.2}", report["characters"]));
        assert!((loss.exp() - perplexity).abs() < 1e-9);
    }
    assert!(number(&reports[reports.len() - 1]["loss"]) < number(&found["train"]["entropy"]));
    for row in expected {
        assert!(rows.iter().any(|printed| printed.ends_with(&row)), "{row} is not in\n{printed}");
    }
}

#[test]
fn a_seed_gives_the_same_again() {
    let folder = folder("seed");
    let numbers = |seed: &str| {
        let output = run(&folder, &["--quick", "--seed", seed, "--json", "numbers.json"]);
        assert_eq!(output.status.code(), Some(0), "{output:?}");
        let found: Value = serde_json::from_slice(&fs::read(folder.join("numbers.json")).unwrap()).unwrap();
        let [losses, sample] = ["losses", "sample"].map(|key| found["train"][key].clone());
        [found["compare"].clone(), found["norms"].clone(), losses, sample]
    };
    assert_eq!(numbers("7"), numbers("7"));
}

#[test]
fn a_text_of_wide_and_of_control_characters_is_printed_safely() {
    let folder = folder("wide");
    fs::write(folder.join("text.txt"), "深層学習 ゼロから\u{1b}[31m作る\r\n".repeat(40)).unwrap();
    let output = run(&folder, &["--quick", "--text", "text.txt", "--out", "figures"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    let printed = text(&output.stdout);
    assert!(printed.contains("  text: text.txt\n  680 characters, 17 different ones\n"), "{printed}");
    assert!(!printed.contains('\x1b'), "{printed}");
    printed.lines().for_each(|line| assert!(line.width() <= 80, "{line:?}"));
    assert!(folder.join("figures/loss.svg").is_file());
}

#[test]
fn a_text_that_will_not_do_is_refused() {
    let folder = folder("refused");
    let refused = |arguments: &[&str]| refusal(&folder, arguments);
    fs::write(folder.join("empty.txt"), "").unwrap();
    fs::write(folder.join("short.txt"), "ä".repeat(32)).unwrap();
    fs::write(folder.join("latin1.txt"), b"na\xefve").unwrap();
    assert_eq!(
        refused(&["--text", "empty.txt"]),
        "error: text empty.txt: expected at least 33 characters (32 rows, windows of 32 steps), found 0\n"
    );
    assert_eq!(
        refused(&["--text", "short.txt"]),
        "error: text short.txt: expected at least 33 characters (32 rows, windows of 32 steps), found 32\n"
    );
    assert_eq!(
        refused(&["--text", "latin1.txt"]),
        "error: text latin1.txt: expected UTF-8, found the byte 0xef at offset 2\n"
    );
    assert_eq!(
        refused(&["--text", "none.txt"]),
        "error: text none.txt: expected a file that can be read, found: No such file or directory (os error 2)\n"
    );
}

#[test]
fn a_place_that_cannot_be_written_is_refused() {
    let folder = folder("unwritable");
    fs::write(folder.join("file"), "").unwrap();
    assert_eq!(
        refusal(&folder, &["--quick", "--out", "file/figures"]),
        "error: file file/figures: expected to be able to write it, found: Not a directory (os error 20)\n"
    );
    assert_eq!(
        refusal(&folder, &["--quick", "--json", "none/numbers.json"]),
        "error: file none/numbers.json: expected to be able to write it, \
         found: No such file or directory (os error 2)\n"
    );
}

#[test]
fn an_option_that_is_none_is_refused() {
    let words = refusal(&folder("options"), &["--seed", "many"]);
    assert!(
        words.starts_with("error: invalid value 'many' for '--seed <N>': invalid digit found in string\n"),
        "{words}"
    );
}

#[test]
fn help_fits_the_page() {
    let output = run(&folder("help"), &["--help"]);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    text(&output.stdout).lines().for_each(|line| assert!(line.width() <= 80, "{line:?}"));
}
