//! Peephole LSTM, layer-normalised LSTM, minimal gated unit, layer normalisation and zoneout.

use crate::common::{assert_gradients, assert_near, differences, inner, normal, perturb, seeded};
use retrograde_autograd::{Param, Tape};
use retrograde_nn::{
    Cell, GruCell, Layer, LayerNorm, LayerNormLstmCell, LstmCell, MguCell, Module, Noise, PeepholeLstmCell,
    RnnCell, SequenceOptions, Time,
};
use retrograde_tensor::Tensor;

const SIZES: [[usize; 4]; 4] = [[1, 1, 2, 3], [3, 1, 1, 2], [1, 4, 3, 2], [2, 3, 2, 4]];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `Σ_j row[j] · w[j, k]`
fn product(row: &[f64], w: &Param<f64>, k: usize) -> f64 {
    row.iter().enumerate().map(|(j, x)| x * w.value().at(&[j, k])).sum()
}

/// Of one vector, by its definition.
fn normalised(x: &[f64], norm: &LayerNorm<f64>) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64;
    let y = |(k, x): (usize, &f64)| {
        (x - mean) / (variance + 1e-5).sqrt() * norm.gain.value().at(&[k]) + norm.b.value().at(&[k])
    };
    x.iter().enumerate().map(y).collect()
}

/// One step of a cell on a row, from the row's state.
fn step<C: Cell<f64, State = (Tensor<f64>, Tensor<f64>)>>(
    cell: &C,
    x: &[f64],
    h: &[f64],
    c: &[f64],
) -> [Vec<f64>; 2] {
    let tape = Tape::inference();
    let row = |x: &[f64]| tape.constant(Tensor::from_vec(x.to_vec(), [1, x.len()]).unwrap());
    let (h_next, c_next) = cell.step(&cell.project(&row(x)), &(row(h), row(c)));
    [h_next.value().to_vec(), c_next.value().to_vec()]
}

fn assert_row(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-13), "{found:?} {expected:?}");
}

#[test]
fn peepholes_against_loops() {
    let mut rng = seeded(1);
    let (d, h) = (3, 4);
    let cell = PeepholeLstmCell::<f64>::new(d, h, &mut rng);
    perturb(&cell, &mut rng);
    let [x, h_prev, c_prev] = [d, h, h].map(|size| normal::<f64>([size], 1.0, &mut rng).to_vec());
    let t = |k: usize| product(&h_prev, &cell.wh, k) + product(&x, &cell.wx, k) + cell.b.value().at(&[k]);
    let peep = |p: &Param<f64>, c: &[f64], k: usize| p.value().at(&[k]) * c[k];
    let c_next: Vec<f64> = (0..h)
        .map(|k| {
            let f = sigmoid(t(k) + peep(&cell.pf, &c_prev, k));
            let i = sigmoid(t(2 * h + k) + peep(&cell.pi, &c_prev, k));
            f * c_prev[k] + t(h + k).tanh() * i
        })
        .collect();
    let output = |k: usize| sigmoid(t(3 * h + k) + peep(&cell.po, &c_next, k)) * c_next[k].tanh();
    let h_next: Vec<f64> = (0..h).map(output).collect();
    let [found_h, found_c] = step(&cell, &x, &h_prev, &c_prev);
    assert_row(&found_c, &c_next);
    assert_row(&found_h, &h_next);
}

#[test]
fn without_peepholes_it_is_the_plain_cell() {
    let mut rng = seeded(2);
    let plain = LstmCell::<f64>::new(2, 3, &mut rng);
    let none = ["pf", "pi", "po"].map(|name| Param::new(name, Tensor::zeros([3])));
    let LstmCell { wx, wh, b } = plain.clone();
    let cell = PeepholeLstmCell::from_params(wx, wh, b, none).unwrap();
    let xs = normal([2, 5, 2], 1.0, &mut rng);
    let tape = Tape::inference();
    let xs = tape.constant(xs);
    let found = Time::new(cell).forward(&xs).unwrap().hs.detach();
    assert_near("hs", &found, Time::new(plain).forward(&xs).unwrap().hs.value(), 1e-15);
}

#[test]
fn layer_normalised_lstm_against_loops() {
    let mut rng = seeded(3);
    let (d, h) = (3, 4);
    let cell = LayerNormLstmCell::<f64>::new(d, h, &mut rng);
    perturb(&cell, &mut rng);
    let [x, h_prev, c_prev] = [d, h, h].map(|size| normal::<f64>([size], 1.0, &mut rng).to_vec());
    let from = |row: &[f64], w: &Param<f64>, norm: &LayerNorm<f64>| {
        normalised(&(0..4 * h).map(|k| product(row, w, k)).collect::<Vec<_>>(), norm)
    };
    let (tx, th) = (from(&x, &cell.wx, &cell.norm_x), from(&h_prev, &cell.wh, &cell.norm_h));
    let t: Vec<f64> = tx.iter().zip(&th).map(|(x, h)| x + h).collect();
    let c_next: Vec<f64> =
        (0..h).map(|k| sigmoid(t[k]) * c_prev[k] + t[h + k].tanh() * sigmoid(t[2 * h + k])).collect();
    let normal_c = normalised(&c_next, &cell.norm_c);
    let h_next: Vec<f64> = (0..h).map(|k| sigmoid(t[3 * h + k]) * normal_c[k].tanh()).collect();
    let [found_h, found_c] = step(&cell, &x, &h_prev, &c_prev);
    assert_row(&found_c, &c_next);
    assert_row(&found_h, &h_next);
}

