//! The smaller examples: what they claim is so even after little training.

mod common;

use std::fs;

use common::{folder, numbers, printed, refusal};

/// The output of a quick run. It writes its figure into a folder that no other test has.
fn quick(name: &str, place: &str, arguments: &[&str]) -> String {
    let folder = folder(place);
    let arguments = [&["--quick", "--seed", "5", "--out", "figures"], arguments].concat();
    let first = printed(name, &folder, &arguments);
    let figure = fs::read_to_string(folder.join(format!("figures/{name}.svg"))).unwrap();
    assert!(figure.starts_with("<svg ") && figure.contains("</svg>"));
    assert!(first.contains(&format!("Figure: figures/{name}.svg\n")), "{first}");
    first
}

#[test]
fn the_custom_cell_is_right_and_learns() {
    let printed = quick("custom_cell", "custom_cell", &[]);
    assert!(printed.contains("\ngradient check: ok\n"), "{printed}");
    let [janet, guessing] = ["JANET ", "guessing "].map(|row| numbers(&printed, row)[0]);
    assert!((guessing - 8.0_f64.ln()).abs() < 1e-4);
    assert!(janet < guessing / 2.0, "{printed}");
}

#[test]
fn the_sine_is_forecast() {
    let printed = quick("sine", "sine", &[]);
    let [next, zero] =
        ["next value, against the sine", "a forecast of 0"].map(|row| numbers(&printed, row)[0]);
    assert!(next < zero / 2.0, "{printed}");
}

#[test]
fn an_lstm_adds() {
    let printed = quick("adding", "adding", &["--steps", "8"]);
    let lstm = numbers(&printed, "8  LSTM");
    assert!(lstm[0] < 1.0 / 6.0 / 2.0, "{printed}");
}

#[test]
fn sums_are_learned_by_each_model_that_is_chosen() {
    let printed = quick("seq2seq", "seq2seq", &["--reversed", "--attention", "--epochs", "1"]);
    assert!(numbers(&printed, "reversed, attention")[1] <= 100.0);
    let map = fs::read_to_string(folder("seq2seq").join("figures/attention.svg")).unwrap();
    assert!(map.contains(">written<") && map.contains("Where the decoder looks"), "{map}");
}

#[test]
fn the_same_seed_gives_the_same() {
    for name in ["custom_cell", "sine"] {
        assert_eq!(quick(name, "same", &[]), quick(name, "same", &[]));
    }
}

#[test]
fn help_fits_the_page() {
    for name in ["custom_cell", "sine", "adding", "rnnlm", "char_rnn", "seq2seq"] {
        assert!(printed(name, &folder("help"), &["--help"]).contains("--seed <N>"));
    }
}

#[test]
fn what_cannot_be_done_is_refused() {
    let folder = folder("small");
    fs::write(folder.join("file"), "").unwrap();
    for name in ["custom_cell", "sine", "adding"] {
        assert_eq!(
            refusal(name, &folder, &["--quick", "--out", "file/figures"]),
            "error: file file/figures: expected to be able to write it, found: Not a directory (os error 20)\n"
        );
    }
    let words = refusal("adding", &folder, &["--steps", "1"]);
    assert!(words.starts_with("error: invalid value '1' for '--steps <T>...'"), "{words}");
}
