//! Every public function is called in some test: one without a test is noticed here.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(folder: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|end| end == "rs"))
        .map(|path| fs::read_to_string(path).unwrap())
        .collect()
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty())
}

#[test]
fn every_public_function_is_tested() {
    // What follows `pub fn`, and both names of the twins, which macros may define.
    let mut public = BTreeSet::new();
    for source in read("src") {
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
        "from",
        "try_fold",
        "fold",
        "try_name",
        "try_axes",
        "try_axis",
    ] {
        public.remove(private);
    }
    let tests = read("tests").concat();
    let tested: BTreeSet<&str> = words(&tests).collect();
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
