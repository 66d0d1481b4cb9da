//! Forward and backward through a recurrent layer, at the sizes of recurrent training, in single precision:
//! `cargo bench -p retrograde-nn --bench time_rnn [-- --shape N,T,D,H] [-- --cell rnn|lstm|gru]`.
//!
//! Gradients are taken with respect to all parameters and the input. Times are medians, in microseconds.

use std::hint::black_box;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::Tape;
use retrograde_nn::{Cell, GruCell, LstmCell, RnnCell, Time};
use retrograde_tensor::{Level, Tensor};

/// `N, T, D, H`
const SHAPES: [[usize; 4]; 7] = [
    [1, 25, 64, 100],
    [10, 5, 100, 100],
    [20, 35, 100, 100],
    [32, 64, 128, 128],
    [32, 128, 256, 256],
    [64, 100, 512, 512],
    [20, 35, 650, 650],
];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| arguments.iter().skip_while(|argument| *argument != name).nth(1);
    let cell = option("--cell").map_or("rnn", String::as_str);
    let shapes = match option("--shape") {
        Some(shape) => {
            let sizes: Vec<usize> =
                shape.split(',').map(|size| size.parse().expect("--shape N,T,D,H")).collect();
            vec![<[usize; 4]>::try_from(sizes).expect("--shape N,T,D,H")]
        }
        None => SHAPES.to_vec(),
    };
    println!("{cell}, f32, kernels {:?}", Level::current());
    println!("{:>20} {:>12} {:>12} {:>10}", "N, T, D, H", "forward µs", "both µs", "GFLOP/s");
    for shape @ [n, t, d, h] in shapes {
        let mut rng = StdRng::seed_from_u64(1);
        let (gates, [forward, both]) = match cell {
            "rnn" => (1, measure(RnnCell::new(d, h, &mut rng), shape)),
            "lstm" => (4, measure(LstmCell::new(d, h, &mut rng), shape)),
            "gru" => (3, measure(GruCell::new(d, h, &mut rng), shape)),
            _ => panic!("--cell: expected rnn, lstm or gru, found {cell}"),
        };
        let flops = 2.0 * (n * t * 3 * gates * h * (d + h)) as f64;
        let shape = format!("{n}, {t}, {d}, {h}");
        println!("{shape:>20} {forward:12.0} {both:12.0} {:10.1}", flops / both / 1e3);
    }
}

/// Medians of the forward pass, and of both passes with everything dropped again, in microseconds.
fn measure<C: Cell<f32>>(cell: C, [n, t, d, h]: [usize; 4]) -> [f64; 2] {
    let mut rng = StdRng::seed_from_u64(2);
    let mut layer = Time::new(cell);
    let xs = Tensor::normal([n, t, d], 0.0, 1.0, &mut rng).expect("a standard normal distribution");
    let dhs = Tensor::normal([n, t, h], 0.0, 1.0, &mut rng).expect("a standard normal distribution");
    let rounds = (2e9 / (6 * n * t * h * (d + h)) as f64).ceil().clamp(5.0, 400.0) as usize;
    let (mut forward, mut both) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        let start = Instant::now();
        let tape = Tape::new();
        let x = tape.var(xs.clone());
        let out = layer.forward(&x).expect("the sizes fit");
        forward.push(start.elapsed().as_secs_f64() * 1e6);
        let grads = out.hs.backward_with(&dhs).expect("the tape records");
        black_box(grads.get(&x));
        drop((grads, out, x));
        drop(tape);
        both.push(start.elapsed().as_secs_f64() * 1e6);
    }
    [forward, both].map(median)
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
