//! Fine-tuning with one bias where PyTorch has two.

use crate::common::{normal, relative, seeded};
use crate::torch::random;
use retrograde_autograd::Tape;
use retrograde_nn::{Adam, AdamW, Group, Layer, Optimizer, SequenceOptions, Sgd, Stacked, TimeRnn};
use retrograde_tensor::Tensor;

/// A recurrent cell with two biases by loops over numbers, `h_t = tanh(Wx x_t + b1 + Wh h_{t-1} + b2)` in PyTorch's
/// layout, and the gradients of `Σ g_t h_t` by hand.
struct TwoBiases {
    w_ih: Vec<Vec<f64>>,
    w_hh: Vec<Vec<f64>>,
    b: [Vec<f64>; 2],
}

impl TwoBiases {
    /// The gradients of both weights and of either bias.
    fn gradients(&self, xs: &[Vec<f64>], g: &[Vec<f64>]) -> (Vec<Vec<f64>>, Vec<Vec<f64>>, Vec<f64>) {
        let (d, h) = (xs[0].len(), self.b[0].len());
        let mut hs = vec![vec![0.0; h]];
        for x in xs {
            let last = &hs[hs.len() - 1];
            let next = (0..h).map(|j| {
                let from_x: f64 = (0..d).map(|k| self.w_ih[j][k] * x[k]).sum();
                let from_h: f64 = (0..h).map(|k| self.w_hh[j][k] * last[k]).sum();
                (from_x + self.b[0][j] + from_h + self.b[1][j]).tanh()
            });
            hs.push(next.collect());
        }
        let (mut dw_ih, mut dw_hh, mut db) = (vec![vec![0.0; d]; h], vec![vec![0.0; h]; h], vec![0.0; h]);
        let mut dh = vec![0.0; h];
        for t in (0..xs.len()).rev() {
            let dt: Vec<f64> = (0..h).map(|j| (dh[j] + g[t][j]) * (1.0 - hs[t + 1][j].powi(2))).collect();
            for j in 0..h {
                (0..d).for_each(|k| dw_ih[j][k] += dt[j] * xs[t][k]);
                (0..h).for_each(|k| dw_hh[j][k] += dt[j] * hs[t][k]);
                db[j] += dt[j];
            }
            dh = (0..h).map(|k| (0..h).map(|j| dt[j] * self.w_hh[j][k]).sum()).collect();
        }
        (dw_ih, dw_hh, db)
    }
}

/// One bias at twice the learning rate moves as PyTorch's two do together; at the same rate it does not.
#[test]
fn fine_tuning_with_one_bias_for_two() {
    let (d, h, steps) = (2, 3, 4);
    // PyTorch's update of a number: `state` is its momentum, or the two moments and the time.
    type Update = fn(&mut f64, g: f64, state: &mut [f64; 3]);
    let sgd: Update = |w, g, state| {
        state[0] = 0.9 * state[0] + g + 0.02 * *w;
        *w -= 0.1 * state[0];
    };
    let adam: Update = |w, g, state| {
        state[2] += 1.0;
        state[0] = 0.9 * state[0] + 0.1 * g;
        state[1] = 0.999 * state[1] + 0.001 * g * g;
        let (m, v) = (state[0] / (1.0 - 0.9_f64.powf(state[2])), state[1] / (1.0 - 0.999_f64.powf(state[2])));
        *w -= 0.1 * m / (v.sqrt() + 1e-8);
    };
    let adam_w: Update = |w, g, state| {
        *w -= 0.1 * 0.02 * *w;
        state[2] += 1.0;
        state[0] = 0.9 * state[0] + 0.1 * g;
        state[1] = 0.999 * state[1] + 0.001 * g * g;
        let (m, v) = (state[0] / (1.0 - 0.9_f64.powf(state[2])), state[1] / (1.0 - 0.999_f64.powf(state[2])));
        *w -= 0.1 * m / (v.sqrt() + 1e-8);
    };
    type New = fn() -> Box<dyn Optimizer<f64>>;
    let cases: [(Update, New, f64); 3] = [
        (sgd, || Box::new(Sgd::new(0.1).momentum(0.9).weight_decay(0.02)), 0.01),
        (adam, || Box::new(Adam::new(0.1)), 0.0),
        (
            adam_w,
            || {
                let mut adam = AdamW::new(0.1);
                adam.weight_decay = 0.02;
                Box::new(adam)
            },
            0.01,
        ),
    ];
    for (update, new, decay) in cases {
        for scale in [2.0, 1.0] {
            let dict = random::<TimeRnn<f64>>("", d, h, 1, 13);
            let rows = |name: &str| -> Vec<Vec<f64>> {
                let x = &dict[name];
                (0..x.dims()[0]).map(|i| x.select(0, i).to_vec()).collect()
            };
            let b = ["bias_ih_l0", "bias_hh_l0"].map(|name| dict[name].to_vec());
            let mut two = TwoBiases { w_ih: rows("weight_ih_l0"), w_hh: rows("weight_hh_l0"), b };
            let one = Stacked::<TimeRnn<f64>, f64>::from_torch(&dict, "").unwrap();
            let mut optimizer = new();
            let biases = one.layers.iter().map(|layer| layer.cell.b.clone());
            optimizer.add_group(Group::new(biases).lr_scale(scale).weight_decay(decay)).unwrap();
            let mut states = vec![[0.0; 3]; h * d + h * h + 2 * h];
            let mut rng = seeded(14);
            for _ in 0..6 {
                let (xs, g) =
                    (normal::<f64>([1, steps, d], 1.0, &mut rng), normal([1, steps, h], 1.0, &mut rng));
                let tape = Tape::new();
                let hs = one.run(&tape.constant(xs.clone()), None, &SequenceOptions::new()).unwrap().hs;
                optimizer.step(&hs.backward_with(&g).unwrap()).unwrap();

                let rows = |x: &Tensor<f64>| -> Vec<Vec<f64>> {
                    (0..steps).map(|t| x.select(0, 0).select(0, t).to_vec()).collect()
                };
                let (dw_ih, dw_hh, db) = two.gradients(&rows(&xs), &rows(&g));
                let mut states = states.iter_mut();
                let mut step = |w: &mut [f64], g: &[f64]| {
                    w.iter_mut().zip(g).for_each(|(w, &g)| update(w, g, states.next().unwrap()));
                };
                two.w_ih.iter_mut().zip(&dw_ih).for_each(|(w, g)| step(w, g));
                two.w_hh.iter_mut().zip(&dw_hh).for_each(|(w, g)| step(w, g));
                two.b.iter_mut().for_each(|b| step(b, &db));
            }
            let cell = &one.layers[0].cell;
            let sum = Tensor::from_fn([h], |j| two.b[0][j[0]] + two.b[1][j[0]]);
            let w_ih = Tensor::from_fn([h, d], |i| two.w_ih[i[0]][i[1]]);
            let w_hh = Tensor::from_fn([h, h], |i| two.w_hh[i[0]][i[1]]);
            let differences = [
                relative(&cell.b.value(), &sum),
                relative(&cell.wx.value().t(), &w_ih),
                relative(&cell.wh.value().t(), &w_hh),
            ];
            let close = differences.iter().all(|&difference| difference < 1e-12);
            assert_eq!(close, scale == 2.0, "{scale}, {}: {differences:?}", optimizer.name());
        }
    }
}
