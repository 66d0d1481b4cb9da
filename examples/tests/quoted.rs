//! Quotes of an example's output in the book: the same words come out again, and numbers within a factor of three, since
//! training amplifies the rounding of another processor. Seconds are those of the machine, and not compared.

mod common;

use std::fs;
use std::path::Path;

use common::{folder, printed, run, text};

/// A block that the book quotes below the heading of an example, by its place there.
fn quoted(name: &str, block: usize) -> String {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples.md");
    let page = fs::read_to_string(page).unwrap();
    let section = page.split(&format!("\n## {name}: ")).nth(1).unwrap();
    let section = section.split("\n## ").next().unwrap();
    section.split("```text\n").nth(1 + block).unwrap().split("```").next().unwrap().to_owned()
}

/// The words of each line that is compared. The page shows figures in the place of charts, which have a label above them and
/// two lines below.
fn words(text: &str) -> Vec<Vec<&str>> {
    let lines: Vec<&str> = text.lines().collect();
    let drawn = |i: usize| {
        let has =
            |i: Option<usize>, sign| i.and_then(|i| lines.get(i)).is_some_and(|line| line.contains(sign));
        let above = has(Some(i + 1), '┤') && !has(Some(i), '│');
        let below = has(i.checked_sub(1), '└') || has(i.checked_sub(2), '└');
        above || below || lines[i].contains(['┤', '│', '└', '─'])
    };
    let file = |line: &str| line.starts_with("Figure: ") || line.starts_with("Page: ");
    let lines = (0..lines.len()).filter(|&i| !drawn(i) && !file(lines[i])).map(|i| lines[i]);
    lines.map(|line| line.split_whitespace().collect()).filter(|line: &Vec<&str>| !line.is_empty()).collect()
}

/// Compares lines word by word, from the end of a line: the head of a table says which columns are times.
#[track_caller]
fn same(quoted: &[Vec<&str>], printed: &[Vec<&str>], least: usize) {
    assert_eq!(quoted.len(), printed.len(), "{quoted:?}\n{printed:?}");
    let (mut times, mut numbers) = (Vec::new(), 0);
    for (quoted, printed) in quoted.iter().zip(printed) {
        assert_eq!(quoted.len(), printed.len(), "{quoted:?}\n{printed:?}");
        if quoted.ends_with(&["seconds"]) || quoted.ends_with(&["characters/s"]) {
            let is_time = |word: &&str| ["seconds", "characters/s"].contains(word);
            times = quoted.iter().rev().map(is_time).collect();
        }
        // Numbers of a line with decimals are found by the run; others are sizes, which come out as they are.
        let found = quoted.iter().any(|word| word.contains('.') && number(word).is_some());
        for (i, (quoted, printed)) in quoted.iter().rev().zip(printed.iter().rev()).enumerate() {
            match (number(quoted), number(printed)) {
                (Some(_), Some(_)) if times.get(i) == Some(&true) => {}
                (Some(quoted), Some(printed)) if found => {
                    numbers += 1;
                    let near = quoted.abs() / 3.0..=quoted.abs() * 3.0;
                    let same = quoted * printed >= 0.0 && near.contains(&printed.abs());
                    assert!(same, "expected about {quoted}, found {printed}");
                }
                _ => assert_eq!(quoted, printed),
            }
        }
    }
    assert!(numbers >= least, "compared {numbers} numbers");
}

fn number(word: &str) -> Option<f64> {
    word.parse().ok()
}

#[test]
fn the_sine_comes_out_again() {
    let (quoted, printed) = (quoted("sine", 0), printed("sine", &folder("quoted"), &[]));
    same(&words(&quoted), &words(&printed), 8);
}

#[test]
fn the_player_comes_out_again() {
    let printed = printed("player", &folder("quoted"), &["--out", "player.html"]);
    same(&words(&quoted("player", 0)), &words(&printed), 0);
}

/// The rows of the gallery's table without losses and times, and, of a quick run, without what was learned.
fn gallery(text: &str, quick: bool) -> Vec<Vec<&str>> {
    let mut rows = words(text);
    rows.retain(|row| row.len() > 6 && ["yes", "no"].contains(&row[row.len() - 4]));
    for row in &mut rows {
        let [loss, learned, _ms] = [3, 2, 1].map(|from_end| row.len() - from_end);
        let learned = row[learned];
        row.truncate(loss);
        row.extend((!quick).then_some(learned));
    }
    rows
}

