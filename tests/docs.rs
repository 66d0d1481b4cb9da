//! The pages: each program is a test, each command exists, each excerpt stands in a source, each link leads somewhere, and
//! the books list every page.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap()
}

/// The files below a folder whose names end so, without what was built.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap().to_string_lossy().into_owned();
        if entry.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&entry, ending));
        } else if name.ends_with(ending) {
            found.push(entry);
        }
    }
    found.sort();
    found
}

/// The blocks of a page: the language and the lines.
fn blocks(page: &Path) -> Vec<(String, Vec<String>)> {
    let text = fs::read_to_string(page).unwrap();
    let (mut blocks, mut open): (Vec<(String, Vec<String>)>, bool) = (Vec::new(), false);
    for line in text.lines() {
        match line.trim_start().strip_prefix("```") {
            Some(_) if open => open = false,
            Some(language) => {
                open = true;
                blocks.push((language.to_owned(), Vec::new()));
            }
            None if open => blocks.last_mut().unwrap().1.push(line.to_owned()),
            None => {}
        }
    }
    assert!(!open, "{}: a block does not end", page.display());
    blocks
}

/// Pages of whose programs a test is made by `doc = include_str!(..)`.
fn included() -> HashSet<PathBuf> {
    let mut included = HashSet::new();
    for source in files(&root(), "lib.rs") {
        for line in fs::read_to_string(&source).unwrap().lines() {
            if let Some(path) = line.trim().strip_prefix("#[doc = include_str!(\"") {
                let path = path.split('"').next().unwrap();
                included.insert(source.parent().unwrap().join(path).canonicalize().unwrap());
            }
        }
    }
    included
}

#[test]
fn every_program_of_a_page_is_a_test() {
    let included = included();
    let mut programs = 0;
    for page in files(&root(), ".md") {
        let runs = blocks(&page).iter().filter(|(language, _)| language == "rust").count();
        // A translation has the programs of the page that it translates, which a test compares.
        let translated = page.parent().unwrap().ends_with("ko");
        assert!(
            runs == 0 || translated || included.contains(&page.canonicalize().unwrap()),
            "{}: its programs are not run: include it as documentation in tests/src/lib.rs",
            page.display()
        );
        programs += runs;
    }
    assert!(programs > 20, "found {programs} programs");
}

/// A block that does not compile by itself is an excerpt, whose lines stand in a source, or a cell of the notebook, whose
/// program is compared with its page by another test.
#[test]
fn excerpts_stand_in_a_source() {
    let sources: HashSet<String> = files(&root(), ".rs")
        .iter()
        .flat_map(|source| fs::read_to_string(source).unwrap().lines().map(code).collect::<Vec<_>>())
        .collect();
    let mut excerpts = 0;
    for page in files(&root(), ".md") {
        let notebook = page.parent().unwrap().ends_with("notebook");
        for (language, lines) in blocks(&page) {
            let rust = language.starts_with("rust");
            assert!(!rust || ["rust", "rust,ignore"].contains(&&*language), "{}: {language}", page.display());
            if language != "rust,ignore" || notebook {
                continue;
            }
            excerpts += 1;
            for line in lines.iter().map(|line| code(line)).filter(|line| !line.is_empty()) {
                assert!(sources.contains(&line), "{}: no source has the line {line:?}", page.display());
            }
        }
    }
    assert_eq!(excerpts, 15, "a page has another number of excerpts: can the new one be a program?");
}

/// A line without its comment.
fn code(line: &str) -> String {
    line.split(" // ").next().unwrap().trim().trim_start_matches("// ").to_owned()
}

#[test]
fn commands_exist() {
    let root = root();
    let manifests: String =
        files(&root, "Cargo.toml").iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    let named = |name: &str| manifests.contains(&format!("name = \"{name}\""));
    let mut commands = 0;
    for page in files(&root, ".md") {
        for (_, lines) in blocks(&page).into_iter().filter(|(language, _)| language == "sh") {
            for line in lines {
                let words: Vec<&str> = line.split('#').next().unwrap().split_whitespace().collect();
                let after = |option: &str| {
                    let place = words.iter().position(|word| *word == option);
                    place.and_then(|place| words.get(place + 1)).copied()
                };
                for option in ["-p", "--example", "--bench", "--test"]
                    .into_iter()
                    .filter(|_| words.first() == Some(&"cargo"))
                {
                    if let Some(name) = after(option).filter(|name| *name != "NAME" && *name != "suite") {
                        assert!(named(name), "{}: {line}: nothing is named {name}", page.display());
                        commands += 1;
                    }
                }
                for word in
                    words.iter().filter(|word| word.starts_with("scripts/") || word.starts_with(".ci/"))
                {
                    assert!(root.join(word).exists(), "{}: {line}: there is no {word}", page.display());
                    commands += 1;
                }
            }
        }
    }
    assert!(commands > 10, "found {commands} commands");
}

/// The text of a page without its blocks of code.
fn prose(page: &Path) -> String {
    let text = fs::read_to_string(page).unwrap();
    text.split("```").step_by(2).collect()
}

/// The targets of the links and pictures of a page.
fn targets(prose: &str) -> impl Iterator<Item = &str> {
    let markdown = prose.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    markdown.chain(prose.split("src=\"").skip(1).filter_map(|rest| rest.split('"').next()))
}

/// The anchor that a heading gets: lower case, without punctuation, with hyphens for spaces.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || [' ', '-', '_'].contains(c));
    kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect()
}

#[test]
fn links_lead_somewhere() {
    let mut links = 0;
    for page in files(&root(), ".md") {
        let page = page.canonicalize().unwrap(); // the README of the facade is that of the project
        let text = prose(&page);
        for target in targets(&text).filter(|target| !target.contains("://")) {
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            let path = if file.is_empty() { page.clone() } else { page.parent().unwrap().join(file) };
            assert!(path.exists(), "{}: no {target}", page.display());
            if !place.is_empty() {
                let headings = prose(&path);
                let mut headings = headings.lines().filter(|line| line.starts_with('#'));
                let found = headings.any(|line| anchor(line.trim_start_matches('#').trim()) == place);
                assert!(found, "{}: no heading for {target}", page.display());
            }
            links += 1;
        }
    }
    assert!(links > 150, "found {links} links");
}

/// The book and the course build with mdBook, which shows only the pages that `SUMMARY.md` lists.
#[test]
fn the_books_list_every_page_once() {
    for folder in ["docs", "docs/learn"].map(|folder| root().join(folder)) {
        assert!(folder.join("book.toml").exists());
        let summary = folder.join("SUMMARY.md");
        let text = prose(&summary);
        let mut listed: Vec<PathBuf> = targets(&text).map(|target| folder.join(target)).collect();
        let mut pages = files(&folder, ".md");
        pages.retain(|page| !page.ends_with("SUMMARY.md"));
        listed.sort();
        assert_eq!(listed, pages, "{}", summary.display());
    }
}
