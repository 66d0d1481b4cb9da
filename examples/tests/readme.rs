//! The program of the README is the example of that name, and prints what stands under it.

mod common;

use common::{folder, printed};

#[test]
fn the_readme_shows_the_program_and_its_output() {
    let readme = include_str!("../../README.md");
    let block = |language: &str| {
        readme.split(&format!("```{language}\n")).nth(1).unwrap().split("```").next().unwrap()
    };
    let (_, program) = include_str!("../readme/main.rs").split_once("\n\n").unwrap();
    assert_eq!(block("rust"), program);
    assert_eq!(block("text"), printed("readme", &folder("readme"), &[]));
}
