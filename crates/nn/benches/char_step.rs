//! A whole training step of a character model: embedding, LSTM, linear, cross-entropy, clipping, Adam.

#[path = "shared/mod.rs"]
mod shared;

use std::ops::Range;
use std::thread::{self, Scope};
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Gradients, Tape};
use retrograde_nn::{
    Adam, Embedding, Linear, LstmCell, Optimizer, Parallel, TimeLstm, clip_grad_norm, cross_entropy,
    split_even,
};
use retrograde_tensor::Tensor;
use shared::{Options, Timed, medians};

const USAGE: &str = "\
cargo bench -p retrograde-nn --bench char_step -- [--hidden H] [--threads K] [--json]

A training step of truncated backpropagation through time, with 32 rows of 64 of 65 characters, and vectors of 64.
  --hidden H    the size of the state; 128 and 512 unless told
  --threads K   how many share the rows; 1 unless told
  --json        one object a line";

const ROWS: usize = 32;
const STEPS: usize = 64;
const ALPHABET: usize = 65;
const FEATURES: usize = 64;

#[derive(Clone)]
struct Model {
    embedding: Embedding<f32>,
    lstm: TimeLstm<f32>,
    linear: Linear<f32>,
}

impl Model {
    /// The gradients of the mean loss over all rows, as far as the given ones are part of it.
    fn backward(&mut self, inputs: &Tensor<usize>, targets: &Tensor<usize>) -> Gradients<f32> {
        let tape = Tape::new();
        let xs = self.embedding.forward(&tape, inputs).expect("ids of the alphabet"); // [N, T, D]
        let hs = self.lstm.forward(&xs).expect("the sizes fit").hs; // [N, T, H]
        let logits = self.linear.forward(&hs).expect("the sizes fit"); // [N, T, V]
        let loss = cross_entropy(&logits, targets).expect("targets of the alphabet");
        let share = inputs.dims()[0] as f32 / ROWS as f32;
        (loss * share).backward().expect("a scalar")
    }
}

fn main() {
    let options = Options::new(USAGE, &["--hidden", "--threads"], &["--json", "--test"]);
    let (threads, quick) = (options.threads(), options.flag("--test"));
    let all = match options.number("--hidden", 0) {
        0 => vec![128, 512],
        hidden => vec![hidden],
    };
    for hidden in all {
        let [us] = thread::scope(|scope| medians(quick, &mut [step(scope, threads, hidden)])[0]);
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

/// A program that trains for one step, and says how long that took. Threads share the rows of the batch.
fn step<'s>(scope: &'s Scope<'s, '_>, threads: usize, hidden: usize) -> Timed<'s, 1> {
    let mut rng = StdRng::seed_from_u64(1);
    let model = Model {
        embedding: Embedding::new(ALPHABET, FEATURES, &mut rng),
        lstm: TimeLstm::new(LstmCell::new(FEATURES, hidden, &mut rng)).stateful(true),
        linear: Linear::new(hidden, ALPHABET, &mut rng),
    };
    let mut adam = Adam::new(1e-3);
    let ids = |stride: usize| Tensor::from_fn([ROWS, STEPS], |at| (at[0] * 7 + at[1] * stride) % ALPHABET);
    let (inputs, targets) = (ids(11), ids(23));
    let mut parallel = Parallel::new(scope, threads, |_part| {
        let mut model = model.clone();
        move |(inputs, targets): (Tensor<usize>, Tensor<usize>)| model.backward(&inputs, &targets)
    });
    Box::new(move || {
        let start = Instant::now();
        let share = |rows: Range<usize>| {
            (inputs.narrow(0, rows.start, rows.len()), targets.narrow(0, rows.start, rows.len()))
        };
        let mut parts = parallel.run(split_even(ROWS, threads).map(share).collect()).into_iter();
        let mut grads = parts.next().expect("there is at least one part");
        parts.for_each(|part| grads.add_params(&part));
        clip_grad_norm(&mut grads, 1.0);
        adam.step(&grads).expect("finite rates");
        drop(grads);
        [start.elapsed().as_secs_f64() * 1e6]
    })
}