/// Lines, parameters and checks of a quick run are those of a whole one.
#[test]
fn the_gallery_comes_out_again() {
    let (quoted, printed) = (quoted("gallery", 0), printed("gallery", &folder("quoted"), &["--quick"]));
    let (quoted, printed) = [&quoted, &printed].map(|text| gallery(text, true)).into();
    assert!(printed.len() > 16, "{printed:?}");
    assert_eq!(quoted, printed);
}

/// The check of the cell is quoted from a run that also trains it; a quick run prints the same one.
#[test]
fn the_check_of_the_custom_cell_comes_out_again() {
    let (quoted, printed) =
        (quoted("custom_cell", 0), printed("custom_cell", &folder("quoted"), &["--quick"]));
    let (quoted, mut printed) = (words(&quoted), words(&printed));
    printed.retain(|line| line[0] != "quick:");
    let check = quoted.iter().position(|line| line[0] == "b").unwrap() + 1;
    same(&quoted[..check], &printed[..check], 5);
}

/// The first length of four.
#[test]
fn the_adding_problem_comes_out_again() {
    let (quoted, printed) = (quoted("adding", 0), printed("adding", &folder("quoted"), &["--steps", "10"]));
    let (mut quoted, printed) = (words(&quoted), words(&printed));
    quoted.retain(|line| !["50", "100"].contains(&line[0]));
    same(&quoted, &printed, 3);
}

/// The text, the models and the first of ten epochs.
#[test]
fn the_language_models_come_out_again() {
    let (quoted, printed) = (quoted("rnnlm", 0), printed("rnnlm", &folder("quoted"), &["--epochs", "1"]));
    let (quoted, printed) = (words(&quoted), words(&printed));
    let first = quoted.iter().position(|line| line[0] == "1").unwrap() + 1;
    same(&quoted[..first], &printed[..first], 4);
}

/// The text, the model and the first epoch; the rate falls faster in a shorter run.
#[test]
fn the_model_of_characters_comes_out_again() {
    let arguments = ["--epochs", "1", "--hidden", "128", "--length", "1"];
    let (quoted, printed) = (quoted("char_rnn", 0), printed("char_rnn", &folder("quoted"), &arguments));
    let (mut quoted, mut printed) = (words(&quoted), words(&printed));
    for lines in [&mut quoted, &mut printed] {
        lines.retain(|line| !line.contains(&"Adam,")); // the number of epochs
    }
    let first = quoted.iter().position(|line| line[0] == "1").unwrap() + 1;
    same(&quoted[..first], &printed[..first], 3);
}

/// The lines of `min_char` that are no text of the model's, which is wide and hangs on the last digits.
fn told(text: &str) -> Vec<Vec<&str>> {
    let lines = words(text).into_iter().enumerate();
    lines.filter(|(i, line)| *i == 0 || line[0] == "step").map(|(_, line)| line).collect()
}

/// The text, the level of guessing and the loss before training.
#[test]
fn the_small_model_of_characters_comes_out_again() {
    let output = run("min_char", &folder("quoted"), &["--quick"]);
    let quoted = quoted("min_char", 0);
    assert_eq!(told(&quoted)[..2], told(text(&output.stdout))[..2]);
}

/// Every line of every table, which takes half an hour.
#[test]
#[ignore = "trains for half an hour"]
fn long_runs_come_out_again() {
    for (name, arguments, least) in [
        ("custom_cell", &[][..], 8),
        ("adding", &[], 6),
        ("rnnlm", &[], 40),
        ("char_rnn", &["--epochs", "6", "--hidden", "128"], 18),
        ("seq2seq", &[], 4),
    ] {
        let (quoted, printed) = (quoted(name, 0), printed(name, &folder("quoted"), arguments));
        let (mut quoted, mut printed) = (words(&quoted), words(&printed));
        for lines in [&mut quoted, &mut printed] {
            lines.retain(|line| line[0] != "Of"); // a few sums, right or wrong
        }
        same(&quoted, &printed, least);
    }
    let (table, printed) = (quoted("gallery", 0), printed("gallery", &folder("quoted"), &[]));
    assert_eq!(gallery(&table, false), gallery(&printed, false));
    let output = run("min_char", &folder("quoted"), &[]);
    same(&told(&quoted("min_char", 0)), &told(text(&output.stdout)), 5);
}
