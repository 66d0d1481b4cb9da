//! The exercises as a learner meets them.

mod common;

use common::{command, folder, printed, refusal, run, text};

/// The output and the last words of a check that fails.
fn failed(number: &str) -> (String, String) {
    let output = run("faults", &folder("faults"), &["check", number]);
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    (text(&output.stdout).to_owned(), text(&output.stderr).to_owned())
}

#[test]
fn the_exercises_are_listed_shown_and_counted() {
    let listed = printed("faults", &folder("faults"), &["list"]);
    assert!(listed.contains("Silent without noise\n"), "{listed}");
    assert!(listed.contains("\n   25  A mean from nowhere\n"), "{listed}");
    let shown = command("faults", &folder("faults"), &["show", "8"]).output().unwrap();
    assert!(text(&shown.stdout).contains("dwh = h_prev.t().matmul(&dt);"));
    let verified = printed("faults", &folder("faults"), &["verify"]);
    assert!(verified.ends_with("\n0 of 25\n"), "{verified}");
}

#[test]
fn a_loud_pass_is_found_where_it_stops() {
    let (found, words) = failed("1");
    assert!(found.contains("examples/faults/exercises/01.rs:17: matmul:"), "{found}");
    assert_eq!(words, "failed: exercise 1: the gradients are not right yet\n");
}

#[test]
fn a_check_shows_what_is_wrong_and_does_not_guess_why() {
    let (found, _) = failed("8");
    assert!(found.contains("   2  5  3  4   wrong: Wh\n"), "{found}");
    assert!(found.contains("   3  1  2  4   right\n"), "{found}");
    let (sizes, _) = found.split_once("\n\nAt N").unwrap();
    assert!(include_str!("../../docs/examples.md").contains(&format!("```text\n{sizes}\n\nAt N")), "{sizes}");
    let (sizes, _) = found.split_once("\n\nAt N").unwrap();
    assert!(include_str!("../../docs/examples.md").contains(&format!("```text\n{sizes}\n\nAt N")), "{sizes}");
    assert!(found.contains("  dWh[") && !found.contains("overwritten"), "{found}");
    let (found, _) = failed("6"); // one feature: nothing stops
    assert!(found.contains("   4  3  1  2   wrong: xs, Wx, Wh, b\n"), "{found}");
    let (found, _) = failed("24");
    assert!(!found.contains(".rs:"), "the place is for the learner to find: {found}");
    let (found, _) = failed("20");
    assert!(found.contains("Wh moved by 0.000"), "{found}");
}

#[test]
fn the_reference_repair_is_right() {
    for number in ["4", "17", "21", "25"] {
        let found = printed("faults", &folder("faults"), &["check", number, "--answer"]);
        assert!(found.ends_with("\nAll gradients are right.\n"), "{found}");
    }
}

#[test]
fn hints_lead_to_the_answer() {
    let hint = |step: &str| printed("faults", &folder("faults"), &["hint", "7", step]);
    assert_eq!(printed("faults", &folder("faults"), &["hint", "7"]), hint("1"));
    assert!(hint("1").contains('?') && hint("1").ends_with("The next one: hint 7 2\n"));
    assert!(hint("3").starts_with("`dh = dt·Whᵀ`") && !hint("3").contains("next one"));
    let answer = text(&run("faults", &folder("faults"), &["answer", "7"]).stdout).to_owned();
    let marked: Vec<&str> = answer.lines().filter(|line| line.starts_with('>')).collect();
    assert_eq!(marked, [">         dh = dt.matmul(&wh.t());"]);
}

#[test]
fn an_exercise_that_there_is_not_is_refused() {
    for number in ["0", "26", "x"] {
        let words = refusal("faults", &folder("faults"), &["check", number]);
        assert!(words.starts_with(&format!("error: invalid value '{number}' for '<N>'")), "{words}");
    }
    let words = refusal("faults", &folder("faults"), &["hint", "1", "4"]);
    assert!(words.starts_with("error: invalid value '4' for '[STEP]'"), "{words}");
}
