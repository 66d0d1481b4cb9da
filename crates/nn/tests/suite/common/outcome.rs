//! All outputs of a layer, forwards and backwards.

use rand::rngs::StdRng;
use retrograde_autograd::Tape;
use retrograde_nn::{Layer, LstmCell, SequenceOptions, State, TimeLstm};
use retrograde_tensor::{Shape, Tensor};

use super::{assert_near, normal, parts, perturb, tensors};

/// Everything that comes out of a call, and every gradient that goes back, for given cotangents.
pub(crate) struct Outcome {
    pub(crate) hs: Tensor<f64>,
    pub(crate) last: Vec<Tensor<f64>>,
    pub(crate) dxs: Tensor<f64>,
    pub(crate) dinitial: Vec<Tensor<f64>>,
    pub(crate) dparams: Vec<Tensor<f64>>,
}

pub(crate) fn zero_where_absent(gradient: Option<&Tensor<f64>>, shape: Shape) -> Tensor<f64> {
    gradient.cloned().unwrap_or_else(|| Tensor::zeros(shape))
}

pub(crate) fn outcome<L: Layer<f64>>(
    layer: &L,
    xs: &Tensor<f64>,
    given: Option<&L::State>,
    options: &SequenceOptions<f64>,
    dhs: &Tensor<f64>,
    dlast: &[Tensor<f64>],
) -> Outcome {
    let tape = Tape::new();
    let x = tape.var(xs.clone());
    let out = layer.run(&x, given, options).unwrap();
    let last = parts(&out.last);
    let mut outputs = vec![(&out.hs, dhs)];
    outputs.extend(last.iter().zip(dlast));
    let grads = tape.backward(&outputs).unwrap();
    let initial = parts(&out.initial);
    Outcome {
        hs: out.hs.value().clone(),
        last: last.iter().map(|h| h.value().clone()).collect(),
        dxs: zero_where_absent(grads.get(&x), x.shape()),
        dinitial: initial.iter().map(|h| zero_where_absent(grads.get(h), h.shape())).collect(),
        dparams: layer.params().iter().map(|w| zero_where_absent(grads.get(w), w.shape())).collect(),
    }
}

/// Random cotangents of the last state, for a batch of `n`.
pub(crate) fn like<S: State<f64>>(state: &S, rng: &mut StdRng) -> Vec<Tensor<f64>> {
    tensors(state).iter().map(|h| normal(h.shape(), 1.0, rng)).collect()
}

pub(crate) fn pair(parts: &[Tensor<f64>]) -> (Tensor<f64>, Tensor<f64>) {
    (parts[0].clone(), parts[1].clone())
}

pub(crate) fn rows(parts: &[Tensor<f64>], row: usize) -> Vec<Tensor<f64>> {
    parts.iter().map(|part| part.narrow(0, row, 1)).collect()
}

pub(crate) fn assert_all_near(name: &str, found: &[Tensor<f64>], expected: &[Tensor<f64>]) {
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(expected) {
        if expected.numel() == 0 || expected.iter().all(|x| x == 0.0) {
            assert_eq!(found, expected, "{name}");
        } else {
            assert_near(name, found, expected, 1e-12);
        }
    }
}

pub(crate) fn assert_same(found: &Outcome, expected: &Outcome) {
    assert_near("hs", &found.hs, &expected.hs, 1e-12);
    assert_all_near("last", &found.last, &expected.last);
    assert_all_near("dxs", std::slice::from_ref(&found.dxs), std::slice::from_ref(&expected.dxs));
    assert_all_near("dinitial", &found.dinitial, &expected.dinitial);
    assert_all_near("dparams", &found.dparams, &expected.dparams);
}

pub(crate) fn lstm(d: usize, h: usize, rng: &mut StdRng) -> TimeLstm<f64> {
    let lstm = TimeLstm::new(LstmCell::new(d, h, rng));
    perturb(&lstm, rng);
    lstm
}
