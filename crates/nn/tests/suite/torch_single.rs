//! Cells by themselves and layers without time, from PyTorch and back.

use crate::common::{normal, seeded};
use retrograde_autograd::Tape;
use retrograde_nn::torch::StateDict;
use retrograde_nn::{
    Embedding, GruCell, Layer, LayerNorm, Linear, LstmCell, Module, RnnCell, SequenceOptions, Stacked, Time,
    TimeGru, TimeLstm, TimeRnn,
};
use retrograde_tensor::{Shape, Tensor, assert_close};

fn dict(prefix: &str, entries: &[(&str, &[usize])], seed: u64) -> StateDict<f64> {
    let rng = &mut seeded(seed);
    let entry = |(name, dims): &(&str, &[usize])| {
        (format!("{prefix}{name}"), normal(Shape::new(dims).unwrap(), 0.5, rng))
    };
    entries.iter().map(entry).collect()
}

fn text<T>(result: retrograde_nn::Result<T>) -> String {
    result.err().unwrap().to_string()
}

/// A cell is the layer of one cell, whose conversion is held to PyTorch's own numbers.
macro_rules! as_the_layer {
    ($cell:ident, $layer:ident, $gates:literal) => {
        for (seed, (d, h)) in [(3, 2), (1, 1), (2, 5)].into_iter().enumerate() {
            let shapes: [(&str, &[usize]); 4] = [
                ("weight_ih", &[$gates * h, d]),
                ("weight_hh", &[$gates * h, h]),
                ("bias_ih", &[$gates * h]),
                ("bias_hh", &[$gates * h]),
            ];
            let mut all = dict("cell.", &shapes, seed as u64);
            let layered: StateDict<f64> =
                all.iter().map(|(name, x)| (name.replace("cell.", "rnn.") + "_l0", x.clone())).collect();
            all.insert("cell.inner.weight".into(), Tensor::ones([1])); // of another module
            all.insert("head.weight".into(), Tensor::ones([1]));
            let cell = $cell::from_torch(&all, "cell.").unwrap();
            let layer = Stacked::<$layer<f64>, f64>::from_torch(&layered, "rnn.").unwrap();
            let xs: Tensor<f64> = normal([2, 3, d], 1.0, &mut seeded(9));
            let run = |layer: &$layer<f64>| {
                let tape = Tape::inference();
                layer
                    .run(&tape.constant(xs.clone()), None, &SequenceOptions::new())
                    .unwrap()
                    .hs
                    .value()
                    .clone()
            };
            let back = cell.to_torch("cell.").unwrap();
            let again = $cell::from_torch(&back, "cell.").unwrap();
            let hs = run(&layer.layers[0]);
            assert_eq!(run(&Time::new(cell)), hs);
            assert_close!(run(&Time::new(again)), hs, 1e-12, 1e-14);
            assert_eq!(
                back.keys().collect::<Vec<_>>(),
                ["cell.bias_hh", "cell.bias_ih", "cell.weight_hh", "cell.weight_ih"]
            );
            // Without biases.
            let bare = all
                .iter()
                .filter(|(name, _)| !name.contains("bias"))
                .map(|(name, x)| (name.clone(), x.clone()));
            assert!($cell::from_torch(&bare.collect(), "cell.").unwrap().b.value().iter().all(|b| b == 0.0));
            for (name, _) in shapes {
                let mut less = all.clone();
                less.remove(&format!("cell.{name}"));
                assert_eq!(
                    text($cell::from_torch(&less, "cell.")),
                    format!("cell.*: torch: expected an entry cell.{name}, found none")
                );
                let mut other = all.clone();
                other.insert(format!("cell.{name}"), Tensor::zeros([7, 7, 7]));
                assert!(text($cell::from_torch(&other, "cell.")).starts_with("cell.*: torch: expected "));
            }
            let mut more = all.clone();
            more.insert("cell.weight_ih_l0".into(), Tensor::zeros([1]));
            assert_eq!(
                text($cell::from_torch(&more, "cell.")),
                "torch: expected no entry cell.weight_ih_l0, found one"
            );
        }
    };
}

