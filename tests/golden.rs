//! Values computed by PyTorch, through the code of the `golden` example.

use std::path::Path;

use retrograde::tensor::Tensor;
use retrograde_examples::golden::{self, Difference, Report};
use retrograde_tests::golden::{Folder, committed};
use serde_json::json;

const OPS: [&str; 28] = [
    "add",
    "sub",
    "mul",
    "div",
    "tanh",
    "sigmoid",
    "exp",
    "neg",
    "relu",
    "sin",
    "cos",
    "ln",
    "sqrt",
    "matmul",
    "sum",
    "mean",
    "softmax",
    "log_softmax",
    "max",
    "permute",
    "reshape",
    "permute_reshape",
    "narrow",
    "select",
    "concat",
    "stack",
    "index_select_rows",
    "cross_entropy_ignore",
];
const CELLS: [&str; 5] = ["time_rnn", "stateful_rnn", "torch_rnn", "torch_lstm", "torch_gru"];

fn kinds(report: &Report) -> Vec<&str> {
    report.rows().iter().map(|row| &*row.kind).collect()
}

#[test]
fn the_committed_cases_agree() {
    let report = golden::run(&committed()).unwrap();
    assert_eq!(report.failures(), [""; 0], "{report}");
    let mut found = kinds(&report);
    let mut expected = [&OPS[..], &CELLS].concat();
    found.sort_unstable();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert_eq!((report.compared(), report.skipped()), (69, 0));
}

#[test]
fn all_cases_agree_where_they_are_at_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/golden");
    if !folder.is_dir() {
        println!("skipped: there is no ../shared/golden beside the project");
        return;
    }
    let report = golden::run(&folder).unwrap();
    assert_eq!(report.failures(), [""; 0], "{report}");
    for kind in [&OPS[..], &CELLS].concat() {
        assert!(
            report.rows().iter().any(|row| row.kind == kind && row.worst.is_some()),
            "{kind} was not run"
        );
    }
}

#[test]
fn the_order_of_cases_does_not_matter() {
    let folder = Folder::new();
    for file in ["ops.json", "cells.json"] {
        folder.edit_json(file, |manifest| manifest["cases"].as_array_mut().unwrap().reverse());
    }
    let (report, as_committed) = (folder.run(), golden::run(&committed()).unwrap());
    assert_eq!(report.compared(), as_committed.compared());
    for row in as_committed.rows() {
        let same = report.rows().iter().find(|other| other.kind == row.kind).unwrap();
        let size = |worst: &Option<(String, Difference)>| worst.as_ref().unwrap().1.size();
        assert_eq!((same.cases, size(&same.worst)), (row.cases, size(&row.worst)));
    }
}

#[test]
fn what_nothing_runs_is_skipped_by_name() {
    let folder = Folder::new();
    folder.set("ops.json", "tanh_1", "op", json!("gelu"));
    folder.set("cells.json", "time_rnn_0", "kind", json!("torch_transformer"));
    folder.set("cells.json", "time_rnn_2", "kind", json!("torch_transformer"));
    let report = folder.run();
    let skipped = report.rows().iter().filter(|row| row.worst.is_none());
    let skipped: Vec<(&str, usize)> = skipped.map(|row| (&*row.kind, row.cases)).collect();
    assert_eq!(skipped, [("gelu", 1), ("torch_transformer", 2)]);
    assert_eq!((report.compared(), report.skipped()), (66, 3));
}

#[test]
fn a_small_error_is_found_in_any_array() {
    for (file, array) in [
        ("ops.safetensors", "add_4/y"),
        ("ops.safetensors", "sub_2/dx1"),
        ("ops.safetensors", "matmul_4/dx1"),
        ("ops.safetensors", "cross_entropy_ignore_0/dx0"),
        ("cells.safetensors", "time_rnn_2/hs"),
        ("cells.safetensors", "time_rnn_2/dxs"),
        ("cells.safetensors", "time_rnn_2/dh0"),
        ("cells.safetensors", "stateful_rnn_0/dWx0"),
        ("cells.safetensors", "stateful_rnn_0/dWh1"),
        ("cells.safetensors", "stateful_rnn_0/db2"),
        ("cells.safetensors", "stateful_rnn_0/dh01"),
        ("cells.safetensors", "rnn_3/ys"),
        ("cells.safetensors", "rnn_3/d_weight_ih_l0_reverse"),
        ("cells.safetensors", "lstm_3/cn"),
        ("cells.safetensors", "lstm_2/dc0"),
        ("cells.safetensors", "lstm_2/d_bias_hh_l2_reverse"),
        ("cells.safetensors", "gru_4/hn"),
        ("cells.safetensors", "gru_4/d_bias_hh_l1"),
    ] {
        let folder = Folder::new();
        folder.edit_number(file, array, |x| x + 1e-8);
        let failures = folder.run().failures();
        let expected = format!("{array}: expected a relative error of at most 1e-10, found ");
        assert!(failures.len() == 1 && failures[0].starts_with(&expected), "{failures:?}");
    }
}

#[test]
fn the_table_fits_80_columns() {
    let folder = Folder::new();
    folder.edit_number("ops.safetensors", "tanh_1/y", |_| f64::NAN);
    folder.set("ops.json", "ln_1", "op", json!("log"));
    let report = folder.run();
    let table = report.to_string();
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.starts_with("kind                  cases  worst relative error  in\n─"), "{table}");
    assert!(table.contains("\ntanh                      2                   inf  tanh_1/y\n"), "{table}");
    assert!(table.contains("\nlog                       1               skipped\n"), "{table}");
    assert!(table.contains("\nneg                       2                     0\n"), "{table}");
    assert!(table.ends_with("─\n1 kind does not agree to a relative error of 1e-10; 1 skipped\n"), "{table}");
    let failures = report.failures();
    assert_eq!(failures.len(), 1);
    assert!(
        failures[0].starts_with("tanh_1/y: expected finite numbers, found -0.9587")
            && failures[0].ends_with(" for NaN"),
        "{failures:?}"
    );
}

#[test]
fn differences_are_relative_to_the_largest_value_expected() {
    let between = |found: &[f64], expected: &[f64]| {
        let tensor = |x: &[f64]| Tensor::from_vec(x.to_vec(), [x.len()]).unwrap();
        Difference::between(&tensor(found), &tensor(expected))
    };
    assert_eq!(between(&[1.0, -8.0], &[2.0, -8.0]), Difference::Relative(0.125));
    assert_eq!(between(&[0.0, 0.5], &[0.0, 0.0]), Difference::Relative(0.5));
    assert_eq!(between(&[], &[]), Difference::Relative(0.0));
    for (found, expected) in [(f64::NAN, 1.0), (1.0, f64::NAN), (f64::NAN, f64::NAN), (f64::INFINITY, 1.0)] {
        let difference = between(&[1.0, found], &[1.0, expected]);
        assert!(matches!(difference, Difference::NotFinite { .. }) && difference.size() == f64::INFINITY);
    }
    let shapes = Difference::between(&Tensor::zeros([0, 2]), &Tensor::zeros([2, 0]));
    assert_eq!(shapes.to_string(), "expected shape [2, 0], found [0, 2]");
    assert_eq!(shapes.size(), f64::INFINITY);
}
