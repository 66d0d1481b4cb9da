//! Matrix products at recurrent sizes, against `matrixmultiply`: `cargo bench -p retrograde-tensor --bench matmul`.

use std::hint::black_box;
use std::time::Instant;

use retrograde_tensor::{Isa, Tensor, peak_gflops};

/// `m, k, n`
const SHAPES: [[usize; 3]; 14] = [
    [1, 100, 100],
    [1, 64, 100],
    [10, 100, 100],
    [20, 100, 100],
    [32, 128, 128],
    [32, 256, 256],
    [64, 512, 512],
    [20, 650, 650],
    [100, 50, 100],
    [128, 2048, 128],
    [650, 700, 650],
    [700, 650, 650],
    [512, 6400, 512],
    [6400, 512, 512],
];

fn main() {
    println!("kernels: {}; GFLOP/s, medians; the peak is {:.0}", Isa::current(), peak_gflops(0.1));
    println!("{:>16} {:>9} {:>9} {:>9} {:>9} {:>9}", "m, k, n", "a·b", "a·bᵀ", "aᵀ·b", "general", "gen. ᵀ");
    for [m, k, n] in SHAPES {
        let ramp =
            |shape: [usize; 2]| Tensor::<f32>::from_fn(shape, |i| ((i[0] * 7 + i[1] * 3) % 11) as f32 - 5.0);
        let (a, b) = (ramp([m, k]), ramp([k, n]));
        let (at, bt) = (ramp([k, m]), ramp([n, k]));
        let flops = 2.0 * (m * k * n) as f64;
        let rate = |f: &mut dyn FnMut()| flops / median(f, flops) / 1e9;
        let ab = rate(&mut || drop(black_box(a.matmul(black_box(&b)))));
        let abt = rate(&mut || drop(black_box(a.matmul(&black_box(&bt).t()))));
        let atb = rate(&mut || drop(black_box(at.t().matmul(black_box(&b)))));
        let mut c = vec![0.0_f32; m * n];
        let plain =
            rate(&mut || general(m, k, n, a.as_slice().unwrap(), b.as_slice().unwrap(), [n, 1], &mut c));
        let plain_t =
            rate(&mut || general(m, k, n, a.as_slice().unwrap(), bt.as_slice().unwrap(), [1, k], &mut c));
        let shape = format!("{m}, {k}, {n}");
        println!("{shape:>16} {ab:9.1} {abt:9.1} {atb:9.1} {plain:9.1} {plain_t:9.1}");
    }
}

fn general(m: usize, k: usize, n: usize, a: &[f32], b: &[f32], b_strides: [usize; 2], c: &mut [f32]) {
    let (rsb, csb) = (b_strides[0] as isize, b_strides[1] as isize);
    // SAFETY: the slices hold `m k`, `k n` and `m n` numbers, and the strides stay within them.
    unsafe {
        matrixmultiply::sgemm(
            m,
            k,
            n,
            1.0,
            a.as_ptr(),
            k as isize,
            1,
            b.as_ptr(),
            rsb,
            csb,
            0.0,
            c.as_mut_ptr(),
            n as isize,
            1,
        );
    }
    black_box(c);
}

/// Seconds a call, the median of several rounds.
fn median(f: &mut dyn FnMut(), flops: f64) -> f64 {
    let calls = (2e7 / flops).ceil().max(1.0) as usize;
    let mut rounds: Vec<f64> = (0..15)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| f());
            start.elapsed().as_secs_f64() / calls as f64
        })
        .collect();
    rounds.sort_by(f64::total_cmp);
    rounds[rounds.len() / 2]
}
