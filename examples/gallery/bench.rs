//! Cells of the gallery with much elementwise work, forwards and backwards, in single precision.

#[allow(dead_code)]
mod cells;
#[path = "../../crates/nn/benches/shared/noise.rs"]
mod noise;
#[allow(dead_code)]
#[path = "../../crates/nn/benches/shared/mod.rs"]
mod shared;

use std::hint::black_box;
use std::time::Instant;

use cells::{ind_rnn::IndRnn, matrix_lstm::MatrixLstm, min_gru::MinGru, s6::S6};
use retrograde::prelude::*;
use shared::{Options, Timed, fail, medians};

const USAGE: &str = "\
cargo bench -p retrograde-examples --bench gallery -- [--shape N,T,D,H] [--cell CELL] [--json]

Forward and backward through a cell over a sequence, with the gradients of all parameters and of the input: medians, in
microseconds.
  --shape N,T,D,H   batch, steps, features, state; for s6, H states of each feature; some usual ones unless told
  --cell CELL       ind_rnn, min_gru, s6 or matrix_lstm; all of them unless told
  --json            one object a line, with the norms of the gradients";

const CELLS: [&str; 4] = ["ind_rnn", "min_gru", "s6", "matrix_lstm"];

/// `[N, T, D, H]`
type Sizes = [usize; 4];

fn main() {
    let options = Options::new(USAGE, &["--shape", "--cell"], &["--json", "--test"]);
    let chosen = options.value("--cell").map_or(CELLS.to_vec(), |cell| vec![cell]);
    let shape = options.value("--shape").map(sizes);
    let rng = &mut StdRng::seed_from_u64(1);
    for cell in chosen {
        let usual = if ["s6", "matrix_lstm"].contains(&cell) { [20, 35, 64, 16] } else { [20, 35, 100, 100] };
        let sizes @ [_, _, d, h] = shape.unwrap_or(usual);
        let (times, norms) = match cell {
            "ind_rnn" => measure(IndRnn::new(d, h, rng), sizes, &options),
            "min_gru" => measure(MinGru::new(d, h, rng), sizes, &options),
            "s6" => measure(S6::new(d, h, rng), sizes, &options),
            "matrix_lstm" => measure(MatrixLstm::new(d, h, rng), sizes, &options),
            _ => fail(&format!("--cell: expected one of {}, found {cell}", CELLS.join(", "))),
        };
        let [forward, both] = times;
        if options.flag("--json") {
            println!(
                r#"{{"shape": {sizes:?}, "cell": "{cell}", "forward_us": {forward:.1}, "both_us": {both:.1}, "norms": {norms:?}}}"#
            );
        } else {
            println!("{cell:<12} {sizes:?}: forward {forward:.0} us, both {both:.0} us");
        }
    }
}

/// The medians of the forward pass and of both; and the L2 norms of the gradients of all parameters and of the input.
fn measure<C: Cell<f32>>(cell: C, [n, t, d, _]: Sizes, options: &Options) -> ([f64; 2], Vec<f64>) {
    let mut layer = Time::new(cell);
    let params = layer.params();
    for (seed, param) in (1..).zip(&params) {
        let scale = 1.0 / (param.shape()[0] as f64).sqrt();
        param.set(noise(&param.shape(), scale, seed)).expect("the same shape");
    }
    let xs = noise(&[n, t, d], 1.0, params.len() as u64 + 1);
    let width = layer.forward(&Tape::inference().constant(xs.clone())).expect("the sizes fit").hs.shape()[2];
    let dhs = noise(&[n, t, width], 1.0, params.len() as u64 + 2);
    let mut norms = Vec::new();
    let mut run = |read: &mut dyn FnMut(&Tensor<f32>)| {
        for param in &params {
            // As after a step of an optimizer: nothing that was derived from the weights is left.
            param.set(param.value().map(|x| x)).expect("the same shape");
        }
        let start = Instant::now();
        let tape = Tape::new();
        let x = tape.var(xs.clone());
        let hs = layer.forward(&x).expect("the sizes fit").hs;
        let forward = start.elapsed();
        let grads = hs.backward_with(&dhs).expect("the tape records");
        for param in &params {
            read(grads.get(param).expect("every parameter is read"));
        }
        read(grads.get(&x).expect("the input is read"));
        drop((hs, x, grads));
        drop(tape);
        [forward, start.elapsed()].map(|time| time.as_secs_f64() * 1e6)
    };
    run(&mut |grad| norms.push(grad.iter().map(|g| f64::from(g).powi(2)).sum::<f64>().sqrt()));
    let timed: Timed<'_, 2> = Box::new(|| {
        run(&mut |grad| {
            black_box(grad);
        })
    });
    (medians(options.flag("--test"), &mut [timed])[0], norms)
}

/// The numbers that all programs make.
fn noise(shape: &[usize], scale: f64, seed: u64) -> Tensor<f32> {
    let numbers = noise::noise(shape.iter().product(), scale, seed);
    Tensor::from_vec(numbers, Shape::new(shape).expect("a shape that fits"))
        .expect("as many numbers as places")
}

fn sizes(text: &str) -> Sizes {
    let parts: Result<Vec<usize>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    match parts.map(Sizes::try_from) {
        Ok(Ok(sizes)) if sizes.iter().all(|&size| size > 0) => sizes,
        _ => fail(&format!("--shape: expected four positive numbers N,T,D,H, found {text}")),
    }
}
