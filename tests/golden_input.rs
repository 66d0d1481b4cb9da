//! The messages of the `golden` example on bad input.

use std::fs;

use retrograde_examples::golden;
use retrograde_tests::golden::{Folder, committed};
use serde_json::{Value, json};

#[test]
fn a_missing_folder_or_file_is_refused() {
    let missing = std::env::temp_dir().join("retrograde-no-such-folder");
    let expected = format!("expected a folder of golden values at {}, found none", missing.display());
    assert_eq!(golden::run(&missing).unwrap_err().to_string(), expected);
    for file in ["ops.json", "ops.safetensors", "cells.json", "cells.safetensors"] {
        let folder = Folder::new();
        folder.remove(file);
        // A file of arrays is refused with the system's own words.
        let found = match file.ends_with(".json") {
            true => "entity not found",
            false => "No such file or directory (os error 2)",
        };
        assert_eq!(folder.refusal(), format!("DIR/{file}: expected a readable file, found: {found}"));
    }
}

#[test]
fn a_folder_with_nothing_to_run_is_refused() {
    let folder = Folder::new();
    for file in ["ops.json", "cells.json"] {
        folder.edit_json(file, |manifest| manifest["cases"] = json!([]));
    }
    let expected = format!("expected a case of a known kind in {}, found none", folder.path().display());
    assert_eq!(golden::run(folder.path()).unwrap_err().to_string(), expected);
}

#[test]
fn a_manifest_that_does_not_parse_is_refused() {
    let said = |text: &[u8]| {
        let folder = Folder::new();
        folder.write("cells.json", text);
        folder.refusal()
    };
    let json = "DIR/cells.json: expected JSON, found:";
    assert_eq!(said(b""), format!("{json} EOF while parsing a value at line 1 column 0"));
    assert_eq!(said(b"{\"cases\": ["), format!("{json} EOF while parsing a list at line 1 column 11"));
    assert_eq!(said(b"{\"\xff"), format!("{json} EOF while parsing a string at line 1 column 3"));
    let cases = "DIR/cells.json: expected cases to be a list, found";
    assert_eq!(said(b"[]"), format!("{cases} none"));
    assert_eq!(said(b"{\"cases\": {}}"), format!("{cases} an object"));
    assert_eq!(said(b"{\"cases\": [1]}"), "DIR/cells.json: expected case to be a string, found none");
}

#[test]
fn a_field_that_is_not_there_or_not_as_it_should_be_is_refused() {
    let said = |file: &str, case: &str, field: &str, to: Value| {
        let folder = Folder::new();
        folder.set(file, case, field, to);
        folder.refusal()
    };
    let op = |case: &str, field: &str, to: Value| {
        let said = said("ops.json", case, field, to);
        said.strip_prefix(&format!("DIR/ops.json, case {case}: expected ")).expect(&said).to_owned()
    };
    assert_eq!(op("add_1", "op", Value::Null), "op to be a string, found none");
    assert_eq!(op("add_1", "inputs", json!([3, 4])), "inputs to be a list of shapes, found a list");
    assert_eq!(op("add_1", "inputs", json!([[3, 4]])), "2 inputs, found 1");
    assert_eq!(op("add_1", "output", json!([3, -4])), "output to be a list of sizes, found a list");
    assert_eq!(op("sum_5", "axis", Value::Null), "axis to be a size, found none");
    assert_eq!(op("sum_5", "axis", json!(-1)), "axis to be a size, found -1");
    assert_eq!(op("sum_5", "keepdim", json!(1)), "keepdim to be a boolean, found 1");
    let rows = "indices to be a rectangular list of integers, found a list";
    assert_eq!(op("index_select_rows_0", "indices", json!([[1, 2], [3]])), rows);
    assert_eq!(op("index_select_rows_0", "indices", json!([[1, 2.5]])), rows);
    let rows = "indices to be a list of indices, found a list";
    assert_eq!(op("index_select_rows_0", "indices", json!([[-1]])), rows);
    let entropy = |field: &str, to: Value| op("cross_entropy_ignore_0", field, to);
    assert_eq!(entropy("reduction", json!("sum")), "reduction to be \"mean\", found \"sum\"");
    assert_eq!(entropy("ignore_index", json!("x")), "ignore_index to be an integer, found \"x\"");
    assert_eq!(entropy("targets", json!([1, 2])), "targets to be of shape [2, 3], found a list");
    assert_eq!(entropy("targets", json!([[1, 0, 5], [2, -1, 3]])), "targets to be below 5, found a list");

    let cell = |case: &str, field: &str, to: Value| said("cells.json", case, field, to);
    assert_eq!(
        cell("time_rnn_0", "H", Value::Null),
        "DIR/cells.json, case time_rnn_0: expected H to be a size, found none"
    );
    assert_eq!(
        cell("stateful_rnn_0", "windows", json!(0)),
        "DIR/cells.json, case stateful_rnn_0: expected windows to be at least 1, found 0"
    );
    assert_eq!(
        cell("stateful_rnn_0", "windows", json!(4)),
        "DIR/cells.json, case stateful_rnn_0: DIR/cells.safetensors: expected a tensor stateful_rnn_0/xs3, found none"
    );
    let huge = 1_u64 << 40;
    assert_eq!(
        cell("time_rnn_0", "H", json!(huge)),
        "DIR/cells.json, case time_rnn_0: DIR/cells.safetensors: tensor time_rnn_0/h0: \
         expected shape [2, 1099511627776], found [2, 7]"
    );
}

