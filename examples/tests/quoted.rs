//! Quotes of an example's output in the book: the same words come out again, and numbers within a factor of three, since
//! training amplifies the rounding of another processor.

mod common;

use std::fs;
use std::path::Path;

use common::{folder, printed};

/// The block that the book quotes below the heading of an example.
fn quoted(name: &str) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples.md");
    let page = fs::read_to_string(page).unwrap();
    let section = page.split(&format!("\n## {name}: ")).nth(1).unwrap();
    section.split("```text\n").nth(1).unwrap().split("```").next().unwrap().to_owned()
}

/// The lines that are compared: those of a chart are pictures.
fn words(text: &str) -> Vec<Vec<String>> {
    let drawn = |line: &&str| line.contains(['┤', '│', '└', '─']) || line.starts_with("Figure: ");
    let lines = text.lines().filter(|line| !drawn(line)).map(|line| line.split_whitespace());
    lines
        .map(|words| words.map(str::to_owned).collect())
        .filter(|line: &Vec<String>| !line.is_empty())
        .collect()
}

#[test]
fn the_sine_of_the_book_comes_out_again() {
    let (expected, found) = (words(&quoted("sine")), words(&printed("sine", &folder("quoted"), &[])));
    assert_eq!(expected.len(), found.len(), "{expected:?}\n{found:?}");
    let mut numbers = 0;
    for (expected, found) in expected.iter().zip(&found) {
        assert_eq!(expected.len(), found.len(), "{expected:?}\n{found:?}");
        for (expected, found) in expected.iter().zip(found) {
            match (expected.parse::<f64>(), found.parse::<f64>()) {
                (Ok(expected), Ok(found)) => {
                    numbers += 1;
                    let near = expected.abs() / 3.0..=expected.abs() * 3.0;
                    let same = expected * found >= 0.0 && near.contains(&found.abs());
                    assert!(same, "expected about {expected}, found {found}");
                }
                _ => assert_eq!(expected, found),
            }
        }
    }
    assert!(numbers >= 8, "found {numbers} numbers");
}
