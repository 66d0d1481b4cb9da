//! A step by itself, beside the bare cell; and a linear recurrence by scan, beside its loop over time.

use std::hint::black_box;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Tape, Var};
use retrograde_nn::{Cell, GruCell, LstmCell, RnnCell, State, Time, linear_scan};
use retrograde_tensor::Tensor;

/// The shortest times of two functions, in turns, in seconds.
fn pair(turns: usize, mut a: impl FnMut(), mut b: impl FnMut()) -> [f64; 2] {
    let time = |f: &mut dyn FnMut()| {
        let start = Instant::now();
        f();
        start.elapsed().as_secs_f64()
    };
    let mut best = [f64::INFINITY; 2];
    for _ in 0..turns {
        best = [best[0].min(time(&mut a)), best[1].min(time(&mut b))];
    }
    best
}

/// Steps of a layer that carries its state, beside the cell on a tape for each step.
fn step<C: Cell<f32> + Clone>(name: &str, h: usize, cell: C, turns: usize) {
    const STEPS: usize = 100;
    let x = Tensor::<f32>::ones([1, cell.input_size()]);
    let (mut layer, mut state) = (Time::new(cell.clone()), cell.initial_state(1));
    let bare = || {
        for _ in 0..STEPS {
            let tape = Tape::inference();
            cell.prepare(&tape);
            let next = cell.step(&cell.project(&tape.constant(x.clone())), &state.on(&tape));
            state = C::State::detach(&next);
        }
    };
    let carried = || {
        for _ in 0..STEPS {
            black_box(layer.step(&x).expect("an input of the cell's size"));
        }
    };
    let [bare, carried] = pair(turns, bare, carried).map(|seconds| 1e6 * seconds / STEPS as f64);
    println!(
        "{name:<6} H = {h:<4}  bare cell {bare:8.2} us  step {carried:8.2} us  {:.2} times",
        carried / bare
    );
}

/// All states of a linear recurrence.
type Recurrence = for<'t> fn(&Var<'t, f32>, &Var<'t, f32>) -> Var<'t, f32>;

/// A linear recurrence of one row, forwards and backwards.
fn scan(steps: usize, h: usize, turns: usize) {
    let rng = &mut StdRng::seed_from_u64(1);
    let mut uniform = |low| Tensor::<f32>::uniform([1, steps, h], low, 1.0, rng).expect("bounds in order");
    let (a, b) = (uniform(0.0), uniform(-1.0));
    let run = |f: Recurrence| {
        let tape = Tape::new();
        let [a, b] = [&a, &b].map(|x| tape.var(x.clone()));
        let grads = f(&a, &b).sum().backward().expect("a scalar");
        black_box(grads.get(&a).expect("it was used"));
    };
    fn by_loop<'t>(a: &Var<'t, f32>, b: &Var<'t, f32>) -> Var<'t, f32> {
        let mut h = b.select(1, 0);
        let mut hs = vec![h.clone()];
        for t in 1..a.shape()[1] {
            h = a.select(1, t) * &h + b.select(1, t);
            hs.push(h.clone());
        }
        Var::stack(&hs, 1)
    }
    fn by_scan<'t>(a: &Var<'t, f32>, b: &Var<'t, f32>) -> Var<'t, f32> {
        linear_scan(a, b, None).expect("shapes that fit")
    }
    let [looped, scanned] = pair(turns, || run(by_loop), || run(by_scan)).map(|seconds| 1e3 * seconds);
    println!(
        "scan   T = {steps:<5} H = {h:<4}  loop {looped:8.3} ms  scan {scanned:8.3} ms  {:.1} times as fast",
        looped / scanned
    );
}

fn main() {
    let turns = if std::env::args().any(|arg| arg == "--test") { 1 } else { 60 };
    let rng = &mut StdRng::seed_from_u64(1);
    for h in [64, 128, 512] {
        step("rnn", h, RnnCell::new(h, h, rng), turns);
        step("lstm", h, LstmCell::new(h, h, rng), turns);
        step("gru", h, GruCell::new(h, h, rng), turns);
    }
    for (steps, h) in [(64, 64), (1024, 64), (8192, 64), (1024, 512)] {
        scan(steps, h, turns / 4 + 1);
    }
}
