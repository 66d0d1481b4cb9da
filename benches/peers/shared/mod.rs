//! Common parts of the peers: the problem, the timing, the output.

#[path = "../../../crates/nn/benches/shared/noise.rs"]
mod noise;

use std::time::{Duration, Instant};

use noise::noise;

/// The weights of an RNN, a sequence for it, and the cotangents of its states.
pub struct Problem {
    pub cell: String,
    pub n: usize,
    pub t: usize,
    pub d: usize,
    pub h: usize,
    pub wx: Vec<f32>,       // [D, H]
    pub wh: Vec<f32>,       // [H, H]
    pub b: Vec<f32>,        // [H]
    pub xs: Vec<Vec<f32>>,  // T of [N, D]
    pub dhs: Vec<Vec<f32>>, // T of [N, H]
}

/// The value of an option, if it is given.
pub fn option(name: &str) -> Option<String> {
    std::env::args().skip_while(|argument| argument != name).nth(1)
}

impl Problem {
    /// The problem that the command line asks for: `--shape N,T,D,H`, and `--cell` where there is a choice.
    pub fn new() -> Self {
        let shape = option("--shape").expect("--shape N,T,D,H");
        let sizes: Vec<usize> = shape.split(',').map(|size| size.parse().expect("--shape N,T,D,H")).collect();
        let [n, t, d, h] = sizes[..] else { panic!("--shape N,T,D,H") };
        let scale = 1.0 / (h as f64).sqrt();
        Problem {
            cell: option("--cell").unwrap_or("rnn".to_owned()),
            n,
            t,
            d,
            h,
            wx: noise(d * h, scale, 1),
            wh: noise(h * h, scale, 2),
            b: noise(h, scale, 3),
            xs: steps(&noise(n * t * d, 1.0, 5), [n, t, d]),
            dhs: steps(&noise(n * t * h, 1.0, 6), [n, t, h]),
        }
    }
}

/// `[N, T, K]` as T of `[N, K]`.
fn steps(all: &[f32], [n, t, k]: [usize; 3]) -> Vec<Vec<f32>> {
    let row = |i, step| &all[(i * t + step) * k..][..k];
    (0..t).map(|step| (0..n).flat_map(|i| row(i, step)).copied().collect()).collect()
}

/// Where a pass says that it has come to its middle.
pub struct Clock {
    start: Instant,
    forward: Duration,
}

impl Clock {
    pub fn forward_done(&mut self) {
        self.forward = self.start.elapsed();
    }
}

/// Runs a pass, which returns the gradient of `Wh`: twice to warm up, then until half a second has passed and at least
/// five times (with `--once`, once). Prints the medians, and the norm of the gradient.
pub fn report(problem: &Problem, mut pass: impl FnMut(&mut Clock) -> Vec<f32>) {
    let once = std::env::args().any(|argument| argument == "--once");
    let mut run = || {
        let mut clock = Clock { start: Instant::now(), forward: Duration::ZERO };
        let dwh = pass(&mut clock);
        (clock.forward, clock.start.elapsed(), dwh)
    };
    let dwh = run().2;
    let (rounds, limit) = if once { (1, 0.0) } else { (5, 0.5) };
    if !once {
        run();
    }
    let (start, mut forward, mut both) = (Instant::now(), Vec::new(), Vec::new());
    while both.len() < rounds || start.elapsed().as_secs_f64() < limit {
        let times = run();
        forward.push(times.0.as_secs_f64() * 1e6);
        both.push(times.1.as_secs_f64() * 1e6);
    }
    let norm = dwh.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    let Problem { cell, n, t, d, h, .. } = problem;
    println!(
        r#"{{"shape": [{n}, {t}, {d}, {h}], "cell": "{cell}", "forward_us": {:.1}, "both_us": {:.1}, "dwh_norm": {norm:.6e}}}"#,
        median(forward),
        median(both),
    );
}

fn median(mut numbers: Vec<f64>) -> f64 {
    numbers.sort_by(f64::total_cmp);
    numbers[numbers.len() / 2]
}
