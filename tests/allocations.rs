//! What training takes from the system's allocator, counted.
//!
//! Each measurement has a process-wide allocator count what its own thread does.

use allocation_counter::{AllocationInfo, measure};
use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::prelude::*;

/// Gradients of a layer over a sequence, with respect to everything, for a cotangent of all states.
fn pass(rnn: &mut TimeRnn<f32>, xs: &Tensor<f32>, dhs: &Tensor<f32>) {
    let tape = Tape::new();
    let xs = tape.var(xs.clone());
    let out = rnn.forward(&xs).unwrap();
    let grads = out.hs.backward_with(dhs).unwrap();
    assert!(grads.get(&xs).is_some());
}

/// A pass over `[n, steps, d]`, after as many others; also the bytes of one sequence of states.
fn count(
    [n, steps, d, h]: [usize; 4],
    warm_up: usize,
    change: fn(TimeRnn<f32>) -> TimeRnn<f32>,
) -> (AllocationInfo, u64) {
    let mut rng = StdRng::seed_from_u64(1);
    let mut rnn = change(TimeRnn::new(RnnCell::new(d, h, &mut rng)));
    let xs = Tensor::normal([n, steps, d], 0.0, 1.0, &mut rng).unwrap();
    let dhs = Tensor::normal([n, steps, h], 0.0, 1.0, &mut rng).unwrap();
    (0..warm_up).for_each(|_| pass(&mut rnn, &xs, &dhs));
    let info = measure(|| pass(&mut rnn, &xs, &dhs));
    (info, (n * steps * h * size_of::<f32>()) as u64)
}

#[test]
fn in_steady_state_storage_is_recycled() {
    let (first, states) = count([16, 30, 48, 128], 0, |rnn| rnn);
    let (steady, _) = count([16, 30, 48, 128], 3, |rnn| rnn);
    // What is left are nodes and handles, far less than one of the many sequences of states.
    assert!(first.bytes_total > 4 * states, "{first:?}, {states} bytes of states");
    assert!(steady.bytes_max < states / 2, "{steady:?}, {states} bytes of states");
    assert!(steady.bytes_total < states, "{steady:?}, {states} bytes of states");
}

#[test]
fn a_pass_takes_little_more_than_what_it_hands_out() {
    let [n, steps, d, h] = [64, 40, 128, 128];
    let (info, states) = count([n, steps, d, h], 0, |rnn| rnn);
    println!("{} bytes, {states} bytes of states", info.bytes_max);
    // The states twice, as each step made them and side by side; the projected input twice, before and after the bias
    // was added, of which one becomes its cotangent; the cotangent of the input; and what a product gathers at a time.
    assert!(info.bytes_max < 6 * states, "{info:?}, {states} bytes of states");
}

#[test]
fn recomputation_takes_memory_for_one_segment() {
    let shape = [8, 400, 8, 256];
    let (kept, states) = count(shape, 0, |rnn| rnn);
    let (again, _) = count(shape, 0, |rnn| rnn.recompute_every(20));
    println!("{} and {} bytes, {states} bytes of states", kept.bytes_max, again.bytes_max);
    assert!(kept.bytes_max > 2 * again.bytes_max, "{kept:?} and {again:?}, {states} bytes of states");
}