#[test]
fn attributes_that_an_operation_refuses_are_refused() {
    let said = |case: &str, field: &str, to: Value| {
        let folder = Folder::new();
        folder.set("ops.json", case, field, to);
        let said = folder.refusal();
        said.strip_prefix(&format!("DIR/ops.json, case {case}: ")).expect(&said).to_owned()
    };
    assert_eq!(said("softmax_1", "axis", json!(2)), "softmax: expected an axis below 2, found 2 in [3, 4]");
    assert_eq!(
        said("narrow_0", "length", json!(u64::MAX)),
        "narrow: expected start + length within axis 1 of size 4, found 1 + 18446744073709551615 in [2, 4, 3]"
    );
    assert_eq!(
        said("permute_0", "axes", json!([0, 0, 1])),
        "permute: expected each axis of [2, 3, 4] once, found [0, 0, 1]"
    );
    assert_eq!(
        said("reshape_0", "shape", json!([5])),
        "reshape: expected a shape of 24 elements for [2, 3, 4], found [5]"
    );
    assert_eq!(
        said("index_select_rows_0", "indices", json!([5])),
        "gather_rows: expected an index below 5, found 5 at [0] of [1]"
    );
}

#[test]
fn arrays_other_than_the_manifest_says_are_refused() {
    let said = |from: &str, to: &str| {
        let folder = Folder::new();
        folder.edit_header("ops.safetensors", from, to);
        folder.refusal()
    };
    let arrays = "DIR/ops.json, case add_1: DIR/ops.safetensors:";
    assert_eq!(said("add_1/x1", "add_1/x7"), format!("{arrays} expected a tensor add_1/x1, found none"));
    assert_eq!(
        said(r#""add_1/x1":{"dtype":"F64""#, r#""add_1/x1":{"dtype":"I64""#),
        format!("{arrays} tensor add_1/x1: expected dtype F64, found I64")
    );
    assert_eq!(
        said(r#""add_1/dy":{"dtype":"F64","shape":[3,4]"#, r#""add_1/dy":{"dtype":"F64","shape":[4,3]"#),
        format!("{arrays} tensor add_1/dy: expected shape [3, 4], found [4, 3]")
    );
    let folder = Folder::new();
    folder.set("ops.json", "add_1", "output", json!([4, 3]));
    assert_eq!(folder.refusal(), format!("{arrays} tensor add_1/y: expected shape [4, 3], found [3, 4]"));
}

#[test]
fn damaged_arrays_are_refused() {
    let said = |damage: fn(&mut Vec<u8>)| {
        let folder = Folder::new();
        let mut bytes = folder.read("cells.safetensors");
        damage(&mut bytes);
        folder.write("cells.safetensors", bytes);
        let said = folder.refusal();
        said.strip_prefix("DIR/cells.safetensors: expected ").expect(&said).to_owned()
    };
    let whole = fs::read(committed().join("cells.safetensors")).unwrap();
    let header = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize;
    let (data, rest) = (whole.len() - 8 - header, whole.len() - 8);
    let after = format!("{data} bytes of data after the header, found");
    assert_eq!(said(|bytes| bytes.truncate(bytes.len() - 1)), format!("{after} {}", data - 1));
    assert_eq!(said(|bytes| bytes.push(0)), format!("{after} {}", data + 1));
    assert_eq!(
        said(|bytes| bytes.truncate(3)),
        "the length of a header in the first 8 bytes, found 3 bytes in all"
    );
    let length = format!("a header of 18446744073709551615 bytes, found {rest}");
    assert_eq!(said(|bytes| bytes[..8].fill(0xff)), length);
    assert_eq!(said(|bytes| bytes[9] = 0xff), "a header in UTF-8, found an invalid byte at 1");
}
