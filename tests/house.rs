//! The book draws the house truly: every room that `docs/design.md` names is there, and no crate has another one. Things
//! have one name each wherever a reader meets them.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn the_floor_plan_is_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let design = std::fs::read_to_string(root.join("docs/design.md")).unwrap();
    let plan = design.split("```text\ncrates/tensor").nth(1).unwrap().split("```").next().unwrap();
    let (mut floor, mut rooms) = ("crates/tensor".to_owned(), BTreeSet::new());
    for line in plan.lines().skip(1) {
        let words = line.split([' ', ';', ',', ':']).filter(|word| !word.is_empty());
        if !line.starts_with(' ') {
            floor = words.take(1).collect();
            assert!(root.join(&floor).exists(), "there is no {floor}");
            continue;
        }
        for name in words.filter(|word| word.ends_with('/') || word.ends_with(".rs")) {
            rooms.insert(format!("{floor}/src/{}", name.trim_end_matches('/')));
        }
    }
    for room in &rooms {
        assert!(root.join(room).exists(), "the plan draws {room}, which is not there");
    }
    for floor in ["tensor", "autograd", "derivation", "nn", "check"] {
        for entry in std::fs::read_dir(root.join("crates").join(floor).join("src")).unwrap() {
            let entry = entry.unwrap();
            let room = format!("crates/{floor}/src/{}", entry.file_name().to_string_lossy());
            let known = !entry.path().is_dir() || rooms.contains(&room);
            assert!(known, "the plan does not draw {room}");
        }
    }
}

/// The files below a folder that a reader meets: pages, sources and programs, without tests.
fn readable(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() && !["target", "tests", "benches"].contains(&&*name) && !name.starts_with('.') {
            found.extend(readable(&entry));
        } else if [".md", ".rs", ".py"].iter().any(|ending| name.ends_with(ending)) {
            found.push(entry);
        }
    }
    found
}

/// The initial state is `h_prev`, and a printed weight is `Wx`: no page, program or report has another name for them.
/// Files in PyTorch's layout keep PyTorch's names.
#[test]
fn one_name_for_one_thing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = ["crates", "docs", "examples", "bindings", "README.md"].map(|it| root.join(it));
    let pages = folders.iter().flat_map(|it| if it.is_dir() { readable(it) } else { vec![it.clone()] });
    let mut met = 0;
    for page in pages.filter(|page| !page.components().any(|part| part.as_os_str() == "golden")) {
        let text = fs::read_to_string(&page).unwrap();
        let (markdown, mut printed) = (page.extension().is_some_and(|ending| ending == "md"), false);
        for (i, line) in text.lines().enumerate() {
            printed = if line.starts_with("```") { line == "```text" } else { printed };
            let words = || line.split(|c: char| !(c.is_alphanumeric() || c == '_'));
            met += words().filter(|word| *word == "h_prev").count();
            let other = words().find(|word| ["h0", "c0", "dh0", "dc0", "h_init", "c_init"].contains(word));
            let other = other.or_else(|| line.contains("state 0`").then_some("state 0"));
            let other = other.or_else(|| words().find(|w| markdown && printed && ["wx", "wh"].contains(w)));
            assert_eq!(other, None, "{}:{}: {line}", page.display(), i + 1);
        }
    }
    assert!(met > 200, "met h_prev {met} times");
}

/// The crates of this workspace that the facade stands on, by a lock file; `None` if the facade is not in it.
fn facade(lock: &str) -> Option<BTreeSet<&str>> {
    let package = lock.split("[[package]]").find(|it| it.contains("name = \"retrograde\"\n"))?;
    Some(package.split('"').filter(|word| word.starts_with("retrograde-")).collect())
}

/// Packages outside of the workspace have lock files of their own, which must know of every crate.
#[test]
fn lock_files_know_the_crates() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let read = |folder: &str| fs::read_to_string(root.join(folder).join("Cargo.lock")).unwrap();
    let whole = read(".");
    let expected = facade(&whole).unwrap();
    assert!(expected.len() > 4, "{expected:?}");
    for folder in ["benches/peers/retrograde", "examples-mpi", "examples-wasm"] {
        let lock = read(folder);
        assert_eq!(facade(&lock).as_ref(), Some(&expected), "{folder}: run `cargo tree` there");
    }
}