#[test]
fn cells() {
    as_the_layer!(RnnCell, TimeRnn, 1);
    as_the_layer!(LstmCell, TimeLstm, 4);
    as_the_layer!(GruCell, TimeGru, 3);
    let before =
        GruCell::<f64>::from_arrays(Tensor::zeros([1, 3]), Tensor::zeros([1, 3]), Tensor::zeros([3]), None);
    assert!(text(before.unwrap().to_torch("")).contains("one that resets before"));
}

#[test]
fn a_linear_map() {
    let all = dict("head.", &[("weight", &[4, 3]), ("bias", &[4])], 1);
    let linear = Linear::from_torch(&all, "head.").unwrap();
    assert_eq!(linear.to_torch("head."), all);
    let x: Tensor<f64> = normal([5, 3], 1.0, &mut seeded(2));
    let tape = Tape::inference();
    let y = linear.forward(&tape.constant(x.clone())).unwrap();
    // y = x Wᵀ + b, as the documentation of torch.nn.Linear has it.
    for row in 0..5 {
        for v in 0..4 {
            let sum: f64 = (0..3).map(|d| x.at(&[row, d]) * all["head.weight"].at(&[v, d])).sum();
            assert!((y.value().at(&[row, v]) - sum - all["head.bias"].at(&[v])).abs() < 1e-12);
        }
    }
    let bare = dict("", &[("weight", &[4, 3])], 1);
    assert_eq!(Linear::from_torch(&bare, "").unwrap().b.value(), Tensor::zeros([4]));
    assert_eq!(text(Linear::from_torch(&bare, "x.")), "torch: expected an entry x.weight, found none");
    let flat = dict("", &[("weight", &[4])], 1);
    assert_eq!(text(Linear::from_torch(&flat, "")), "*: torch: expected weight of shape [V, D], found [4]");
    let short = dict("l.", &[("weight", &[4, 3]), ("bias", &[3])], 1);
    assert_eq!(text(Linear::from_torch(&short, "l.")), "l.*: torch: expected bias of shape [4], found [3]");
    let more = dict("l.", &[("weight", &[4, 3]), ("weight_g", &[3])], 1);
    assert_eq!(text(Linear::from_torch(&more, "l.")), "torch: expected no entry l.weight_g, found one");
}

#[test]
fn an_embedding_and_a_norm() {
    let all = dict("e.", &[("weight", &[4, 3])], 1);
    let embedding = Embedding::from_torch(&all, "e.").unwrap();
    assert_eq!((embedding.w.value(), embedding.to_torch("e.")), (all["e.weight"].clone(), all));
    let flat = dict("e.", &[("weight", &[4])], 1);
    assert_eq!(
        text(Embedding::from_torch(&flat, "e.")),
        "e.*: embedding: expected w of shape [V, D], found [4]"
    );
    assert!(Embedding::<f64>::from_torch(&StateDict::new(), "e.").is_err());

    let all = dict("n.", &[("weight", &[3]), ("bias", &[3])], 2);
    let norm = LayerNorm::from_torch(&all, "n.", 3).unwrap();
    assert_eq!((norm.gain.value(), norm.to_torch("n.")), (all["n.weight"].clone(), all.clone()));
    assert_eq!(norm.param_count(), 6);
    assert_eq!(
        text(LayerNorm::from_torch(&all, "n.", 4)),
        "n.*: torch: expected weight of shape [4], found [3]"
    );
    let plain = LayerNorm::<f64>::from_torch(&StateDict::new(), "n.", 2).unwrap();
    assert_eq!((plain.gain.value(), plain.b.value()), (Tensor::ones([2]), Tensor::zeros([2])));
}
