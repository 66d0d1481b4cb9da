//! Layers over sequences: stacked, in both directions, reversed, with a shortcut, with dropout, with a learned state.

use crate::common::outcome::{Outcome, assert_all_near, assert_same, like, lstm, outcome, pair};
use crate::common::{assert_near, normal, perturb, seeded, tensors};
use rand::rngs::StdRng;
use retrograde_autograd::Tape;
use retrograde_nn::{
    Bidirectional, Cell, Dropout, GruCell, Layer, Module, Noise, Residual, RnnCell, SequenceOptions, Stacked,
    Time, TimeRnn,
};
use retrograde_tensor::Tensor;

/// `[N, T, D, H]`
const SIZES: [[usize; 4]; 4] = [[1, 1, 2, 3], [3, 1, 1, 2], [1, 5, 3, 1], [4, 6, 2, 3]];

#[test]
fn reversed_is_reversed_input() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded(steps as u64);
        let forwards = lstm(d, h, &mut rng);
        let backwards = forwards.clone().reversed(true);
        assert!(backwards.is_reversed() && !forwards.is_reversed());
        let (xs, dhs) = (normal([n, steps, d], 1.0, &mut rng), normal([n, steps, h], 1.0, &mut rng));
        let zeros = forwards.cell.initial_state(n);
        let (initial, dlast) = (pair(&like(&zeros, &mut rng)), like(&zeros, &mut rng));
        let found = outcome(&backwards, &xs, Some(&initial), &SequenceOptions::new(), &dhs, &dlast);
        let mut expected =
            outcome(&forwards, &xs.flip(1), Some(&initial), &SequenceOptions::new(), &dhs.flip(1), &dlast);
        (expected.hs, expected.dxs) = (expected.hs.flip(1), expected.dxs.flip(1));
        assert_same(&found, &expected);
    }
}

#[test]
fn both_directions_are_one_layer_each() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded(8);
        let layer = Bidirectional::<_, f64>::new(GruCell::new(d, h, &mut rng), GruCell::new(d, h, &mut rng));
        perturb(&layer, &mut rng);
        let (xs, dhs) = (normal([n, steps, d], 1.0, &mut rng), normal([n, steps, 2 * h], 1.0, &mut rng));
        let zeros = Tensor::zeros([n, h]);
        let both = like(&(zeros.clone(), zeros), &mut rng);
        let dlast: Vec<Tensor<f64>> = both.iter().map(|h| h * 0.5).collect();
        let found = outcome(&layer, &xs, Some(&pair(&both)), &SequenceOptions::new(), &dhs, &dlast);
        let one = |layer: &Time<GruCell<f64>, f64>, k: usize| {
            let dhs = dhs.narrow(2, k * h, h);
            outcome(layer, &xs, Some(&both[k]), &SequenceOptions::new(), &dhs, &dlast[k..=k])
        };
        let (forward, backward) = (one(&layer.forward, 0), one(&layer.backward, 1));
        let joined = Outcome {
            hs: Tensor::concat(&[&forward.hs, &backward.hs], 2),
            last: [forward.last, backward.last].concat(),
            dxs: forward.dxs + backward.dxs,
            dinitial: [forward.dinitial, backward.dinitial].concat(),
            dparams: [forward.dparams, backward.dparams].concat(),
        };
        assert_same(&found, &joined);
        let paths: Vec<String> = layer.named_params().into_iter().map(|(path, _)| path).collect();
        assert_eq!(paths[..2], ["forward.wx", "forward.wh"]);
        assert_eq!(paths[4..6], ["backward.wx", "backward.wh"]);
    }
}

