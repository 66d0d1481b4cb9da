//! The printed Rust structs, as committed in `layers/`.

use std::path::{Path, PathBuf};

use retrograde::prelude::*;
use retrograde_tensor::assert_close;

use crate::cases::{self, Recorded};
use crate::layers;
use crate::{Named, gradients, labels, same};

/// The struct of a recording, in a file of its name.
fn printed(tape: &Tape<f64>, recorded: &Recorded<'_>) -> String {
    tape.derivation(&recorded.outputs.iter().collect::<Vec<_>>()).unwrap().rust("Layer").unwrap()
}

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("derivation/layers/{name}.rs"))
}

/// `cargo test -p retrograde-tests --test derivation -- --ignored` writes the files again.
#[test]
#[ignore = "writes the files that the other test compares with"]
fn write_the_structs() {
    for (name, record) in cases::ALL {
        let tape = Tape::new();
        let recorded = record(&tape, 1);
        std::fs::write(file(name), printed(&tape, &recorded)).unwrap();
    }
    let modules: String = cases::ALL.iter().map(|(name, _)| format!("pub mod {name};\n")).collect();
    std::fs::write(file("mod"), format!("//! Layers as derivations print them.\n\n{modules}")).unwrap();
}

#[test]
fn the_structs_are_printed_again() {
    for (name, record) in cases::ALL {
        let tape = Tape::new();
        let recorded = record(&tape, 1);
        assert_eq!(std::fs::read_to_string(file(name)).unwrap(), printed(&tape, &recorded), "{name}");
    }
}

/// The value of the node of this label.
fn value(tape: &Tape<f64>, name: &str) -> Tensor<f64> {
    let id = labels(tape).iter().position(|label| label == name).unwrap_or_else(|| panic!("no node {name}"));
    tape.nodes()[id].value.clone().unwrap()
}

/// Runs `test` on recordings of a case with several seeds, of two sizes: the struct was printed from one of them.
fn each(case: &str, test: impl Fn(&Tape<f64>, &Recorded<'_>, &Named, Named)) {
    let (_, record) = cases::ALL.iter().find(|(name, _)| *name == case).unwrap();
    for seed in [1, 2, 3, cases::OTHER_SIZES + 4] {
        let tape = Tape::new();
        let recorded = record(&tape, seed);
        let (expected, given) = gradients(&tape, &recorded, seed);
        test(&tape, &recorded, &expected, given);
    }
}

/// Runs a struct of one output, parameters and inputs in its order.
macro_rules! compare {
    ($name:ident, [$($param:literal),*], [$($input:literal),*]) => {
        each(stringify!($name), |tape, recorded, expected, given| {
            let mut layer = layers::$name::Layer::new($(value(tape, $param)),*);
            let hs = layer.forward($(&value(tape, $input)),*);
            assert_close!(&hs, recorded.outputs[0].value(), 1e-12, 1e-12);
            let names = [$($param,)* $($input),*].map(|name| format!("d{name}"));
            let found: Named = names.into_iter().zip(layer.backward(&given["dhs"])).collect();
            same(stringify!($name), &found, expected);
        });
    };
}

#[test]
fn the_structs_have_the_gradients_of_the_tape() {
    compare!(rnn, ["Wx", "Wh", "b"], ["xs", "h_prev"]);
    compare!(lstm, ["Wx", "Wh", "b"], ["xs", "h_prev", "c_prev"]);
    compare!(gru, ["Wx", "Wh", "b", "bh"], ["xs", "h_prev"]);
    compare!(gru_before, ["Wx", "Wh", "b"], ["xs", "h_prev"]);
    compare!(mgu, ["Wx", "Wh", "b"], ["xs", "h_prev"]);
    compare!(peephole, ["Wx", "Wh", "b", "pf", "pi", "po"], ["xs", "h_prev", "c_prev"]);
    compare!(
        layer_norm,
        [
            "Wx",
            "Wh",
            "layer_norm.gain",
            "layer_norm.b",
            "layer_norm.gain'",
            "layer_norm.b'",
            "layer_norm.gain'2",
            "layer_norm.b'2"
        ],
        ["xs", "h_prev", "c_prev"]
    );
    compare!(janet, ["W", "U", "b"], ["xs", "h_prev"]);
    compare!(reversed, ["Wx", "Wh", "b"], ["xs", "h_prev"]);
    compare!(recomputed, ["Wx", "Wh", "b"], ["xs", "h_prev", "c_prev"]);
    compare!(learned, ["initial.h_prev", "Wx", "Wh", "b", "bh"], ["xs"]);
}

/// A struct of two outputs.
#[test]
fn the_struct_of_the_textbook_has_the_gradients_of_the_tape() {
    each("textbook", |tape, recorded, expected, given| {
        let of = |name: &str| value(tape, name);
        let mut layer = layers::textbook::Layer::new(of("Wh"), of("Wx"), of("b"));
        let found = layer.forward(&of("xs"), &of("h_prev"));
        for (found, expected) in found.iter().zip(&recorded.outputs) {
            assert_close!(found, expected.value(), 1e-12, 1e-12);
        }
        let dh = &given[&format!("dh_{}", of("xs").dims()[1] - 1)];
        let names = ["dWh", "dWx", "db", "dxs", "dh_prev"].map(str::to_owned);
        let found = names.into_iter().zip(layer.backward(&given["dhs"], dh)).collect();
        same("textbook", &found, expected);
    });
}

/// A struct whose inputs are lists with an item for each step.
#[test]
fn the_struct_of_inputs_of_each_step_has_the_gradients_of_the_tape() {
    each("of_each_step", |tape, recorded, expected, given| {
        let of = |name: &str| value(tape, name);
        let steps = labels(tape).iter().filter(|label| label.starts_with("x_")).count();
        let of_each = |name: &str| (0..steps).map(|t| of(&format!("{name}_{t}"))).collect::<Vec<_>>();
        let mut layer = layers::of_each_step::Layer::new(of("Wh"));
        let s = layer.forward(&of("h_prev"), &of("s_prev"), &of_each("x"), &of_each("keep"));
        assert_close!(&s, recorded.outputs[0].value(), 1e-12, 1e-12);
        let [dwh, dh_prev, ds_prev, dxs] = layer.backward(&given[&format!("ds_{}", steps - 1)]);
        let names = ["dWh", "dh_prev", "ds_prev"].map(str::to_owned);
        let mut found: Named = names.into_iter().zip([dwh, dh_prev, ds_prev]).collect();
        found.extend((0..steps).map(|t| (format!("dx_{t}"), dxs.select(0, t))));
        same("of_each_step", &found, expected);
    });
}
