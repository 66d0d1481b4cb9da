//! Nanoseconds an element of single kernels: selection, broadcasts along short rows, reductions over each axis, stacks of
//! small products, functions of numbers.
//!
//! `cargo bench -p retrograde-tensor --bench kernels [-- PART_OF_A_NAME]`: the least of many repeats, so that other load on
//! the machine does not count. An element is one of the largest operand. To compare two versions, keep the program of the
//! first and run both by turns.

use std::hint::black_box;
use std::time::Instant;

use retrograde_tensor::{Isa, Tensor};

/// Rows of a batch, state size, and inner state size of a selective state-space model: short rows.
const N: usize = 16;
const H: usize = 64;
const S: usize = 16;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let wanted = arguments.next().unwrap_or_default();
    let quick = wanted == "--test";
    println!("f32, kernels: {}, ns an element", Isa::current());
    let run = |name: &str, call: &dyn Fn() -> Tensor<f32>, elements: usize| {
        if quick || name.contains(&wanted) {
            println!("{name:<30} {:8.3}", least(call, elements, quick));
        }
    };

    let single = noise(&[1, 128], 13);
    run("sigmoid of one row", &|| single.sigmoid(), single.numel());
    run("tanh of one row", &|| single.tanh(), single.numel());
    let (x, y) = (noise(&[4096, 128], 1), noise(&[4096, 128], 2)); // 2 MB each
    let zero = Tensor::scalar(0.0);
    let (mask, mask_of_rows) = (x.gt(&zero), x.narrow(1, 0, 1).gt(&zero));
    let (positive, all) = (x.abs(), x.numel());
    run("x + y", &|| &x + &y, all);
    run("where(mask, x, y)", &|| Tensor::where_mask(&mask, &x, &y), all);
    run("where(mask, x, 0)", &|| Tensor::where_mask(&mask, &x, &zero), all);
    run("where(mask, 0, y)", &|| Tensor::where_mask(&mask, &zero, &y), all);
    run("where(mask of rows, x, y)", &|| Tensor::where_mask(&mask_of_rows, &x, &y), all);
    run("sign", &|| x.sign(), all);
    run("relu", &|| x.relu(), all);
    run("sqrt", &|| positive.sqrt(), all);
    run("exp", &|| x.exp(), all);
    run("ln", &|| positive.ln(), all);
    run("sigmoid", &|| x.sigmoid(), all);
    run("tanh", &|| x.tanh(), all);
    run("softplus", &|| x.softplus(), all);
    run("sin", &|| x.sin(), all);
    run("cos", &|| x.cos(), all);
    run("sum to [128]", &|| x.sum_to([128]), all);
    run("sum to [4096, 1]", &|| x.sum_to([4096, 1]), all);
    run("max over the last axis", &|| x.max_axis(1, false), all);
    run("max over the first axis", &|| x.max_axis(0, false), all);
    run("softmax of rows", &|| x.softmax(1), all);
    run("log_softmax of rows", &|| x.log_softmax(1), all);

    let s = noise(&[N, H, S], 3);
    let (rows, matrix, columns) = (noise(&[N, 1, S], 4), noise(&[H, S], 5), noise(&[N, H, 1], 6));
    let (vectors, single) = (rows.transpose(1, 2).contiguous(), noise(&[S], 7)); // [N, S, 1]
    let mask = s.gt(&zero);
    let all = s.numel();
    run("short rows: s * s", &|| &s * &s, all);
    run("short rows: s * [N, 1, S]", &|| &s * &rows, all);
    run("short rows: s * [N, H, 1]", &|| &s * &columns, all);
    run("short rows: s * [H, S]", &|| &s * &matrix, all);
    run("short rows: s * [S]", &|| &s * &single, all);
    run("short rows: [N, H, 1]*[N, 1, S]", &|| &columns * &rows, all);
    run("short rows: [N, H, 1]*[H, S]", &|| &columns * &matrix, all);
    run("short rows: where(s, rows, 0)", &|| Tensor::where_mask(&mask, &rows, &zero), all);
    run("short rows: part of s, exp", &|| s.narrow(2, 1, S - 3).exp(), N * H * (S - 3));
    run("short rows: s += [N, 1, S]", &|| s.clone() + &rows, all);
    run("sum to [N, H, 1]", &|| s.sum_to([N, H, 1]), all);
    run("sum to [N, 1, S]", &|| s.sum_to([N, 1, S]), all);
    run("sum to [H, S]", &|| s.sum_to([H, S]), all);
    run("[N, H, S] x [N, S, 1]", &|| s.matmul(&vectors), all);
    run("[N, S, H] x [N, H, 1]", &|| s.transpose(1, 2).matmul(&columns), all);
    for [k, n] in [[64, 64], [100, 400], [128, 512], [512, 2048]] {
        let (x, w) = (noise(&[1, k], 11), noise(&[k, n], 12));
        run(&format!("[1, {k}] x [{k}, {n}]"), &|| x.matmul(&w), k * n);
    }
    let s = noise(&[4096, 5], 8);
    let (row, column) = (noise(&[5], 9), noise(&[4096, 1], 10));
    run("short rows: [4096, 5] * [5]", &|| &s * &row, s.numel());
    run("short rows: [4096, 5] * [4096, 1]", &|| &s * &column, s.numel());
    run("sum to [4096, 1] from [4096, 5]", &|| s.sum_to([4096, 1]), s.numel());
}

/// Numbers of about normal distribution: sums of a few, by a linear congruence (D. Knuth, 1997).
fn noise(dims: &[usize], seed: u64) -> Tensor<f32> {
    let mut state = seed;
    let mut unit = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let count = dims.iter().product();
    Tensor::from_vec((0..count).map(|_| 2.0 * (unit() + unit() + unit() - 1.5)).collect(), dims)
        .expect("as many")
}

/// Nanoseconds an element.
fn least(call: &dyn Fn() -> Tensor<f32>, elements: usize, quick: bool) -> f64 {
    let repeats = if quick { 1 } else { (60_000_000 / elements).clamp(50, 4000) };
    let times = (0..repeats).map(|_| {
        let start = Instant::now();
        let result = black_box(call());
        let taken = start.elapsed();
        drop(result);
        taken.as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min) * 1e9 / elements as f64
}
