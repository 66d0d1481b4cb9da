//! A translated page has the headings, the links, the pictures and the code of the page that it translates.

use std::path::{Path, PathBuf};

/// All pages in Korean, each with the English page.
fn pairs() -> Vec<[PathBuf; 2]> {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    let mut pairs =
        vec![["cell-by-cell.ko.md", "cell-by-cell.md"].map(|name| docs.join("notebook").join(name))];
    for entry in std::fs::read_dir(docs.join("learn/ko")).unwrap() {
        let page = entry.unwrap().path();
        if page.extension().is_some_and(|end| end == "md") {
            let english = docs.join("learn").join(page.file_name().unwrap());
            pairs.push([page, english]);
        }
    }
    pairs
}

/// A page as code, and as prose without it.
fn parts(page: &str) -> (Vec<&str>, String) {
    let parts: Vec<&str> = page.split("\n```").collect();
    assert!(parts.len() % 2 == 1, "a block without an end");
    (parts.iter().skip(1).step_by(2).copied().collect(), parts.into_iter().step_by(2).collect())
}

fn depths(prose: &str) -> Vec<usize> {
    let heading = |line: &str| line.find(|c| c != '#').filter(|&depth| depth > 0);
    prose.lines().filter_map(heading).collect()
}

#[test]
fn a_translation_has_the_code_and_the_headings_of_the_original() {
    let pairs = pairs();
    assert!(pairs.len() >= 6, "{} pages", pairs.len());
    for [korean, english] in pairs {
        let [of, from] = [&korean, &english].map(|path| std::fs::read_to_string(path).unwrap());
        let what = korean.display();
        let ((code, prose), (expected, original)) = (parts(&of), parts(&from));
        assert_eq!(code, expected, "{what}: the code");
        assert_eq!(depths(&prose), depths(&original), "{what}: the headings");
        for mark in ["](", "![", "\n1. ", "\n2. ", "\n3. ", "<details>", "\n- "] {
            let count = |text: &str| text.matches(mark).count();
            assert_eq!(count(&prose), count(&original), "{what}: {mark:?}");
        }
        let is_korean = |c: &char| ('가'..='힣').contains(c);
        assert!(prose.chars().filter(is_korean).count() > 100, "{what}: no Korean");
    }
}
