//! The gated cells, against loops over their formulas and differences.

use crate::common::{assert_gradients, normal, perturb, seeded};
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Tape};
use retrograde_nn::{GruCell, LstmCell, TimeGru, TimeLstm};
use retrograde_tensor::Tensor;

/// Batch, steps, features, state.
const SIZES: [[usize; 4]; 5] = [[1, 1, 1, 1], [1, 4, 3, 2], [3, 1, 2, 4], [2, 3, 1, 5], [2, 5, 4, 4]];

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// `Σ_j row[j] · w[j, k]`
fn product(row: &[f64], w: &Param<f64>, k: usize) -> f64 {
    row.iter().enumerate().map(|(j, x)| x * w.value().at(&[j, k])).sum()
}

fn row(x: &Tensor<f64>, i: usize, step: usize) -> Vec<f64> {
    x.select(0, i).select(0, step).to_vec()
}

#[test]
fn lstm_against_loops() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded((n + 10 * steps) as u64);
        let mut lstm = TimeLstm::<f64>::new(LstmCell::new(d, h, &mut rng));
        perturb(&lstm, &mut rng);
        let (h0, c0): (Tensor<f64>, Tensor<f64>) =
            (normal([n, h], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));
        let xs = normal::<f64>([n, steps, d], 1.0, &mut rng);
        lstm.set_state((h0.clone(), c0.clone()));
        let tape = Tape::inference();
        let out = lstm.forward(&tape.constant(xs.clone())).unwrap();
        let LstmCell { wx, wh, b } = &lstm.cell;
        for i in 0..n {
            let (mut h_prev, mut c) = (h0.select(0, i).to_vec(), c0.select(0, i).to_vec());
            for step in 0..steps {
                let x = row(&xs, i, step);
                let t = |k: usize| product(&h_prev, wh, k) + product(&x, wx, k) + b.value().at(&[k]);
                let h_next: Vec<f64> = (0..h)
                    .map(|k| {
                        let (f, g) = (sigmoid(t(k)), t(h + k).tanh());
                        let (i, o) = (sigmoid(t(2 * h + k)), sigmoid(t(3 * h + k)));
                        c[k] = f * c[k] + g * i;
                        o * c[k].tanh()
                    })
                    .collect();
                for (k, &expected) in h_next.iter().enumerate() {
                    assert!((out.hs.value().at(&[i, step, k]) - expected).abs() < 1e-13);
                }
                h_prev = h_next;
            }
            for (k, c) in c.iter().enumerate() {
                assert!((out.last.1.value().at(&[i, k]) - c).abs() < 1e-13);
                assert!((out.last.0.value().at(&[i, k]) - h_prev[k]).abs() < 1e-13);
            }
        }
    }
}

fn gru(after: bool, d: usize, h: usize, rng: &mut StdRng) -> GruCell<f64> {
    if after { GruCell::new(d, h, rng) } else { GruCell::reset_before(d, h, rng) }
}

#[test]
fn gru_against_loops() {
    for ([n, steps, d, h], after) in SIZES.into_iter().flat_map(|sizes| [(sizes, true), (sizes, false)]) {
        let mut rng = seeded((n + 10 * steps) as u64);
        let mut layer = TimeGru::new(gru(after, d, h, &mut rng));
        perturb(&layer, &mut rng);
        let (h0, xs) = (normal::<f64>([n, h], 1.0, &mut rng), normal::<f64>([n, steps, d], 1.0, &mut rng));
        layer.set_state(h0.clone());
        let hs = layer.forward(&Tape::inference().constant(xs.clone())).unwrap().hs.detach();
        let GruCell { wx, wh, b, bh } = &layer.cell;
        for i in 0..n {
            let mut h_prev = h0.select(0, i).to_vec();
            for step in 0..steps {
                let x = row(&xs, i, step);
                let tx = |k: usize| product(&x, wx, k) + b.value().at(&[k]);
                let r: Vec<f64> = (0..h).map(|k| sigmoid(tx(k) + product(&h_prev, wh, k))).collect();
                let reset: Vec<f64> = r.iter().zip(&h_prev).map(|(r, h)| r * h).collect();
                let h_next: Vec<f64> = (0..h)
                    .map(|k| {
                        let z = sigmoid(tx(h + k) + product(&h_prev, wh, h + k));
                        let from_state = match bh {
                            Some(bh) => r[k] * (product(&h_prev, wh, 2 * h + k) + bh.value().at(&[k])),
                            None => product(&reset, wh, 2 * h + k),
                        };
                        z * h_prev[k] + (1.0 - z) * (from_state + tx(2 * h + k)).tanh()
                    })
                    .collect();
                for (k, &expected) in h_next.iter().enumerate() {
                    assert!((hs.at(&[i, step, k]) - expected).abs() < 1e-13);
                }
                h_prev = h_next;
            }
        }
    }
}

#[test]
fn gradients_against_differences() {
    for [n, steps, d, h] in SIZES {
        let mut rng = seeded((100 * n + steps) as u64);
        assert_gradients(LstmCell::new(d, h, &mut rng), n, steps, &mut rng);
        assert_gradients(gru(true, d, h, &mut rng), n, steps, &mut rng);
        assert_gradients(gru(false, d, h, &mut rng), n, steps, &mut rng);
    }
}

#[test]
fn weights_whose_shapes_do_not_agree() {
    let cases: [([&[usize]; 3], &str); 6] = [
        ([&[3], &[2, 8], &[8]], "expected Wx of shape [D, 4H], found [3]"),
        ([&[3, 8], &[8], &[8]], "expected Wh of shape [H, 4H], found [8]"),
        ([&[3, 8], &[2, 7], &[8]], "expected Wh of shape [2, 8], found [2, 7]"),
        ([&[3, 4], &[2, 8], &[8]], "expected Wx of shape [3, 8], found [3, 4]"),
        ([&[3, 8], &[2, 8], &[2]], "expected b of shape [8], found [2]"),
        ([&[3, 8], &[2, 8], &[1, 8]], "expected b of shape [8], found [1, 8]"),
    ];
    let zeros = |dims: &[usize]| Tensor::<f64>::zeros(retrograde_tensor::Shape::new(dims).unwrap());
    for (dims, expected) in cases {
        let [wx, wh, b] = dims.map(zeros);
        let error = LstmCell::from_arrays(wx, wh, b).unwrap_err();
        assert_eq!(error.to_string(), format!("lstm_cell: {expected}"));
    }
    let bh =
        GruCell::from_arrays(zeros(&[3, 6]), zeros(&[2, 6]), zeros(&[6]), Some(zeros(&[6]))).unwrap_err();
    assert_eq!(bh.to_string(), "gru_cell: expected bh of shape [2], found [6]");
}