#[test]
fn stacked_layers_are_called_one_after_the_other() {
    let (n, steps, d, h) = (2, 4, 3, 2);
    let mut rng = seeded(9);
    let layers = vec![lstm(d, h, &mut rng), lstm(h, 5, &mut rng), lstm(5, 1, &mut rng)];
    let mut stacked = Stacked::new(layers.clone()).stateful(true);
    let mut single: Vec<_> = layers.into_iter().map(|layer| layer.stateful(true)).collect();
    for _window in 0..2 {
        let tape = Tape::new();
        let xs = tape.var(normal([n, steps, d], 1.0, &mut rng));
        let dhs = normal([n, steps, 1], 1.0, &mut rng);
        let out = stacked.forward(&xs).unwrap();
        let mut hs = xs.clone();
        for layer in &mut single {
            hs = layer.forward(&hs).unwrap().hs;
        }
        assert_near("hs", out.hs.value(), hs.value(), 1e-13);
        let states: Vec<Tensor<f64>> =
            single.iter().flat_map(|layer| tensors(layer.state().unwrap())).collect();
        assert_all_near("state", &tensors(&stacked.state().unwrap().to_vec()), &states);
        let (found, expected) = (out.hs.backward_with(&dhs).unwrap(), hs.backward_with(&dhs).unwrap());
        assert_near("dxs", found.get(&xs).unwrap(), expected.get(&xs).unwrap(), 1e-12);
        for (path, param) in stacked.named_params() {
            assert_near(&path, found.get(&param).unwrap(), expected.get(&param).unwrap(), 1e-12);
        }
    }
    assert_eq!(stacked.named_params()[3].0, "1.wx");
    stacked.set_state(vec![(Tensor::zeros([n, h]), Tensor::zeros([n, h]))]);
    let tape = Tape::new();
    let error = stacked.forward(&tape.constant(Tensor::zeros([n, steps, d]))).unwrap_err();
    assert_eq!(error.to_string(), "stacked: expected 3 states, found 1");
}

/// A learned initial state gets the sum over the rows of what reaches the state, unless one is given.
#[test]
fn an_initial_state_is_learned() {
    let mut rng = seeded(10);
    let mut layer = lstm(2, 3, &mut rng).learn_initial();
    let paths: Vec<String> = layer.named_params().into_iter().map(|(path, _)| path).collect();
    assert_eq!(paths, ["wx", "wh", "b", "initial.h_prev", "initial.c_prev"]);
    assert_eq!(layer.initial()[1].value(), Tensor::zeros([1, 3]));
    perturb(&layer, &mut rng);
    let xs = normal([4, 5, 2], 1.0, &mut rng);
    let dhs = normal([4, 5, 3], 1.0, &mut rng);
    let tape = Tape::new();
    let out = layer.forward(&tape.constant(xs)).unwrap();
    let grads = out.hs.backward_with(&dhs).unwrap();
    for (param, part) in layer.initial().iter().zip([&out.initial.0, &out.initial.1]) {
        assert_eq!(part.value(), &param.value().broadcast_to([4, 3]));
        let sum = grads.get(part).unwrap().sum_axis(0, true);
        assert_near(param.name(), grads.get(param).unwrap(), &sum, 1e-13);
    }
    layer.set_state(pair(&[Tensor::ones([4, 3]), Tensor::zeros([4, 3])]));
    let out = layer.forward(&tape.constant(Tensor::zeros([4, 5, 2]))).unwrap();
    let grads = out.hs.backward_with(&dhs).unwrap();
    assert!(grads.get(&layer.initial()[0]).is_none());
    assert!(grads.get(&out.initial.0).is_some());
}

#[test]
fn dropout_between_layers_acts_in_training_alone() {
    let mut rng = seeded(11);
    let rnn = |d, h, rng: &mut StdRng| TimeRnn::<f64>::new(RnnCell::new(d, h, rng));
    let layers = vec![rnn(3, 40, &mut rng), rnn(40, 2, &mut rng)];
    let plain = Stacked::new(layers.clone());
    let dropped = Stacked::new(layers).dropout(Dropout::new(0.5).unwrap());
    let xs = normal([2, 3, 3], 1.0, &mut rng);
    let tape = Tape::new();
    let hs = |stacked: &Stacked<TimeRnn<f64>, f64>, noise| {
        let options = SequenceOptions::new().with_noise(noise);
        stacked.run(&tape.constant(xs.clone()), None, &options).unwrap().hs.detach()
    };
    assert_eq!(hs(&dropped, Noise::off()), hs(&plain, Noise::seeded(1)));
    assert_eq!(hs(&dropped, Noise::seeded(1)), hs(&dropped, Noise::seeded(1)));
    assert_ne!(hs(&dropped, Noise::seeded(1)), hs(&dropped, Noise::seeded(2)));
    assert_ne!(hs(&dropped, Noise::seeded(1)), hs(&plain, Noise::off()));
}

