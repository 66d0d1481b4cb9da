//! The printed Rust structs, as committed in `layers/`.

use std::path::{Path, PathBuf};

use retrograde::prelude::*;

use crate::cases::{self, Recorded};
use crate::layers;
use crate::{Named, gradients, same};

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

/// Runs a struct on the numbers of a recording, parameters and inputs in the order of the struct.
macro_rules! compare {
    ($name:ident, [$($param:literal),*], [$($input:literal),*]) => {
        for seed in [1, 2, 3] {
            let case = stringify!($name);
            let (_, record) = cases::ALL.iter().find(|(name, _)| *name == case).unwrap();
            let tape = Tape::new();
            let recorded = record(&tape, seed);
            let (expected, given) = gradients(&tape, &recorded, seed);
            let param = |name: &str| tape.params().iter().find(|param| param.name() == name).unwrap().value();
            let input = |name: &str| {
                let nodes = tape.nodes();
                nodes.into_iter().find(|node| node.label() == name).unwrap().value.unwrap()
            };
            let mut layer = layers::$name::Layer::new($(param($param)),*);
            let hs = layer.forward($(&input($input)),*);
            assert_close!(&hs, recorded.outputs[0].value(), 1e-12, 1e-12);
            let names = [$($param,)* $($input),*].map(|name| format!("d{name}"));
            let found: Named = names.into_iter().zip(layer.backward(&given["dhs"])).collect();
            same(case, &found, &expected);
        }
    };
}

use retrograde_tensor::assert_close;

#[test]
fn the_structs_have_the_gradients_of_the_tape() {
    compare!(rnn, ["Wx", "Wh", "b"], ["xs", "h_prev"]);
    compare!(lstm, ["Wx", "Wh", "b"], ["xs", "h_prev", "c_prev"]);
    compare!(gru, ["Wx", "Wh", "b", "bh"], ["xs", "h_prev"]);
    compare!(gru_before, ["Wx", "Wh", "b"], ["xs", "h_prev"]);
    compare!(mgu, ["Wx", "Wh", "b"], ["xs", "h_prev"]);
    compare!(peephole, ["Wx", "Wh", "b", "pf", "pi", "po"], ["xs", "h_prev", "c_prev"]);
    compare!(janet, ["W", "U", "b"], ["xs", "h_prev"]);
    compare!(reversed, ["Wx", "Wh", "b"], ["xs", "h_prev"]);
}
