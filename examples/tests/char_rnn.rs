//! The model of characters: it learns, it writes what it is asked for, and an interruption leaves no trace.

mod common;

use std::path::Path;
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use common::{command, folder, printed, refusal};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde::nn::Checkpoint;

/// A text of sentences, every one a little different.
fn write_text(path: &Path) {
    let sentence = |i: usize| format!("{i} green bottles hanging on the wall, {} have fallen.\n", i * i % 17);
    fs::write(path, (0..60).map(sentence).collect::<String>()).unwrap();
}

const SMALL: [&str; 16] = [
    "--text",
    "text.txt",
    "--layers",
    "2",
    "--hidden",
    "12",
    "--embedding",
    "8",
    "--batch",
    "4",
    "--steps",
    "12",
    "--epochs",
    "2",
    "--length",
    "40",
];

/// The losses of a run that was kept: of each window, and of the validation text.
fn losses(path: &Path) -> [Vec<u64>; 2] {
    let checkpoint = Checkpoint::<f32>::load(path).unwrap();
    ["losses", "validation"].map(|name| checkpoint.series[name].iter().map(|loss| loss.to_bits()).collect())
}

/// Runs are killed at random moments, some while they write their checkpoint, and go on from it: every loss is, bit for
/// bit, that of a run that was left alone.
#[test]
#[cfg(unix)]
fn a_run_that_is_killed_goes_on_as_if_it_had_not_been() {
    use std::os::unix::process::ExitStatusExt;

    let kills = env::var("RETROGRADE_KILLS").map_or(5, |kills| kills.parse().unwrap());
    let folder = folder("killed");
    write_text(&folder.join("text.txt"));
    let whole = [&SMALL[..], &["--checkpoint", "whole.safetensors"]].concat();
    let expected = printed("char_rnn", &folder, &whole);
    let expected_losses = losses(&folder.join("whole.safetensors"));
    let windows = expected_losses[0].len();
    assert!(windows > 50 && expected_losses[1].len() == 2);

    let path = folder.join("killed.safetensors");
    let _ = fs::remove_file(&path);
    let resumed = |resume: bool| {
        let options = ["--checkpoint", "killed.safetensors", "--every", "1", "--resume"];
        let options = if resume { &options[..] } else { &options[..4] };
        command("char_rnn", &folder, &[&SMALL[..], options].concat())
    };
    let mut rng = StdRng::seed_from_u64(1);
    let mut moments: Vec<usize> = (0..kills).map(|_| rng.random_range(1..windows * 9 / 10)).collect();
    moments.sort_unstable();
    for moment in moments {
        let mut child = resumed(path.exists()).stdout(std::process::Stdio::null()).spawn().unwrap();
        let limit = Instant::now() + Duration::from_secs(60);
        while !path.exists() || Checkpoint::<f32>::load(&path).unwrap().step < moment {
            assert!(Instant::now() < limit && child.try_wait().unwrap().is_none(), "at window {moment}");
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_micros(rng.random_range(0..5000)));
        child.kill().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(9), "killed before it was over");
    }
    let output = resumed(true).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(losses(&path), expected_losses);
    // It also writes the same; the times are others.
    let sample = |printed: &str| printed.split("What it writes").nth(1).map(str::to_owned);
    assert_eq!(sample(common::text(&output.stdout)), sample(&expected));
}

#[test]
fn every_kind_of_cell_learns() {
    let folder = folder("cells");
    write_text(&folder.join("text.txt"));
    for cell in ["rnn", "lstm", "gru", "mgu"] {
        let options = ["--cell", cell, "--rate", "0.02", "--out", cell];
        let printed = printed("char_rnn", &folder, &[&SMALL[..], &options].concat());
        let last = printed.lines().find_map(|line| line.trim_start().strip_prefix("2  ")).unwrap();
        let validation: f64 = last.split_whitespace().nth(1).unwrap().parse().unwrap();
        let guessing: f64 = printed.split("by frequency costs ").nth(1).unwrap()[..6].parse().unwrap();
        assert!(validation < guessing - 0.3, "{cell}: {printed}");
        assert!(folder.join(cell).join("char_rnn.svg").is_file());
    }
}

#[test]
fn it_writes_what_it_is_asked_for() {
    let folder = folder("writes");
    write_text(&folder.join("text.txt"));
    let sample = |options: &[&str]| {
        let printed = printed("char_rnn", &folder, &[&SMALL[..12], &["--epochs", "1"], options].concat());
        let sample = printed.split("at temperature ").nth(1).unwrap();
        sample.lines().filter_map(|line| line.strip_prefix("│")).collect::<String>()
    };
    assert_eq!(sample(&["--length", "0"]), "");
    let greedy = sample(&["--start", "green ", "--length", "30", "--temperature", "0"]);
    for options in [["--top-k", "1"], ["--top-p", "1e-9"]] {
        assert_eq!(greedy, sample(&[&["--start", "green ", "--length", "30"], &options[..]].concat()));
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let folder = folder("refused by char_rnn");
    write_text(&folder.join("text.txt"));
    fs::write(folder.join("short.txt"), "short").unwrap();
    let refused = |arguments: &[&str]| refusal("char_rnn", &folder, arguments);
    let small = |arguments: &[&str]| refused(&[&SMALL[..], arguments].concat());
    assert_eq!(
        refused(&["--text", "short.txt"]),
        "error: text short.txt: expected at least 65 characters (32 rows, windows of 64 steps), found 5\n"
    );
    assert_eq!(
        refused(&["--text", "none.txt"]),
        "error: text none.txt: expected a file that can be read, found: No such file or directory (os error 2)\n"
    );
    assert_eq!(
        small(&["--start", "green §"]),
        "error: start: expected characters of the text text.txt, its last tenth, found '§'\n"
    );
    assert_eq!(small(&["--start", ""]), "error: start: expected at least 1 character, found none\n");
    assert_eq!(
        small(&["--top-p", "0"]),
        "error: sampler: expected top_p to be above 0 and at most 1, found 0\n"
    );
    assert_eq!(
        small(&["--dropout", "1"]),
        "error: dropout: expected p to be at least 0 and below 1, found 1\n"
    );
    for (option, why) in [("--hidden", "number would be zero"), ("--batch", "number would be zero")] {
        assert!(refused(&[option, "0"]).contains(why));
    }
    assert!(refused(&["--rate=-1"]).contains("expected a finite number of at least 0"));
    assert!(refused(&["--resume"]).contains("--checkpoint <FILE>"));
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let folder = folder("other");
    write_text(&folder.join("text.txt"));
    let kept = [&SMALL[..], &["--checkpoint", "run.safetensors"]].concat();
    printed("char_rnn", &folder, &kept);
    let other =
        |options: &[&str]| refusal("char_rnn", &folder, &[&kept[..], &["--resume"], options].concat());
    assert_eq!(
        other(&["--rate", "0.5"]),
        "error: checkpoint run.safetensors: expected a run with rate 0.5, found 0.003\n"
    );
    assert_eq!(
        refusal(
            "char_rnn",
            &folder,
            &[&SMALL[..], &["--checkpoint", "none.safetensors", "--resume"]].concat()
        ),
        "error: none.safetensors: expected a readable file, found: No such file or directory (os error 2)\n"
    );
}
