//! Training's use of the system's allocator, counted.
//!
//! Each measurement has a process-wide allocator count what its own thread does.

use std::sync::mpsc::channel;

use allocation_counter::{AllocationInfo, measure};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use retrograde::nn::Parallel;
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

/// The bytes that threads have taken and not given back, which `work` reports for one step after another.
fn kept(steps: usize, mut work: impl FnMut(usize) -> i64) -> Vec<i64> {
    let mut sum = 0;
    (0..steps)
        .map(|step| {
            sum += work(step);
            sum
        })
        .collect()
}

/// Lengths that hardly ever come again.
fn lengths() -> impl FnMut() -> usize {
    let mut rng = StdRng::seed_from_u64(1);
    move || rng.random_range(1000..100_000)
}

#[test]
fn tensors_that_another_thread_drops_are_not_kept_for_ever() {
    let mut length = lengths();
    std::thread::scope(|scope| {
        let (tensors, inbox) = channel::<Tensor<f32>>();
        let (done, outbox) = channel();
        scope.spawn(move || {
            for tensor in inbox {
                done.send(measure(|| drop(tensor)).bytes_current).unwrap();
            }
        });
        let bytes = kept(2000, |_| {
            let length = length();
            let produced = measure(|| {
                let x = Tensor::<f32>::full([length], 1.0);
                tensors.send(x.exp()).unwrap();
            });
            produced.bytes_current + outbox.recv().unwrap()
        });
        // In use are two tensors at a time, of at most 400 kB each; half as much again may be kept, by each thread.
        assert!(bytes.iter().all(|&bytes| bytes < 3_000_000), "{:?}", bytes.iter().max());
    });
}

#[test]
fn gradients_of_other_threads_are_not_kept_for_ever() {
    let mut rng = StdRng::seed_from_u64(1);
    let rnn = TimeRnn::<f32>::new(RnnCell::new(8, 32, &mut rng));
    std::thread::scope(|scope| {
        let mut parallel = Parallel::new(scope, 2, |_| {
            let mut rnn = rnn.clone();
            move |xs: Tensor<f32>| {
                let mut grads = None;
                let info = measure(|| {
                    let tape = Tape::new();
                    let xs = tape.var(xs);
                    let out = rnn.forward(&xs).unwrap();
                    grads = Some((
                        out.hs.square().sum().backward().unwrap().get(&xs).cloned(),
                        out.hs.value().clone(),
                    ));
                });
                (grads, info.bytes_current)
            }
        });
        let bytes = kept(400, |_| {
            let steps = rng.random_range(10..400);
            let mut inner = 0;
            let info = measure(|| {
                let xs = Tensor::normal([4, steps, 8], 0.0, 1.0, &mut rng).unwrap();
                let parts = [0, 2].map(|row| xs.narrow(0, row, 2)).to_vec();
                // The calling thread does the first part, and so counts it already.
                inner = parallel.run(parts)[1].1;
            });
            info.bytes_current + inner
        });
        let [early, late] = [&bytes[..200], &bytes[200..]].map(|bytes| *bytes.iter().max().unwrap());
        assert!(late < early + early / 2, "{early} bytes in the first half, {late} in the second");
    });
}

/// A day's worth of steps, each of another length and number of rows: what is kept between them does not grow.
#[test]
fn ten_thousand_steps_of_varying_length_keep_no_more_in_their_second_half() {
    let mut rng = StdRng::seed_from_u64(2);
    let mut rnn = TimeRnn::<f32>::new(RnnCell::new(4, 16, &mut rng));
    let mut adam = Adam::new(1e-3);
    let bytes = kept(10_000, |_| {
        let (n, steps) = (rng.random_range(1..33), rng.random_range(1..9));
        let info = measure(|| {
            let xs = Tensor::normal([n, steps, 4], 0.0, 1.0, &mut rng).unwrap();
            let tape = Tape::new();
            let hs = rnn.forward(&tape.constant(xs)).unwrap().hs;
            adam.step(&hs.square().mean().backward().unwrap()).unwrap();
        });
        info.bytes_current
    });
    let [early, late] = [&bytes[..5000], &bytes[5000..]].map(|bytes| *bytes.iter().max().unwrap());
    assert!(late < early + early / 4, "{early} bytes at most in the first half, {late} in the second");
}
