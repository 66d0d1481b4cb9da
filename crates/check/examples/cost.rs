//! The time that a check takes, and how many passes of the layer that is, forwards and backwards:
//! `cargo run --release -p retrograde-check --example cost`.

use std::error::Error;
use std::time::Instant;

use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::Tape;
use retrograde_check::Check;
use retrograde_nn::{Layer, LstmCell, SequenceOptions, Stacked, TimeLstm};
use retrograde_tensor::Tensor;

fn main() -> Result<(), Box<dyn Error>> {
    println!("{:<28} {:>8} {:>8} {:>12} {:>8}", "layer", "weights", "check", "one pass", "passes");
    for h in [16, 64] {
        let lstm = TimeLstm::new(LstmCell::new(4, h, &mut StdRng::seed_from_u64(1)));
        measure(&format!("lstm, N=2 T=5 D=4 H={h}"), lstm)?;
    }
    let rng = &mut StdRng::seed_from_u64(1);
    let mut cell = |d| TimeLstm::new(LstmCell::new(d, 77, rng));
    measure("3 lstms, N=2 T=5 D=15 H=77", Stacked::new(vec![cell(15), cell(77), cell(77)]))
}

fn measure(name: &str, mut layer: impl Layer<f64>) -> Result<(), Box<dyn Error>> {
    let (n, steps, d) = (2, 5, layer.input_size());
    let weights: usize = layer.named_params().iter().map(|(_, param)| param.value().numel()).sum();
    let mut rng = StdRng::seed_from_u64(2);
    let xs = Tensor::<f64>::normal([n, steps, d], 0.0, 1.0, &mut rng)?;
    let mut pass = f64::INFINITY;
    for _ in 0..20 {
        let start = Instant::now();
        let tape = Tape::new();
        let xs = tape.var(xs.clone());
        let (hs, _) = layer.run_from(&xs, layer.initial_state(&tape, n, None)?, &SequenceOptions::new())?;
        hs.sum().backward()?;
        pass = pass.min(start.elapsed().as_secs_f64());
    }
    let start = Instant::now();
    let report = Check::new().input("xs", xs).layer(&mut layer)?;
    let seconds = start.elapsed().as_secs_f64();
    report.assert_ok();
    let (micros, passes) = (1e6 * pass, seconds / pass);
    println!("{name:<28} {weights:>8} {seconds:>6.2} s {micros:>9.0} µs {passes:>8.0}");
    Ok(())
}
