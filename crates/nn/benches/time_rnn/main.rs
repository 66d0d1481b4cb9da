//! Forward and backward through a recurrent layer, at the sizes of recurrent training, in single precision.

mod custom;
mod hand_planned;
mod layer;
#[path = "../shared/noise.rs"]
mod noise;
#[path = "../shared/mod.rs"]
mod shared;

use layer::{CELLS, Measured, Sizes, measure};
use retrograde_tensor::{Isa, peak_gflops};
use shared::{Options, fail};

const USAGE: &str = "\
cargo bench -p retrograde-nn --bench time_rnn -- [--shape N,T,D,H] [--cell CELL] [--sweep T|N|H] [--threads K]
    [--recompute K] [--json]

Forward and backward through a layer, with the gradients of all parameters and of the input: medians, in microseconds. By
turns with it, on one thread, the same passes planned by hand on plain slices, which must arrive at the same gradients.
  --shape N,T,D,H   batch, steps, features, state; seven usual ones unless told
  --cell CELL       rnn (unless told), lstm, gru, or custom: the RNN as a user writes it, by turns with rnn
  --sweep T|N|H     the cost over steps, over rows, or over the size of the state and of the input
  --threads K       how many share the rows of the batch; 1 unless told
  --recompute K     keep every K-th state and compute the others again; all are kept unless told
  --json            one object a line";

/// From a single row and few steps to what fills the caches.
const USUAL: [Sizes; 7] = [
    [1, 25, 64, 100],
    [10, 5, 100, 100],
    [20, 35, 100, 100],
    [32, 64, 128, 128],
    [32, 128, 256, 256],
    [64, 100, 512, 512],
    [20, 35, 650, 650],
];

fn main() {
    let options = Options::new(
        USAGE,
        &["--shape", "--cell", "--sweep", "--threads", "--recompute"],
        &["--json", "--test"],
    );
    let threads = options.threads();
    let cell = options.value("--cell").unwrap_or("rnn");
    if !CELLS.contains(&cell) {
        fail(&format!("--cell: expected one of {}, found {cell}", CELLS.join(", ")));
    }
    let recompute = options.number("--recompute", 0);
    let given = options.value("--shape").map(sizes);
    let mut all = match options.value("--sweep") {
        Some(axis) => sweep(axis, given),
        None => given.map_or(USUAL.to_vec(), |given| vec![given]),
    };
    let quick = options.flag("--test");
    if quick {
        all.truncate(1);
    }
    if !options.flag("--json") {
        println!("{cell}, f32, threads: {threads}, kernels: {}", Isa::current());
        let of_rnn = if cell == "custom" { "of rnn" } else { "" };
        println!(
            "{:>20} {:>11} {:>11} {:>9} {:>8} {:>8} {:>11} {:>8} {of_rnn:>7}",
            "N, T, D, H", "forward µs", "both µs", "a step", "GFLOP/s", "of peak", "by hand µs", "of hand"
        );
    }
    for sizes in all {
        let measured = measure(cell, sizes, [threads, recompute], quick);
        let peak = peak_gflops(if quick { 0.0 } else { 0.02 });
        let line = if options.flag("--json") { json } else { row };
        println!("{}", line(cell, sizes, threads, &measured, peak));
    }
    if let Some(peak) = peak_memory().filter(|_| !options.flag("--json")) {
        println!("the most memory that was used at a time: {peak}");
    }
}

/// The system's count for this process, where it has one.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(peak.trim().to_owned())
}

fn row(_: &str, [n, t, d, h]: Sizes, _: usize, measured: &Measured, peak: f64) -> String {
    let &Measured { forward, both, gflops, of_rnn, by_hand, .. } = measured;
    let (sizes, a_step, share) = (format!("{n}, {t}, {d}, {h}"), both / t as f64, 100.0 * gflops / peak);
    let of_rnn = of_rnn.map_or(String::new(), |ratio| format!("{ratio:8.2}"));
    let by_hand = by_hand.map_or(String::new(), |hand| format!(" {hand:11.0} {:8.2}", both / hand));
    format!("{sizes:>20} {forward:11.0} {both:11.0} {a_step:9.2} {gflops:8.1} {share:6.0} %{by_hand}{of_rnn}")
}

fn json(cell: &str, sizes: Sizes, threads: usize, measured: &Measured, peak: f64) -> String {
    let &Measured { forward, both, gflops, of_rnn, by_hand, dwh_norm } = measured;
    let of_rnn = of_rnn.map_or(String::new(), |ratio| format!(r#", "of_rnn": {ratio:.3}"#));
    let by_hand = by_hand
        .map_or(String::new(), |hand| format!(r#", "by_hand_us": {hand:.1}, "of_hand": {:.3}"#, both / hand));
    format!(
        r#"{{"shape": {sizes:?}, "cell": "{cell}", "threads": {threads}, "forward_us": {forward:.1}, "both_us": {both:.1}, "gflops": {gflops:.2}, "peak_gflops": {peak:.1}, "dwh_norm": {dwh_norm:.6e}{of_rnn}{by_hand}}}"#
    )
}

fn sizes(text: &str) -> Sizes {
    let parts: Result<Vec<usize>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.map(Sizes::try_from) {
        Ok(Ok(sizes)) if sizes.iter().all(|&size| size > 0) => sizes,
        _ => fail(&format!("--shape: expected four positive numbers N,T,D,H, found {text}")),
    }
}

/// One of the sizes at several values, the others as given.
fn sweep(axis: &str, given: Option<Sizes>) -> Vec<Sizes> {
    match axis {
        "T" => {
            let [n, _, d, h] = given.unwrap_or([1, 0, 64, 100]);
            [10, 100, 1_000, 10_000, 100_000].map(|t| [n, t, d, h]).to_vec()
        }
        "N" => {
            let [_, t, d, h] = given.unwrap_or([0, 35, 100, 100]);
            [1, 2, 5, 10, 20, 50, 100, 200, 500].map(|n| [n, t, d, h]).to_vec()
        }
        "H" => {
            let [n, t, _, _] = given.unwrap_or([20, 35, 0, 0]);
            [8, 16, 32, 64, 100, 128, 256, 512, 1024].map(|h| [n, t, h, h]).to_vec()
        }
        found => fail(&format!("--sweep: expected T, N or H, found {found}")),
    }
}