#[test]
fn minimal_gated_unit_against_loops() {
    let mut rng = seeded(4);
    let (d, h) = (3, 4);
    let cell = MguCell::<f64>::new(d, h, &mut rng);
    perturb(&cell, &mut rng);
    let [x, h_prev] = [d, h].map(|size| normal::<f64>([size], 1.0, &mut rng).to_vec());
    let tx = |k: usize| product(&x, &cell.wx, k) + cell.b.value().at(&[k]);
    let f: Vec<f64> = (0..h).map(|k| sigmoid(tx(k) + product(&h_prev, &cell.wh, k))).collect();
    let reset: Vec<f64> = f.iter().zip(&h_prev).map(|(f, h)| f * h).collect();
    let n = |k: usize| (tx(h + k) + product(&reset, &cell.wh, h + k)).tanh();
    let expected: Vec<f64> = (0..h).map(|k| (1.0 - f[k]) * h_prev[k] + f[k] * n(k)).collect();
    let tape = Tape::inference();
    let row = |x: &[f64]| tape.constant(Tensor::from_vec(x.to_vec(), [1, x.len()]).unwrap());
    assert_row(&cell.step(&cell.project(&row(&x)), &row(&h_prev)).value().to_vec(), &expected);
}

#[test]
fn gradients_against_differences() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded((10 * n + steps) as u64);
        assert_gradients(PeepholeLstmCell::new(d, h, &mut rng), n, steps, &mut rng);
        assert_gradients(MguCell::new(d, h, &mut rng), n, steps, &mut rng);
    }
}

/// Of one feature or a state of two, a norm is almost constant: its derivative is what cancellation leaves.
#[test]
fn gradients_of_the_layer_normalised_lstm_against_differences() {
    for [n, steps, d, h] in [[1, 1, 2, 3], [3, 1, 2, 5], [1, 4, 3, 4], [2, 3, 2, 4]] {
        let mut rng = seeded((10 * n + steps) as u64);
        assert_gradients(LayerNormLstmCell::new(d, h, &mut rng), n, steps, &mut rng);
    }
}

#[test]
fn layer_norm_against_its_definition() {
    let mut rng = seeded(5);
    for dims in [[1, 1, 2], [2, 3, 5], [4, 1, 3]] {
        let norm = LayerNorm::<f64>::new(dims[2]);
        perturb(&norm, &mut rng);
        let (x, dy) = (normal::<f64>(dims, 2.0, &mut rng), normal::<f64>(dims, 1.0, &mut rng));
        let tape = Tape::new();
        let input = tape.var(x.clone());
        let y = norm.forward(&input).unwrap();
        for (i, j) in (0..dims[0]).flat_map(|i| (0..dims[1]).map(move |j| (i, j))) {
            let row = |x: &Tensor<f64>| x.select(0, i).select(0, j).to_vec();
            assert_row(&row(y.value()), &normalised(&row(&x), &norm));
        }
        let grads = y.backward_with(&dy).unwrap();
        let value = |x: &Tensor<f64>| {
            inner(&dy, norm.forward(&Tape::inference().constant(x.clone())).unwrap().value())
        };
        assert_near("dx", grads.get(&input).unwrap(), &differences(&x, value), 1e-7);
        for param in norm.params() {
            let kept = param.value();
            let expected = differences(&kept, |w| {
                param.set(w.clone()).unwrap();
                value(&x)
            });
            param.set(kept).unwrap();
            assert_near(param.name(), grads.get(&param).unwrap(), &expected, 1e-8);
        }
    }
    let tape = Tape::new();
    let error = LayerNorm::<f64>::new(3).forward(&tape.constant(Tensor::zeros([2, 4]))).unwrap_err();
    assert_eq!(error.to_string(), "layer_norm: expected x of shape [.., 3], found [2, 4]");
}

