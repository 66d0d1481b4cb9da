//! A forecaster of a noisy sine, trained by a backward pass by hand.

use std::fmt;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::tensor::Tensor;

use crate::table::Backward;

/// The examples of a batch, the steps of a window, the units, the batches, and the learning rate.
const N: usize = 20;
const STEPS: usize = 25;
const H: usize = 16;
const BATCHES: usize = 400;
const RATE: f64 = 0.05;

/// The outcome of a training.
pub(crate) struct Training {
    clip: f64,
    /// The mean squared error of the first batch, and of the last ten.
    pub(crate) first: f64,
    pub(crate) last: f64,
    /// The largest move of an element of `Wh`.
    pub(crate) moved: f64,
}

/// Trains with gradients clipped to a norm: the state is carried from window to window, the gradient is cut there.
pub(crate) fn train(backward: Backward, clip: f64) -> Training {
    let mut rng = StdRng::seed_from_u64(2);
    let mut normal = |shape: &[usize], std: f64| {
        Tensor::<f64>::normal(shape, 0.0, std, &mut rng).expect("a finite standard deviation")
    };
    let noise = normal(&[4000], 0.15).to_vec();
    let wave: Vec<f64> = noise.iter().enumerate().map(|(i, noise)| (i as f64 * 0.25).sin() + noise).collect();
    let root = (H as f64).sqrt();
    // Wx, Wh, b of the layer; W, b of the line that reads its states.
    let mut weights = [
        normal(&[1, H], 1.0),
        normal(&[H, H], 0.9 / root),
        Tensor::zeros([H]),
        normal(&[H, 1], 1.0 / root),
        Tensor::zeros([1]),
    ];
    let before = weights[1].clone();
    let (mut state, mut errors) = (Tensor::zeros([N, H]), Vec::new());
    for batch in 0..BATCHES {
        let window = |ahead: usize| {
            let at = |k: usize| wave[(k / STEPS * 190 + batch * STEPS) % 3900 + k % STEPS + ahead];
            Tensor::from_vec((0..N * STEPS).map(at).collect::<Vec<_>>(), [N, STEPS, 1]).expect("N rows of T")
        };
        let (xs, targets) = (window(0), window(1));
        let mut h = vec![state];
        for t in 0..STEPS {
            let x = xs.select(1, t);
            h.push((h[t].matmul(&weights[1]) + x.matmul(&weights[0]) + &weights[2]).tanh());
        }
        state = h[STEPS].clone();
        let hs = Tensor::stack(&h[1..].iter().collect::<Vec<_>>(), 1); // [N, T, H]
        let error = hs.matmul(&weights[3]) + &weights[4] - targets; // [N, T, 1]
        errors.push(error.square().mean().to_vec()[0]);

        let dys = error * (2.0 / (N * STEPS) as f64);
        let rows = |x: &Tensor<f64>, columns: usize| x.reshape([N * STEPS, columns]);
        let inputs = [("xs", xs), ("h", Tensor::stack(&h.iter().collect::<Vec<_>>(), 1))];
        let names = ["Wx", "Wh", "b"].into_iter().zip(weights.iter().cloned());
        let dhs = dys.matmul(&weights[3].t());
        let layer = backward(&inputs.into_iter().chain(names).collect(), &[("hs", dhs)].into());
        let [dwx, dwh, db] = ["Wx", "Wh", "b"].map(|name| layer[name].clone());
        let grads = [dwx, dwh, db, rows(&hs, H).t().matmul(&rows(&dys, 1)), rows(&dys, 1).sum_to([1])];
        let norm = grads.iter().map(|grad| grad.square().sum().to_vec()[0]).sum::<f64>().sqrt();
        for (weight, grad) in weights.iter_mut().zip(&grads) {
            *weight = &*weight - grad * (RATE * (clip / norm).min(1.0));
        }
    }
    let last = &errors[BATCHES - 10..];
    let moved = (&weights[1] - &before).to_vec().into_iter().fold(0.0, |most, x| f64::max(most, x.abs()));
    Training { clip, first: errors[0], last: last.iter().sum::<f64>() / 10.0, moved }
}

impl fmt::Display for Training {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Training { first, last, moved, .. } = self;
        write!(f, "A forecaster of a noisy sine, trained by this pass")?;
        if self.clip.is_finite() {
            write!(f, ", clipped to a norm of {}", self.clip)?;
        }
        write!(f, ": squared error {first:.3} to {last:.4}, Wh moved by {moved:.3}")
    }
}
