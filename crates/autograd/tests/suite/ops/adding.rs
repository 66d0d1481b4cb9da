//! The page on adding an operation, followed: its lines are those of the sources, and it leaves no place out.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A numbered place of the page: the file, and the lines that stand in it.
struct Place {
    file: String,
    lines: Vec<String>,
}

/// The places of each section of the page that has any.
fn sections(page: &str) -> Vec<Vec<Place>> {
    let of = |section: &str| {
        let places = section.split("\n**").skip(1).map(|place| {
            let file = place.split('`').nth(1).unwrap().to_owned();
            let code = place.split("```rust,ignore\n").nth(1).unwrap().split("```").next().unwrap();
            Place { file, lines: code.lines().map(|line| line.trim().to_owned()).collect() }
        });
        places.collect()
    };
    page.split("\n## ").map(of).filter(|places: &Vec<Place>| !places.is_empty()).collect()
}

/// All Rust files below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if entry.is_dir() {
            sources(&entry, found);
        } else if entry.extension().is_some_and(|extension| extension == "rs") {
            found.push(entry);
        }
    }
}

#[test]
fn the_page_names_every_place() {
    let page = fs::read_to_string(root().join("docs/adding-an-op.md")).unwrap();
    let sections = sections(&page);
    assert_eq!(sections.len(), 2);
    for (places, (word, most)) in sections.iter().zip([("softplus", 5), ("clamp", 7)]) {
        assert!(places.len() <= most, "{word} takes {} places", places.len());
        for place in places {
            let source = fs::read_to_string(root().join(&place.file)).unwrap();
            let mut lines = source.lines().map(str::trim);
            for line in place.lines.iter().filter(|line| !line.is_empty()) {
                assert!(lines.any(|found| found == line), "{}: no line {line:?} in this order", place.file);
            }
        }
        let mut files = Vec::new();
        for name in ["tensor", "autograd", "derivation"] {
            sources(&root().join("crates").join(name).join("src"), &mut files);
        }
        let knows = |file: &PathBuf| {
            let source = fs::read_to_string(file).unwrap().to_lowercase();
            source.lines().any(|line| !line.trim().starts_with("//") && line.contains(word))
        };
        let knowing: BTreeSet<_> =
            files.into_iter().filter(knows).map(|file| file.canonicalize().unwrap()).collect();
        let named: BTreeSet<_> =
            places.iter().map(|place| root().join(&place.file).canonicalize().unwrap()).collect();
        let left_out: Vec<_> = knowing.difference(&named).collect();
        assert!(left_out.is_empty(), "{word} also stands in {left_out:?}");
    }
}