/// In evaluation the mean of both values, in training one or the other, as often as it should be.
#[test]
fn zoneout_keeps_elements_of_the_state() {
    let (n, h, p) = (30, 40, [0.2, 0.6]);
    let mut rng = seeded(6);
    let plain = Time::new(LstmCell::<f64>::new(2, h, &mut rng));
    let zoned = plain.clone().zoneout(&[("c", p[1]), ("h", p[0])]).unwrap();
    let initial: (Tensor<f64>, Tensor<f64>) = (normal([n, h], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));
    let xs = normal([n, 1, 2], 1.0, &mut rng);
    let last = |layer: &Time<LstmCell<f64>, f64>, noise| {
        let tape = Tape::inference();
        let options = SequenceOptions::new().with_noise(noise);
        let last = layer.run(&tape.constant(xs.clone()), Some(&initial), &options).unwrap().last;
        [last.0.detach(), last.1.detach()]
    };
    let next = last(&plain, Noise::seeded(1));
    let [mean, drawn] = [Noise::off(), Noise::seeded(1)].map(|noise| last(&zoned, noise));
    assert_eq!(last(&zoned, Noise::seeded(1)), drawn);
    assert_ne!(last(&zoned, Noise::seeded(2)), drawn);
    for (k, prev) in [&initial.0, &initial.1].into_iter().enumerate() {
        assert_near("mean", &mean[k], &(prev * p[k] + &next[k] * (1.0 - p[k])), 1e-14);
        let mut kept = 0;
        for ((drawn, next), prev) in drawn[k].iter().zip(&next[k]).zip(prev) {
            assert!(drawn == next || drawn == prev);
            kept += usize::from(drawn == prev);
        }
        assert!((kept as f64 / (n * h) as f64 - p[k]).abs() < 0.05);
    }
    let text = |p: &[(&str, f64)]| plain.clone().zoneout(p).unwrap_err().to_string();
    assert_eq!(text(&[]), "time: expected zoneout of variables of the state, h, c, found none");
    assert_eq!(
        text(&[("h", 0.1), ("s", 0.1)]),
        "time: expected zoneout of variables of the state, h, c, found s"
    );
    let twice = "time: expected zoneout of variables of the state, h, c, found c twice";
    assert_eq!(text(&[("c", 0.1), ("c", 0.2)]), twice);
    for (p, found) in [(1.0, "1"), (-0.1, "-0.1"), (f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let expected = format!("time: expected zoneout to be at least 0 and below 1, found {found}");
        assert_eq!(text(&[("h", 0.1), ("c", p)]), expected);
    }
}

/// With a mask, a reset, a learned initial state, zoneout and both kinds of GRU: the derivative is that of what is
/// computed.
#[test]
fn gradients_of_everything_at_once() {
    let (n, steps, d, h) = (3, 4, 2, 3);
    let mut rng = seeded(7);
    for after in [false, true] {
        let cell =
            if after { GruCell::<f64>::new(d, h, &mut rng) } else { GruCell::reset_before(d, h, &mut rng) };
        let layer = Time::new(cell).learn_initial().reversed(after).zoneout(&[("h", 0.3)]).unwrap();
        perturb(&layer, &mut rng);
        let resets = Tensor::from_fn([n, steps], |at| if at == [0, 2] || at == [2, 1] { 1.0 } else { 0.0 });
        let options = SequenceOptions::new().lengths(&[4, 2, 3]).resets(resets).with_noise(Noise::seeded(5));
        let (xs, dhs) = (normal::<f64>([n, steps, d], 1.0, &mut rng), normal([n, steps, h], 1.0, &mut rng));
        let hs =
            |tape: &Tape<f64>, xs: Tensor<f64>| layer.run(&tape.var(xs), None, &options).unwrap().hs.detach();
        let value = |xs: &Tensor<f64>| inner(&dhs, &hs(&Tape::inference(), xs.clone()));
        let tape = Tape::new();
        let x = tape.var(xs.clone());
        let grads = { layer.run(&x, None, &options).unwrap().hs.backward_with(&dhs).unwrap() };
        assert_near("dxs", grads.get(&x).unwrap(), &differences(&xs, value), 1e-8);
        for (path, param) in layer.named_params() {
            let kept = param.value();
            let expected = differences(&kept, |w| {
                param.set(w.clone()).unwrap();
                value(&xs)
            });
            param.set(kept).unwrap();
            assert_near(&path, grads.get(&param).unwrap(), &expected, 1e-8);
        }
    }
}

/// The gradient of truncated backpropagation through time is the derivative with the carried state held fixed.
#[test]
fn the_truncated_gradient_is_that_with_the_state_held_fixed() {
    let mut rng = seeded(8);
    let mut rnn = Time::new(RnnCell::<f64>::new(2, 3, &mut rng)).stateful(true);
    perturb(&rnn, &mut rng);
    let windows: [Tensor<f64>; 2] = [(), ()].map(|()| normal([2, 4, 2], 1.0, &mut rng));
    let dhs = normal([2, 4, 3], 1.0, &mut rng);
    let tape = Tape::new();
    rnn.forward(&tape.constant(windows[0].clone())).unwrap();
    let carried = rnn.state().unwrap().clone();
    let out = rnn.forward(&tape.constant(windows[1].clone())).unwrap();
    let grads = out.hs.backward_with(&dhs).unwrap();
    for param in rnn.params() {
        let kept = param.value();
        let expected = differences(&kept, |w| {
            param.set(w.clone()).unwrap();
            let tape = Tape::inference();
            let state = tape.constant(carried.clone());
            inner(
                &dhs,
                rnn.run_from(&tape.constant(windows[1].clone()), state, &SequenceOptions::new())
                    .unwrap()
                    .0
                    .value(),
            )
        });
        param.set(kept).unwrap();
        assert_near(param.name(), grads.get(&param).unwrap(), &expected, 1e-8);
    }
}
