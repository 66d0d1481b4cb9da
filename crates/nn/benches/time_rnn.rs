//! quick
use std::hint::black_box;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::Tape;
use retrograde_nn::{RnnCell, TimeRnn};
use retrograde_tensor::{Level, Tensor};

fn main() {
    println!("{:?}", Level::current());
    let only: Option<usize> = std::env::args().filter_map(|a| a.parse().ok()).next();
    for (i, [n, t, d, h]) in [
        [1, 25, 64, 100],
        [10, 5, 100, 100],
        [20, 35, 100, 100],
        [32, 64, 128, 128],
        [32, 128, 256, 256],
        [64, 100, 512, 512],
        [20, 35, 650, 650],
    ]
    .into_iter()
    .enumerate()
    {
        if only.is_some_and(|only| only != i) {
            continue;
        }
        let mut rng = StdRng::seed_from_u64(1);
        let mut rnn = TimeRnn::<f32>::new(RnnCell::new(d, h, &mut rng));
        let xs = Tensor::normal([n, t, d], 0.0, 1.0, &mut rng).unwrap();
        let dhs = Tensor::normal([n, t, h], 0.0, 1.0, &mut rng).unwrap();
        let flops = 2.0 * (n * t) as f64 * (3 * (d * h) + 3 * (h * h)) as f64;
        let rounds = (2e9 / flops).ceil().clamp(3.0, 400.0) as usize;
        let mut forward = vec![];
        let mut both = vec![];
        for _ in 0..rounds + 3 {
            let start = Instant::now();
            let tape = Tape::new();
            let x = tape.var(xs.clone());
            let out = rnn.forward(&x).unwrap();
            forward.push(start.elapsed().as_secs_f64() * 1e6);
            let g = out.hs.backward_with(&dhs).unwrap();
            black_box(g.get(&x));
            drop(g);
            drop(out);
            drop(x);
            drop(tape);
            both.push(start.elapsed().as_secs_f64() * 1e6);
        }
        forward.sort_by(f64::total_cmp);
        both.sort_by(f64::total_cmp);
        let (f, b) = (forward[forward.len() / 2], both[both.len() / 2]);
        println!(
            "{n:3} {t:4} {d:4} {h:4}  forward {f:9.0}  both {b:9.0} us  min {:9.0} {:6.1} GFLOP/s",
            both[0],
            flops / b / 1e3
        );
    }
}