#[test]
fn dropout_keeps_the_mean_and_cuts_the_gradient() {
    let tape = Tape::new();
    let x = tape.var(Tensor::<f64>::ones([50, 40, 10]));
    let dropout = Dropout::new(0.2).unwrap();
    let y = dropout.forward(&x, Noise::seeded(3));
    assert!((y.value().mean().item().unwrap() - 1.0).abs() < 0.02);
    let dy = normal([50, 40, 10], 1.0, &mut seeded(12));
    let grads = y.backward_with(&dy).unwrap();
    assert_eq!(grads.get(&x), Some(&(&dy * y.value())));
    let y = Dropout::variational(0.2).unwrap().forward(&x, Noise::seeded(3)).detach();
    assert!((y.mean().item().unwrap() - 1.0).abs() < 0.1);
    assert!((1..40).all(|step| y.select(1, step) == y.select(1, 0)));
    for p in [-0.1, 1.0, f64::NAN] {
        let error = Dropout::new(p).unwrap_err().to_string();
        assert_eq!(error, format!("dropout: expected p to be at least 0 and below 1, found {p}"));
    }
}

#[test]
fn a_shortcut_adds_the_input() {
    let mut rng = seeded(13);
    let inner = lstm(3, 3, &mut rng);
    let xs = normal::<f64>([2, 4, 3], 1.0, &mut rng);
    let dhs = normal([2, 4, 3], 1.0, &mut rng);
    let options = SequenceOptions::new().lengths(&[4, 2]);
    let expected = outcome(&inner, &xs, None, &options, &dhs, &[]);
    let found = outcome(&Residual(inner), &xs, None, &options, &dhs, &[]);
    let mask = Tensor::from_fn([2, 4, 3], |at| if at[0] == 0 || at[1] < 2 { 1.0 } else { 0.0 });
    assert_near("hs", &found.hs, &(&expected.hs + &xs * &mask), 1e-13);
    assert_near("dxs", &found.dxs, &(&expected.dxs + &dhs * &mask), 1e-13);
}

/// The root of a dropped element has an infinite derivative, which the mask cuts off; so it does an infinite input.
#[test]
fn dropout_cuts_off_what_is_infinite() {
    let tape = Tape::new();
    let x = tape.var(Tensor::full([40], 4.0));
    let noise = Noise::seeded(3);
    for dropout in [Dropout::new(0.5).unwrap(), Dropout::new(0.2).unwrap()] {
        let y = dropout.forward(&x, noise);
        let dx = y.sqrt().sum().backward().unwrap().get(&x).unwrap().clone();
        let infinite = dropout.forward(&tape.constant(Tensor::full([40], f64::INFINITY)), noise);
        let dropped = y.value().iter().filter(|&y| y == 0.0).count();
        assert!(dropped > 0 && dropped < 40);
        for i in 0..40 {
            let [y, dx, infinite] = [y.value(), &dx, infinite.value()].map(|x| x.at(&[i]));
            // d √(4 s) / dx = s / (2 √(4 s)) = √s / 4 for what stays, scaled by s.
            let expected = if y == 0.0 { 0.0 } else { (y / 4.0).sqrt() / 4.0 };
            assert!((dx - expected).abs() < 1e-15, "{i}: {dx} and {expected}");
            assert_eq!(infinite, if y == 0.0 { 0.0 } else { f64::INFINITY });
        }
    }
}
