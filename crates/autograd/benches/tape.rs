//! The cost of a tape beyond its arithmetic: nanoseconds per operation on 1x1 tensors, and over the number of steps.
//!
//! `cargo bench -p retrograde-autograd --bench tape`

use std::hint::black_box;
use std::time::{Duration, Instant};

use retrograde_autograd::{Tape, Var};
use retrograde_tensor::Tensor;

/// Applies one operation, on a weight too, to what the last one gave.
type Step = for<'t> fn(&Var<'t, f32>, &Var<'t, f32>) -> Var<'t, f32>;

/// The same on tensors.
type Plain = fn(&Tensor<f32>, &Tensor<f32>) -> Tensor<f32>;

/// The cotangent of what it was applied to, from the values before and after, the weight and the cotangent of the result;
/// that of the weight is added to the last.
type Back = fn([&Tensor<f32>; 4], &mut Tensor<f32>) -> Tensor<f32>;

/// The middle of several timings of building a chain and of sweeping it.
fn median(times: usize, mut run: impl FnMut() -> [Duration; 2]) -> [Duration; 2] {
    let mut taken: Vec<[Duration; 2]> = (0..times).map(|_| run()).collect();
    [0, 1].map(|part| {
        taken.sort_by_key(|taken| taken[part]);
        taken[times / 2][part]
    })
}

fn chain(step: Step, length: usize) -> [Duration; 2] {
    let start = Instant::now();
    let tape = Tape::new();
    let w = tape.var(Tensor::from([[0.999_f32]]));
    let mut x = tape.var(Tensor::from([[0.3_f32]]));
    for _ in 0..length {
        x = step(&x, &w);
    }
    let recorded = start.elapsed();
    let gradients = x.backward_with(&Tensor::ones(x.shape())).expect("the cotangent fits");
    black_box(gradients.get(&w));
    [recorded, start.elapsed() - recorded]
}

/// The same arithmetic by hand, without a tape, to be taken off.
fn by_hand(step: Plain, back: Back, length: usize) -> Duration {
    let start = Instant::now();
    let w = Tensor::from([[0.999_f32]]);
    let mut x = vec![Tensor::from([[0.3_f32]])];
    for t in 0..length {
        x.push(step(&x[t], &w));
    }
    let (mut g, mut dw) = (Tensor::ones([1, 1]), Tensor::zeros([1, 1]));
    for t in (0..length).rev() {
        g = back([&x[t], &x[t + 1], &w, &g], &mut dw);
    }
    black_box((g, dw));
    start.elapsed()
}

/// `h = tanh(h·Wh + x_t·Wx + b)`, batch 1, width 16, over slices of one array.
fn rnn(steps: usize) -> [Duration; 2] {
    let start = Instant::now();
    let tape = Tape::new();
    let (wx, wh) = (tape.var(Tensor::full([16, 16], 0.01_f32)), tape.var(Tensor::full([16, 16], 0.02)));
    let (b, xs) = (tape.var(Tensor::zeros([16])), tape.var(Tensor::full([1, steps, 16], 0.1)));
    let mut h = tape.constant(Tensor::zeros([1, 16]));
    for step in 0..steps {
        h = (h.matmul(&wh) + xs.select(1, step).matmul(&wx) + &b).tanh();
    }
    let recorded = start.elapsed();
    let gradients = h.sum().backward().expect("a scalar");
    black_box(gradients.get(&xs));
    [recorded, start.elapsed() - recorded]
}

fn main() {
    // As a test, a quick run that only has to work.
    let quick = std::env::args().any(|argument| argument == "--test");
    let (times, length) = if quick { (1, 10) } else { (101, 1_000) };

    println!("1x1 tensors, f32: ns an operation, beside the same forwards and backwards by hand");
    println!("{:<8} {:>8} {:>8} {:>8} {:>8} {:>8}", "op", "record", "sweep", "both", "by hand", "tape");
    let rows: [(&str, Step, Plain, Back); 5] = [
        (
            "add",
            |x, w| x + w,
            |x, w| x + w,
            |[_, _, _, g], dw| {
                *dw += g;
                g.clone()
            },
        ),
        (
            "mul",
            |x, w| x * w,
            |x, w| x * w,
            |[x, _, w, g], dw| {
                *dw += &(g * x);
                g * w
            },
        ),
        ("tanh", |x, _| x.tanh(), |x, _| x.tanh(), |[_, y, _, g], _| g.zip(y, |g, y| g * (1.0 - y * y))),
        ("scale", |x, _| x * 0.999, |x, _| x * 0.999, |[_, _, _, g], _| g * 0.999),
        (
            "matmul",
            |x, w| x.matmul(w),
            |x, w| x.matmul(w),
            |[x, _, w, g], dw| {
                dw.matmul_acc(&x.t(), g);
                g.matmul(&w.t())
            },
        ),
    ];
    for (name, step, plain, back) in rows {
        let [record, sweep] = median(times, || chain(step, length));
        let [by_hand, _] = median(times, || [by_hand(plain, back, length), Duration::ZERO]);
        let each = |taken: Duration| taken.as_nanos() as f64 / length as f64;
        let both = record + sweep;
        print!("{name:<8} {:>8.0} {:>8.0} {:>8.0}", each(record), each(sweep), each(both));
        println!(" {:>8.0} {:>8.0}", each(by_hand), each(both) - each(by_hand));
    }

    println!("\nan RNN over T slices of one array, N=1, D=H=16, f32: µs a step");
    println!("{:<8} {:>8} {:>8}", "T", "record", "sweep");
    for steps in [10, 100, 1_000, 10_000, 100_000] {
        let steps = if quick { steps.min(100) } else { steps };
        let times = if quick { 1 } else { (200_000 / steps).clamp(3, 101) };
        let [record, sweep] = median(times, || rnn(steps));
        let each = |taken: Duration| taken.as_nanos() as f64 / 1e3 / steps as f64;
        println!("{steps:<8} {:>8.2} {:>8.2}", each(record), each(sweep));
    }
}
