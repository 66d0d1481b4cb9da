//! Bad input, word by word.

use crate::common::{seeded, weights};
use retrograde_autograd::{Param, Tape};
use retrograde_nn::{
    Adam, Cell, Embedding, Error, Layer, LayerNorm, LayerNormLstmCell, Linear, Optimizer, RnnCell,
    SequenceOptions, Sgd, TimeRnn, clip_grad_norm, cross_entropy, explicit,
};
use retrograde_tensor::{Shape, Tensor};

fn zeros(dims: &[usize]) -> Tensor<f64> {
    Tensor::zeros(Shape::new(dims).unwrap())
}

/// The text of an error.
#[track_caller]
fn text<T>(result: Result<T, Error>) -> String {
    match result {
        Ok(_) => panic!("expected an error"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn weights_whose_shapes_do_not_agree() {
    let cases: [([&[usize]; 3], &str); 6] = [
        ([&[3], &[4, 4], &[4]], "expected Wx of shape [D, H], found [3]"),
        ([&[3, 4, 1], &[4, 4], &[4]], "expected Wx of shape [D, H], found [3, 4, 1]"),
        ([&[3, 4], &[4, 3], &[4]], "expected Wh of shape [4, 4], found [4, 3]"),
        ([&[3, 4], &[4], &[4]], "expected Wh of shape [4, 4], found [4]"),
        ([&[3, 4], &[4, 4], &[3]], "expected b of shape [4], found [3]"),
        ([&[3, 4], &[4, 4], &[1, 4]], "expected b of shape [4], found [1, 4]"),
    ];
    for ([wx, wh, b], expected) in cases {
        let [wx, wh, b] = [wx, wh, b].map(zeros);
        let cell = RnnCell::from_arrays(wx.clone(), wh.clone(), b.clone());
        assert_eq!(text(cell), format!("rnn_cell: {expected}"));
        let rnn = explicit::Rnn::new(wx.clone(), wh.clone(), b.clone());
        assert_eq!(text(rnn), format!("explicit rnn: {expected}"));
        assert_eq!(text(explicit::TimeRnn::new(wx, wh, b)), format!("explicit time_rnn: {expected}"));
    }
    let linear = |w, b| text(Linear::from_arrays(zeros(w), zeros(b)));
    assert_eq!(linear(&[3], &[4]), "linear: expected w of shape [D, V], found [3]");
    assert_eq!(linear(&[3, 4], &[3]), "linear: expected b of shape [4], found [3]");
    let embedding = text(Embedding::from_array(zeros(&[3])));
    assert_eq!(embedding, "embedding: expected w of shape [V, D], found [3]");
}

#[test]
fn norms_that_do_not_fit_the_weights() {
    let cell = |norms: [usize; 3]| {
        let [wx, wh] = [&[3, 8], &[2, 8]].map(|dims| Param::new("w", zeros(dims)));
        LayerNormLstmCell::from_params(wx, wh, norms.map(LayerNorm::new))
    };
    assert_eq!(cell([8, 8, 2]).unwrap().initial_state(5).1.dims(), [5, 2]);
    assert_eq!(text(cell([8, 2, 2])), "layer_norm_lstm_cell: expected norm_h of shape [8], found [2]");
    assert_eq!(text(cell([8, 8, 8])), "layer_norm_lstm_cell: expected norm_c of shape [2], found [8]");
}

#[test]
fn sequences_that_do_not_fit_a_layer() {
    let mut rnn = TimeRnn::<f64>::new(RnnCell::new(3, 4, &mut seeded(1)));
    let tape = Tape::new();
    let mut forward = |dims: &[usize]| text(rnn.forward(&tape.constant(zeros(dims))));
    assert_eq!(forward(&[2, 3]), "time: expected xs of shape [N, T, 3], found [2, 3]");
    assert_eq!(forward(&[2, 5, 4]), "time: expected xs of shape [N, T, 3], found [2, 5, 4]");
    assert_eq!(forward(&[]), "time: expected xs of shape [N, T, 3], found []");
    assert!(tape.len() == 3, "a sequence that was refused left something on the tape");
}

#[test]
fn states_that_do_not_fit_a_layer() {
    let mut rnn = TimeRnn::<f64>::new(RnnCell::new(3, 4, &mut seeded(1)));
    let tape = Tape::new();
    let xs = tape.constant(zeros(&[2, 5, 3]));
    for (dims, found) in
        [(&[3, 4][..], "[3, 4]"), (&[2, 3], "[2, 3]"), (&[2, 1, 4], "[2, 1, 4]"), (&[4], "[4]")]
    {
        rnn.set_state(zeros(dims));
        let expected = format!("time: expected a state of shape [2, 4], found {found}");
        assert_eq!(text(rnn.forward(&xs)), expected);
        assert_eq!(text(rnn.run_from(&xs, tape.var(zeros(dims)), &SequenceOptions::new())), expected);
    }
    let other = Tape::new();
    let foreign = text(rnn.run_from(&xs, other.var(zeros(&[2, 4])), &SequenceOptions::new()));
    assert_eq!(foreign, "time: expected a variable of this tape, found one of another tape");
}

#[test]
fn inputs_that_do_not_fit_linear_and_embedding() {
    let mut rng = seeded(1);
    let tape = Tape::new();
    let linear = Linear::<f64>::new(3, 5, &mut rng);
    let forward = |dims| text(linear.forward(&tape.constant(zeros(dims))));
    assert_eq!(forward(&[2, 4]), "linear: expected x of shape [.., 3], found [2, 4]");
    assert_eq!(forward(&[]), "linear: expected x of shape [.., 3], found []");
    let embedding = Embedding::<f64>::new(5, 3, &mut rng);
    let error = text(embedding.forward(&tape, &Tensor::from([[0, 4], [5, 1]])));
    assert_eq!(error, "gather_rows: expected an index below 5, found 5 at [1, 0] of [2, 2]");
}

#[test]
fn targets_that_do_not_fit_the_logits() {
    let tape = Tape::new();
    let loss = |dims, targets: Tensor<usize>| text(cross_entropy(&tape.constant(zeros(dims)), &targets));
    let zero = |dims: &[usize]| Tensor::zeros(Shape::new(dims).unwrap());
    assert_eq!(loss(&[], zero(&[])), "cross_entropy: expected logits of shape [.., V], found []");
    let (wide, long) = (loss(&[2, 3, 5], zero(&[2, 4])), loss(&[2, 5], zero(&[2, 5])));
    assert_eq!(wide, "cross_entropy: expected targets of shape [2, 3], found [2, 4]");
    assert_eq!(long, "cross_entropy: expected targets of shape [2], found [2, 5]");
    assert_eq!(loss(&[0, 3, 5], zero(&[0, 3])), "cross_entropy: expected at least one target, found [0, 3]");
    let large = loss(&[2, 3, 5], Tensor::from([[0, 1, 2], [4, 5, 9]]));
    assert_eq!(large, "cross_entropy: expected targets below 5, found 5 at [1, 1]");
    let last = loss(&[2, 3, 5], Tensor::from([[0, 1, 2], [4, 3, 9]]));
    assert_eq!(last, "cross_entropy: expected targets below 5, found 9 at [1, 2]");
    assert_eq!(loss(&[5], Tensor::scalar(7)), "cross_entropy: expected targets below 5, found 7 at []");
    assert_eq!(loss(&[2, 0], zero(&[2])), "cross_entropy: expected targets below 0, found 0 at [0]");
}

#[test]
fn explicit_layers_given_what_does_not_fit() {
    let [wx, wh, b] = weights::<f64>(3, 4, &mut seeded(1));
    let mut rnn = explicit::Rnn::new(wx.clone(), wh.clone(), b.clone()).unwrap();
    let none = "explicit rnn: expected a forward pass before the backward pass, found none";
    assert_eq!(text(rnn.backward(&zeros(&[2, 4]))), none);
    let x = text(rnn.forward(&zeros(&[2, 5]), &zeros(&[2, 4])));
    assert_eq!(x, "explicit rnn: expected x of shape [N, 3], found [2, 5]");
    let h_prev = text(rnn.forward(&zeros(&[2, 3]), &zeros(&[1, 4])));
    assert_eq!(h_prev, "explicit rnn: expected h_prev of shape [2, 4], found [1, 4]");
    rnn.forward(&zeros(&[2, 3]), &zeros(&[2, 4])).unwrap();
    let dh_next = text(rnn.backward(&zeros(&[4, 2])));
    assert_eq!(dh_next, "explicit rnn: expected dh_next of shape [2, 4], found [4, 2]");
    rnn.wh = zeros(&[4, 5]);
    let changed = "explicit rnn: expected Wh of shape [4, 4], found [4, 5]";
    assert_eq!(text(rnn.forward(&zeros(&[2, 3]), &zeros(&[2, 4]))), changed);
    assert_eq!(text(rnn.backward(&zeros(&[2, 4]))), changed);
    (rnn.wx, rnn.wh) = (zeros(&[5, 4]), zeros(&[4, 4]));
    let wider = text(rnn.backward(&zeros(&[2, 4])));
    assert_eq!(wider, "explicit rnn: expected x of shape [N, 5], found [2, 3]");

    let mut rnn = explicit::TimeRnn::new(wx, wh, b).unwrap();
    let none = "explicit time_rnn: expected a forward pass before the backward pass, found none";
    assert_eq!(text(rnn.backward(&zeros(&[2, 5, 4]))), none);
    let xs = text(rnn.forward(&zeros(&[2, 3])));
    assert_eq!(xs, "explicit time_rnn: expected xs of shape [N, T, 3], found [2, 3]");
    rnn.set_state(zeros(&[1, 4]));
    let h = text(rnn.forward(&zeros(&[2, 5, 3])));
    assert_eq!(h, "explicit time_rnn: expected h of shape [2, 4], found [1, 4]");
    rnn.reset_state();
    rnn.forward(&zeros(&[2, 5, 3])).unwrap();
    let dhs = text(rnn.backward(&zeros(&[2, 4, 5])));
    assert_eq!(dhs, "explicit time_rnn: expected dhs of shape [2, 5, 4], found [2, 4, 5]");
    let dh_last = text(rnn.backward_with_last(&zeros(&[2, 5, 4]), &zeros(&[4, 2])));
    assert_eq!(dh_last, "explicit time_rnn: expected dh_last of shape [2, 4], found [4, 2]");
    rnn.wx = zeros(&[5, 4]);
    let wider = text(rnn.backward(&zeros(&[2, 5, 4])));
    assert_eq!(wider, "explicit time_rnn: expected Wx of shape [3, 4], found [5, 4]");
    rnn.wh = Tensor::scalar(0.0);
    let scalar = text(rnn.backward(&zeros(&[2, 5, 4])));
    assert_eq!(scalar, "explicit time_rnn: expected Wh of shape [4, 4], found []");
}

#[test]
fn settings_out_of_range() {
    let w = Param::new("w", Tensor::from([1.0_f64]));
    let tape = Tape::new();
    let mut grads = tape.param(&w).square().sum().backward().unwrap();
    let sgd = |lr| text(Sgd::new(lr).step(&tape.param(&w).sum().backward().unwrap()));
    assert_eq!(sgd(-0.5), "sgd: expected lr to be finite and at least 0, found -0.5");
    assert_eq!(sgd(f64::NAN), "sgd: expected lr to be finite and at least 0, found NaN");
    let adam = |change: fn(&mut Adam<f64>)| {
        let mut adam = Adam::new(0.1);
        change(&mut adam);
        text(adam.step(&grads))
    };
    let lr = adam(|adam| adam.lr = f64::INFINITY);
    assert_eq!(lr, "adam: expected lr to be finite and at least 0, found inf");
    let eps = adam(|adam| adam.eps = -1.0);
    assert_eq!(eps, "adam: expected eps to be finite and at least 0, found -1");
    let first = adam(|adam| adam.betas.0 = 1.0);
    assert_eq!(first, "adam: expected betas.0 to be at least 0 and below 1, found 1");
    let second = adam(|adam| adam.betas.1 = f64::NAN);
    assert_eq!(second, "adam: expected betas.1 to be at least 0 and below 1, found NaN");
    assert_eq!(w.value(), Tensor::from([1.0]));

    let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| clip_grad_norm(&mut grads, -1.0)));
    let message = *panic.unwrap_err().downcast::<String>().unwrap();
    assert_eq!(message, "clip_grad_norm: expected max_norm to be at least 0, found -1");
}
