//! Examples as their users meet them: what they print, what they write, and how they end.
#![allow(dead_code)] // not every test needs everything

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use unicode_width::UnicodeWidthStr;

/// An example, which `cargo test` has built beside the tests, run in a folder without colour or progress bars.
pub(crate) fn command(name: &str, folder: &Path, arguments: &[&str]) -> Command {
    let test = env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join(format!("examples/{name}{}", env::consts::EXE_SUFFIX));
    assert!(path.is_file(), "expected `cargo build --example {name}` to have made {}", path.display());
    let mut command = Command::new(path);
    command.current_dir(folder).args(arguments).env_remove("NO_COLOR");
    command
}

/// A folder of a test's own.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    fs::create_dir_all(&path).unwrap();
    path
}

pub(crate) fn run(name: &str, folder: &Path, arguments: &[&str]) -> Output {
    command(name, folder, arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// The output of a run that ends well: narrow plain lines, and nothing on standard error.
pub(crate) fn printed(name: &str, folder: &Path, arguments: &[&str]) -> String {
    let output = run(name, folder, arguments);
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    assert_eq!(text(&output.stderr), "");
    let printed = text(&output.stdout);
    assert!(!printed.contains('\x1b'), "{printed}");
    for line in printed.lines() {
        assert!(line.width() <= 80 && line.trim_end() == line, "{line:?}");
    }
    printed.to_owned()
}

/// The message of a run that cannot go on, having printed nothing.
pub(crate) fn refusal(name: &str, folder: &Path, arguments: &[&str]) -> String {
    let output = run(name, folder, arguments);
    assert_eq!(output.status.code(), Some(2), "{output:?}");
    assert_eq!(text(&output.stdout), "");
    text(&output.stderr).to_owned()
}

/// The numbers of the row of a table that begins with these words.
pub(crate) fn numbers(printed: &str, row: &str) -> Vec<f64> {
    let rest = printed.lines().find_map(|line| line.trim_start().strip_prefix(row));
    let rest = rest.unwrap_or_else(|| panic!("expected a row {row:?} in\n{printed}"));
    rest.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
