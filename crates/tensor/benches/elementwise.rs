//! Passes over memory: elementwise functions, broadcasting, views, reductions, the softmax.
//!
//! `cargo bench -p retrograde-tensor --bench elementwise`: medians of GB/s, where each operand and the result counts
//! once, and of billions of elements a second. The row `copy` is what the machine's memory allows.

use std::hint::black_box;
use std::time::Instant;

use retrograde_tensor::{Isa, Tensor};

/// `rows, columns`: a step of a small and of a large network, and what no second-level cache holds.
const SHAPES: [[usize; 2]; 3] = [[20, 100], [64, 512], [2048, 2048]];

type Pass = fn(&Operands) -> Tensor<f32>;

struct Operands {
    x: Tensor<f32>,
    y: Tensor<f32>,
    row: Tensor<f32>,
    column: Tensor<f32>,
    turned: Tensor<f32>,
}

/// The number of full-size operands that a pass reads and writes, with the pass.
const PASSES: [(&str, usize, Pass); 17] = [
    ("x + y", 3, |o| &o.x + &o.y),
    ("x ⊙ y", 3, |o| &o.x * &o.y),
    ("x + row", 2, |o| &o.x + &o.row),
    ("x + column", 2, |o| &o.x + &o.column),
    ("x + yᵀ", 3, |o| &o.x + o.turned.t()),
    ("yᵀ made contiguous", 2, |o| o.turned.t().contiguous()),
    ("-x", 2, |o| o.x.neg()),
    ("relu", 2, |o| o.x.relu()),
    ("tanh", 2, |o| o.x.tanh()),
    ("sigmoid", 2, |o| o.x.sigmoid()),
    ("exp", 2, |o| o.x.exp()),
    ("ln", 2, |o| o.y.ln()),
    ("sum", 1, |o| o.x.sum()),
    ("sum over rows", 1, |o| o.x.sum_axes(&[0], false)),
    ("sum over columns", 1, |o| o.x.sum_axes(&[1], false)),
    ("softmax of rows", 2, |o| o.x.softmax(1)),
    ("softmax of columns", 2, |o| o.x.softmax(0)),
];

fn main() {
    let quick = std::env::args().any(|argument| argument == "--test");
    println!("f32, kernels: {}", Isa::current());
    for &[m, n] in if quick { &SHAPES[..1] } else { &SHAPES[..] } {
        let ramp = |[m, n]: [usize; 2]| {
            Tensor::from_fn([m, n], |i| ((i[0] * 7 + i[1] * 3) % 11) as f32 / 4.0 + 0.25)
        };
        let operands = Operands {
            x: ramp([m, n]),
            y: ramp([m, n]),
            row: ramp([1, n]),
            column: ramp([m, 1]),
            turned: ramp([n, m]),
        };
        println!("\n{:<20} {:>8} {:>8}", format!("{m} x {n}"), "GB/s", "G el./s");
        let report = |name: &str, passes: usize, run: &mut dyn FnMut()| {
            let rate = (m * n) as f64 / median(run, m * n, quick) / 1e9;
            println!("{name:<20} {:8.1} {rate:8.2}", (4 * passes) as f64 * rate);
        };
        let mut to = vec![0.0; m * n];
        report("copy", 2, &mut || {
            black_box(&mut to).copy_from_slice(black_box(&operands.x).as_slice().expect("contiguous"));
        });
        for (name, passes, pass) in PASSES {
            report(name, passes, &mut || drop(black_box(pass(black_box(&operands)))));
        }
    }
}

/// Seconds a call, the median of several rounds.
fn median(run: &mut dyn FnMut(), elements: usize, quick: bool) -> f64 {
    let (rounds, calls) = if quick { (1, 1) } else { (15, (4_000_000 / elements).max(1)) };
    let mut times: Vec<f64> = (0..rounds)
        .map(|_| {
            let start = Instant::now();
            (0..calls).for_each(|_| run());
            start.elapsed().as_secs_f64() / calls as f64
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[rounds / 2]
}
