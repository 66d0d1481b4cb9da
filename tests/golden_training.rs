//! Trainings of others, through the code of the `golden` example.

use std::fs;
use std::path::Path;

use retrograde_examples::golden::{Curve, Curves, Trainings, Unit};
use retrograde_examples::progress;
use retrograde_tests::golden::{Folder, committed};
use serde_json::{Value, json};

fn run(folder: &Path) -> Curves {
    Trainings::open(folder, None).unwrap().run(&progress::hidden()).unwrap()
}

/// The message on a folder as bad input, with `DIR` for its path.
fn refusal(folder: &Folder) -> String {
    let error = Trainings::open(folder.path(), None).err().unwrap().to_string();
    error.replace(&folder.path().display().to_string(), "DIR")
}

#[test]
fn the_committed_training_agrees() {
    let curves = run(&committed());
    assert_eq!(curves.failures(), [""; 0], "{curves}");
    let found: Vec<_> = curves.0.iter().map(|curve| (&*curve.case, curve.of, curve.found.len())).collect();
    assert_eq!(found, [("char_rnn, rnn", "loss", 8), ("char_rnn, rnn", "gradient norm", 8)]);
    assert_eq!(Trainings::open(&committed(), None).unwrap().steps(), 8);
}

#[test]
fn all_trainings_agree_where_they_are_at_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden");
    if !folder.is_dir() {
        println!("skipped: there is no ../shared/golden beside the project");
        return;
    }
    let curves = run(&folder);
    assert_eq!(curves.failures(), [""; 0], "{curves}");
    let compared = |case: &str, of: &str| {
        let curve = curves.0.iter().find(|curve| curve.case == case && curve.of == of);
        curve.map_or(0, |curve| curve.compared)
    };
    assert_eq!(compared("simple_rnnlm", "loss"), 20);
    assert!(compared("simple_rnnlm", "perplexity") >= 75, "{curves}");
    for model in ["rnn", "lstm", "gru"] {
        for of in ["loss", "gradient norm"] {
            assert_eq!(compared(&format!("char_rnn, {model}"), of), 120);
        }
    }
}

#[test]
fn there_may_be_no_trainings() {
    let folder = Folder::new();
    folder.remove("char_rnn.json");
    assert_eq!(Trainings::open(folder.path(), None).unwrap().steps(), 0);
}

/// In a curve, and in any array that a model starts from: the second bias too.
#[test]
fn a_small_error_is_found() {
    for (curve, of) in [("losses", "loss"), ("grad_norms", "gradient norm")] {
        let folder = Folder::new();
        folder.edit_json("char_rnn.json", |manifest| {
            let number = &mut manifest["curves"]["rnn"][curve][5];
            *number = json!(number.as_f64().unwrap() * (1.0 + 1e-8));
        });
        let failures = run(folder.path()).failures();
        let expected = format!("char_rnn, rnn: expected the {of} of step 5 within a relative 1e-9 of ");
        assert!(failures.len() == 1 && failures[0].starts_with(&expected), "{failures:?}");
        assert!(failures[0].ends_with(", off by 1.0e-8"), "{failures:?}");
    }
    for array in ["embedding.weight", "rnn.weight_ih_l0", "rnn.bias_ih_l0", "rnn.bias_hh_l0", "head.weight"] {
        let folder = Folder::new();
        folder.edit_number("char_rnn.safetensors", &format!("rnn/{array}"), |x| x + 1e-4);
        assert!(!run(folder.path()).failures().is_empty(), "{array}");
    }
    for (field, to) in
        [("clip_grad_norm", json!(0.26)), ("adam", json!({"lr": 0.003, "betas": [0.9, 0.99], "eps": 1e-8}))]
    {
        let folder = Folder::new();
        folder.edit_json("char_rnn.json", |manifest| manifest[field] = to);
        assert!(!run(folder.path()).failures().is_empty(), "{field}");
    }
}

#[test]
fn a_text_that_is_not_there_is_asked_for() {
    let folder = Folder::new();
    folder.remove("char_rnn.txt");
    let said = refusal(&folder);
    let data = folder.path().parent().unwrap().join("data/char_rnn.txt");
    assert_eq!(
        said,
        format!(
            "DIR/char_rnn.json: expected the text char_rnn.txt at DIR/char_rnn.txt or {}, found none: \
             say where it is with --text FILE",
            data.display()
        )
    );
    let text = committed().join("char_rnn.txt");
    let trainings = Trainings::open(folder.path(), Some(&text)).unwrap();
    assert!(trainings.run(&progress::hidden()).unwrap().failures().is_empty());
}

#[test]
fn another_text_is_refused() {
    let folder = Folder::new();
    let text = fs::read_to_string(committed().join("char_rnn.txt")).unwrap();
    folder.write("char_rnn.txt", text.replace('$', "s"));
    let expected = "DIR/char_rnn.json: text DIR/char_rnn.txt: expected at least 3217 characters, 65 different ones in \
                    all, found 3227, 64 different";
    assert_eq!(refusal(&folder), expected);
    folder.write("char_rnn.txt", b"\xff");
    let expected =
        "DIR/char_rnn.json: text DIR/char_rnn.txt: expected UTF-8, found the byte 0xff at offset 0";
    assert_eq!(refusal(&folder), expected);
}

