//! A whole training step of a character model: embedding, LSTM, linear, cross-entropy, clipping, Adam.

#[path = "shared/mod.rs"]
mod shared;

use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::Tape;
use retrograde_nn::{Adam, Embedding, Linear, LstmCell, Optimizer, TimeLstm, clip_grad_norm, cross_entropy};
use retrograde_tensor::Tensor;
use shared::{Options, Timed, medians};

const USAGE: &str = "\
cargo bench -p retrograde-nn --bench char_step -- [--hidden H] [--threads K] [--json]

A training step of truncated backpropagation through time, with 32 rows of 64 of 65 characters, and vectors of 64.
  --hidden H    the size of the state; 128 and 512 unless told
  --threads K   1 unless told
  --json        one object a line";

const ROWS: usize = 32;
const STEPS: usize = 64;
const ALPHABET: usize = 65;
const FEATURES: usize = 64;

struct Model {
    embedding: Embedding<f32>,
    lstm: TimeLstm<f32>,
    linear: Linear<f32>,
}

fn main() {
    let options = Options::new(USAGE, &["--hidden", "--threads"], &["--json", "--test"]);
    let (threads, quick) = (options.threads(), options.flag("--test"));
    let all = match options.number("--hidden", 0) {
        0 => vec![128, 512],
        hidden => vec![hidden],
    };
    for hidden in all {
        let [us] = medians(quick, &mut [step(hidden)])[0];
        let tokens = (ROWS * STEPS) as f64 / us * 1e6;
        if options.flag("--json") {
            println!(
                r#"{{"hidden": {hidden}, "threads": {threads}, "step_us": {us:.1}, "tokens_a_second": {tokens:.0}}}"#
            );
        } else {
            println!("H = {hidden:4}, threads: {threads}: {us:8.0} µs a step, {tokens:8.0} tokens a second");
        }
    }
}

/// A program that trains for one step, and says how long that took.
fn step(hidden: usize) -> Timed<'static, 1> {
    let mut rng = StdRng::seed_from_u64(1);
    let mut model = Model {
        embedding: Embedding::new(ALPHABET, FEATURES, &mut rng),
        lstm: TimeLstm::new(LstmCell::new(FEATURES, hidden, &mut rng)).stateful(true),
        linear: Linear::new(hidden, ALPHABET, &mut rng),
    };
    let mut adam = Adam::new(1e-3);
    let ids = |stride: usize| Tensor::from_fn([ROWS, STEPS], |at| (at[0] * 7 + at[1] * stride) % ALPHABET);
    let (inputs, targets) = (ids(11), ids(23));
    Box::new(move || {
        let start = Instant::now();
        let tape = Tape::new();
        let xs = model.embedding.forward(&tape, &inputs).expect("ids of the alphabet"); // [N, T, D]
        let hs = model.lstm.forward(&xs).expect("the sizes fit").hs; // [N, T, H]
        let logits = model.linear.forward(&hs).expect("the sizes fit"); // [N, T, V]
        let loss = cross_entropy(&logits, &targets).expect("targets of the alphabet");
        let mut grads = loss.backward().expect("a scalar");
        clip_grad_norm(&mut grads, 1.0);
        adam.step(&grads).expect("finite rates");
        drop((grads, loss, logits, hs, xs));
        drop(tape);
        [start.elapsed().as_secs_f64() * 1e6]
    })
}
