//! Fused kernels of the numeric reading beside the rules as they stand, in microseconds per backward pass.
//!
//! `cargo bench -p retrograde-autograd --bench fused`

use std::hint::black_box;
use std::time::Instant;

use retrograde_autograd::{Plain, Tape, Var};
use retrograde_tensor::Tensor;

const STEPS: usize = 35;

/// `N, H`
const SIZES: [[usize; 2]; 3] = [[1, 100], [20, 100], [64, 512]];

/// Of a sequence `[N, T, H]` and a weight `[H, H]`.
type Layer = for<'t> fn(&Var<'t, f32>, &Var<'t, f32>) -> Var<'t, f32>;

const LAYERS: [(&str, Layer); 6] = [
    ("tanh", |xs, _| xs.tanh()),
    ("sigmoid", |xs, _| xs.sigmoid()),
    ("T products with one weight", |xs, w| {
        let terms: Vec<_> = (0..STEPS).map(|step| xs.select(1, step).matmul(w)).collect();
        Var::try_stack(&terms, 1).expect("equal shapes")
    }),
    ("T products, added up", |xs, w| {
        let x = xs.select(1, 0);
        (0..STEPS).fold(x, |x, _| x.matmul(w) + x)
    }),
    ("T slices of a sequence", |xs, _| {
        let terms: Vec<_> = (0..STEPS).map(|step| xs.select(1, step) * 0.5).collect();
        Var::try_stack(&terms, 1).expect("equal shapes")
    }),
    ("a sequence and one weight", |xs, w| xs.matmul(w)),
];

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    println!("{STEPS} steps, f32: µs a backward pass, medians");
    println!("{:<28} {:>8} {:>10} {:>10} {:>7}", "", "N, H", "fused", "by rule", "ratio");
    for (name, layer) in LAYERS {
        for [n, h] in SIZES {
            let number = |i: usize| ((i * 7919) % 1013) as f32 / 1013.0 - 0.5;
            let xs = Tensor::from_fn([n, STEPS, h], |at| number((at[0] * STEPS + at[1]) * h + at[2]));
            let w = Tensor::from_fn([h, h], |at| number(at[0] * h + at[1]) / h as f32);
            let tape = Tape::new();
            let y = layer(&tape.var(xs), &tape.var(w));
            let dy = Tensor::from_fn(y.shape(), |at| number(at.iter().sum()));
            let (mut fused, mut by_rule) = (Vec::new(), Vec::new());
            let rounds = if quick { 1 } else { (40_000_000 / (n * h * h * STEPS)).clamp(9, 501) };
            for _ in 0..rounds {
                let start = Instant::now();
                drop(black_box(y.backward_with(&dy).expect("the cotangent fits")));
                fused.push(start.elapsed().as_secs_f64() * 1e6);
                let start = Instant::now();
                drop(black_box(
                    tape.backward_over(&[(&y, Plain(dy.clone()))], Plain).expect("the cotangent fits"),
                ));
                by_rule.push(start.elapsed().as_secs_f64() * 1e6);
            }
            let [fused, by_rule] = [fused, by_rule].map(|mut taken| {
                taken.sort_by(f64::total_cmp);
                taken[taken.len() / 2]
            });
            println!(
                "{name:<28} {:>8} {fused:10.1} {by_rule:10.1} {:7.2}",
                format!("{n}, {h}"),
                by_rule / fused
            );
        }
    }
}
