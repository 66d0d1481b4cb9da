//! The notebook, cell by cell: the page runs, and both of its sides print the same digits.

mod common;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use common::{folder, printed};

fn docs(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/notebook").join(file)
}

fn page() -> String {
    fs::read_to_string(docs("cell-by-cell.md")).unwrap()
}

/// The fenced blocks of a page: languages and texts.
fn blocks(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("\n```").skip(1).step_by(2).map(|block| block.split_once('\n').unwrap())
}

/// The lines that a program prints, and the last one that it says if it stops; `None` where there is no NumPy.
fn python(program: &str) -> Option<Vec<String>> {
    let output = Command::new("python3").args(["-c", program]).current_dir(docs("")).output();
    let Ok(output) = output else {
        println!("skipped: there is no Python here");
        return None;
    };
    let [printed, said] = [output.stdout, output.stderr].map(|text| String::from_utf8(text).unwrap());
    if said.contains("No module named 'numpy'") {
        println!("skipped: there is no NumPy here");
        return None;
    }
    let stop = said.lines().last().filter(|_| !output.status.success());
    Some(printed.lines().chain(stop).map(str::to_owned).collect())
}

/// Replaces lines as a patch says. Each run of lines that end in `+` is a place of its own.
fn patched(program: &str, patch: &str) -> String {
    let mut places: Vec<[String; 2]> = Vec::new();
    let mut last = '+';
    for line in patch.lines() {
        let (mark, text) = line.split_at(1);
        let mark = mark.chars().next().unwrap();
        if last == '+' && mark != '+' {
            places.push(Default::default());
        }
        let [old, new] = places.last_mut().expect("a patch begins with what is there");
        for (side, other) in [(old, '+'), (new, '-')] {
            if mark != other {
                *side += &format!("{text}\n");
            }
        }
        last = mark;
    }
    places.iter().fold(program.to_owned(), |program, [old, new]| {
        assert_eq!(program.matches(old).count(), 1, "expected once in the cells:\n{old}");
        program.replace(old, new)
    })
}

#[test]
fn the_page_prints_what_it_says_and_ends_repaired() {
    let (page, mut program, mut texts) = (page(), String::new(), 0);
    for (language, block) in blocks(&page) {
        match language {
            "python" => program += &format!("{}{block}\n", if program.is_empty() { "" } else { "\n\n" }),
            "diff" => program = patched(&program, block),
            "text" => {
                let Some(found) = python(&program) else { return };
                let quoted: Vec<&str> = block.lines().collect();
                let tail = &found[found.len().saturating_sub(quoted.len())..];
                // What stops is compared by the kind of the exception: its words change with NumPy.
                let essence = |line: &str| {
                    let (kind, _) = line.split_once(':').unwrap_or((line, ""));
                    if kind.ends_with("Error") { kind.to_owned() } else { line.to_owned() }
                };
                let tail: Vec<String> = tail.iter().map(|line| essence(line)).collect();
                assert_eq!(tail, quoted.into_iter().map(essence).collect::<Vec<_>>());
                texts += 1;
            }
            _ => {}
        }
    }
    assert_eq!(program, fs::read_to_string(docs("notebook_fixed.py")).unwrap());
    assert!(texts >= 6, "{texts} outputs");
}

#[test]
fn the_right_side_is_the_example() {
    let code = |text: &str| -> Vec<String> {
        text.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
    };
    let page = page();
    let cells: Vec<String> = blocks(&page)
        .filter(|(language, _)| *language == "rust,ignore")
        .flat_map(|(_, cell)| code(cell))
        .collect();
    let (_, example) = include_str!("../notebook/main.rs").split_once("#![forbid(unsafe_code)]\n").unwrap();
    assert_eq!(cells, code(example));
}

#[test]
fn both_sides_print_the_same_digits() {
    let rust = printed("notebook", &folder("notebook"), &[]);
    assert!(rust.ends_with("dWh is right\n"), "{rust}");
    let Some(numpy) = python(&fs::read_to_string(docs("notebook_fixed.py")).unwrap()) else { return };
    assert_eq!(rust.lines().collect::<Vec<_>>(), numpy);
}