#[test]
fn a_field_that_is_not_there_or_not_as_it_should_be_is_refused() {
    let said = |edit: &dyn Fn(&mut Value)| {
        let folder = Folder::new();
        folder.edit_json("char_rnn.json", edit);
        refusal(&folder).strip_prefix("DIR/char_rnn.json: expected ").unwrap_or_default().to_owned()
    };
    let set = |field: &'static str, to: Value| said(&move |manifest| manifest[field] = to.clone());
    let form = "text to be \"NAME, first COUNT characters; ..\", found ";
    assert_eq!(set("text", json!("char_rnn.txt")), format!("{form}\"char_rnn.txt\""));
    assert_eq!(
        set("text", json!("a.txt, first x characters")),
        format!("{form}\"a.txt, first x characters\"")
    );
    assert_eq!(set("vocab", Value::Null), "vocab to be a size, found none");
    assert_eq!(set("clip_grad_norm", json!("x")), "clip_grad_norm to be a number, found \"x\"");
    assert_eq!(set("adam", json!(3)), "adam to be an object, found 3");
    assert_eq!(
        set("adam", json!({"betas": [0.9], "lr": 0.1, "eps": 0})),
        "betas to be two numbers, found a list"
    );
    assert_eq!(set("adam", json!({"betas": [0.9, "x"]})), "betas to be a list of numbers, found a list");
    assert_eq!(set("steps", json!(9)), "losses to be 9 numbers, found a list");
    assert_eq!(set("curves", json!({"mgu": {}})), "curves to be of rnn, lstm and gru, found an object");
    assert_eq!(
        said(&|manifest| manifest["curves"]["rnn"]["grad_norms"] = json!([1.0])),
        "grad_norms to be 8 numbers, found a list"
    );
    let folder = Folder::new();
    folder.edit_json("char_rnn.json", |manifest| manifest["batch"] = json!(4000));
    let expected = "DIR/char_rnn.json: windows: expected at least 4001 tokens (4000 rows, windows of 25 steps), found 3217";
    assert_eq!(refusal(&folder), expected);
    let folder = Folder::new();
    folder.edit_json("char_rnn.json", |manifest| manifest["hidden"] = json!(63));
    let expected = "DIR/char_rnn.json: DIR/char_rnn.safetensors: tensor rnn/rnn.weight_ih_l0: \
                    expected shape [63, 32], found [64, 32]";
    assert_eq!(refusal(&folder), expected);
}

fn curve(expected: &[f64], found: &[f64]) -> Curve {
    Curve::new("a".into(), "loss", Unit::Epoch, expected.to_vec(), found.to_vec(), 0.1)
}

#[test]
fn a_curve_is_as_good_as_its_worst_number() {
    assert_eq!(curve(&[2.0, -4.0, 1.0], &[2.0, -4.5, 1.1]).worst(), (1, 0.125));
    assert!(curve(&[2.0, -4.0], &[2.1, -3.9]).is_ok());
    assert!(!curve(&[2.0, -4.0], &[2.1]).is_ok());
    assert!(!curve(&[2.0, 1.0], &[2.1, f64::NAN]).is_ok());
    assert!(!curve(&[2.0, 1.0], &[f64::INFINITY, 1.0]).is_ok());
    // What rounding decides does not count, but more than half of a curve has to be left.
    let cut = |compared| Curve { compared, ..curve(&[1.0, 1.0, 1.0, 1.0], &[1.0, 1.0, 2.0, 2.0]) };
    assert!(cut(2).is_ok() && !cut(1).is_ok() && !cut(3).is_ok());
    let failures = Curves(vec![cut(1), cut(3), cut(2), curve(&[2.0, -4.0], &[2.1])]).failures();
    assert_eq!(
        failures,
        [
            "a: expected 2 epochs before rounding decides the loss, found 1",
            "a: expected the loss of epoch 2 within a relative 1e-1 of 1, found 2, off by 1.0e0",
            "a: expected a loss for 2 epochs, found 1",
        ]
    );
}

#[test]
fn the_table_fits_80_columns() {
    let long = "simple_rnnlm".to_owned();
    let whole = Curve::new(
        long,
        "perplexity",
        Unit::Epoch,
        vec![1.0; 100],
        (0..100).map(|i| 1.0 + f64::from(i)).collect(),
        0.02,
    );
    let table = Curves(vec![Curve { compared: 84, ..whole }, curve(&[1.0], &[1.0])]).to_string();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let row = "\nsimple_rnnlm          perplexity      84 of 100 epochs      8.3e1    2e-2  NO\n";
    assert!(table.contains(row), "{table}");
    assert!(
        table.contains("\nsimple_rnnlm: rounding decides from epoch 84 on; there off by up to 9.9e1\n"),
        "{table}"
    );
    assert!(table.ends_with("\n1 of 2 curves of trainings do not agree\n"), "{table}");
}
