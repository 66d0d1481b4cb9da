//! Every public function is called in some test: one without a test is noticed here.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The texts of the source files below a folder.
fn read(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => read(&path),
        Some(end) if end == "rs" => vec![(path.clone(), fs::read_to_string(path).unwrap())],
        _ => vec![],
    };
    entries.flat_map(texts).collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn every_public_function_is_tested() {
    // What follows `pub fn`, and both names of the twins, which macros may define.
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (unit_tests, sources): (Vec<_>, Vec<_>) =
        read(&folder.join("src")).into_iter().partition(|(path, _)| path.ends_with("tests.rs"));
    let mut public = BTreeSet::new();
    for (_, source) in sources {
        let named = source.split("pub fn ").skip(1).filter_map(|rest| words(rest).next().map(String::from));
        let twins = words(&source).filter_map(|word| word.strip_prefix("try_")).map(String::from);
        let all: Vec<String> = named.chain(twins.flat_map(|name| [format!("try_{name}"), name])).collect();
        public.extend(all);
    }
    // Shared by several names: they are tested through each public one.
    for private in [
        "try_inserted",
        "try_with_axis",
        "try_from",
        "try_reserve_exact",
        "reserve_exact",
        "from",
        "zip_into",
        "try_name",
        "try_axes",
        "try_axis",
    ] {
        public.remove(private);
    }
    let tests = [read(&folder.join("tests")), unit_tests].concat();
    let tested: BTreeSet<&str> = tests.iter().flat_map(|(_, text)| words(text)).collect();
    assert!(public.len() > 120, "found only {public:?}");
    let missing: Vec<&String> = public
        .iter()
        .filter(|name| {
            !tested.contains(&name[..])
                && !name.strip_prefix("try_").is_some_and(|twin| tested.contains(twin))
        })
        .collect();
    assert!(missing.is_empty(), "public functions that no test calls: {missing:?}");
}
