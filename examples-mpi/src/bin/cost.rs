//! The seconds that a sum of gradients takes: `mpirun -n 2 cost`.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use retrograde_examples_mpi::{Ranks, Result, Sum, run};

fn main() -> ExitCode {
    run(Duration::from_secs(600), |ranks| {
        if ranks.rank() == 0 {
            println!(
                "{} ranks, the least of many sums\n{:>12}{:>14}{:>14}",
                ranks.size(),
                "numbers",
                "ordered",
                "allreduce"
            );
        }
        [1, 1_000, 30_000, 1_000_000, 4_000_000].into_iter().try_for_each(|numbers| measure(ranks, numbers))
    })
}

fn measure(ranks: &Ranks, numbers: usize) -> Result<()> {
    let tries = (20_000_000 / (numbers + 20_000)).clamp(5, 300);
    let least = |how| -> Result<f64> {
        let mut least = f64::INFINITY;
        for _ in 0..tries {
            let mut mine = vec![1.0; numbers];
            ranks.agree("tries", tries as u64)?; // all begin together
            let clock = Instant::now();
            ranks.add(&mut mine, how)?;
            least = least.min(clock.elapsed().as_secs_f64());
        }
        Ok(1e6 * least)
    };
    let [ordered, allreduce] = [least(Sum::Ordered)?, least(Sum::Allreduce)?];
    if ranks.rank() == 0 {
        println!("{numbers:>12}{ordered:>11.1} µs{allreduce:>11.1} µs");
    }
    Ok(())
}
