//! The same training, by ranks and by threads.

use std::thread;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget};
use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde::nn::{Parallel, Windows, split_even};
use retrograde::prelude::*;
use retrograde_examples_mpi::{CharRnn, Ranks, Result, Share};

use crate::{Options, saved};

/// A run, the same on all ranks but for the state that the model carries, which is that of a rank's rows.
pub(crate) struct Run {
    pub(crate) model: CharRnn,
    pub(crate) adam: Adam<f32>,
    pub(crate) losses: Vec<f64>,
}

/// The text as numbers, and how many different ones there are.
fn text(options: &Options) -> Result<(Vec<usize>, usize)> {
    let text = match &options.text {
        Some(path) => {
            std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?
        }
        None => include_str!("../../../../docs/design.md").to_owned(),
    };
    let mut alphabet: Vec<char> = text.chars().collect();
    alphabet.sort_unstable();
    alphabet.dedup();
    let token = |c| alphabet.binary_search(&c).expect("the alphabet has every character");
    Ok((text.chars().map(token).collect(), alphabet.len()))
}

impl Run {
    fn new(options: &Options, v: usize) -> Result<Self> {
        let sizes = [v, options.embedding, options.hidden];
        let model = CharRnn::new(sizes, &mut StdRng::seed_from_u64(options.seed));
        Ok(Run { adam: Adam::new(options.rate).of(&model)?, model, losses: Vec::new() })
    }

    fn report(&self, name: &str, start: usize, clock: Instant) {
        let [first, last] = [self.losses.first(), self.losses.last()].map(|loss| loss.unwrap_or(&f64::NAN));
        let steps = (self.losses.len() - start).max(1);
        let milliseconds = 1e3 * clock.elapsed().as_secs_f64() / steps as f64;
        println!("{name}: loss {first:.6} -> {last:.9}, {milliseconds:.2} ms a step");
        println!("hash {:016x}", self.model.hash());
    }
}

/// Trains on all ranks.
pub(crate) fn by_ranks(options: &Options, ranks: &Ranks) -> Result<()> {
    let (tokens, v) = text(options)?;
    let mut run = Run::new(options, v)?;
    let rows = split_even(options.batch, ranks.size()).nth(ranks.rank()).unwrap_or(0..0);
    let start = if options.resume { saved::restore(&mut run, &rows, options, ranks)? } else { 0 };
    let windows = Windows::new(&tokens, options.batch, options.time)?.at(start * options.time);
    // One for all ranks.
    let first = ranks.rank() == 0;
    let target =
        if first && options.bar { ProgressDrawTarget::stdout() } else { ProgressDrawTarget::hidden() };
    let bar = ProgressBar::with_draw_target(Some(options.steps as u64), target);
    let clock = Instant::now();
    for (step, window) in (start..options.steps).zip(windows) {
        if let Some(fault) = &options.fail
            && fault.strike(step, ranks.rank())?
        {
            return Ok(());
        }
        let share = match rows.len() {
            0 => Share::default(),
            n => run
                .model
                .pass(&window.inputs.narrow(0, rows.start, n), &window.targets.narrow(0, rows.start, n))?,
        };
        let batch = ranks.sum(&run.model, &share, options.sum)?;
        let loss = run.model.descend(batch, &mut run.adam, options.clip)?;
        run.losses.push(loss);
        let done = step + 1;
        bar.set_position(done as u64);
        if first && !options.bar && done.is_multiple_of(options.steps.div_ceil(10)) {
            println!("step {done} of {}: loss {loss:.4}", options.steps);
        }
        if done.is_multiple_of(options.every) || done == options.steps {
            saved::save(&run, &rows, options, ranks)?;
        }
    }
    bar.finish_and_clear();
    ranks.agree("parameters", run.model.hash())?;
    if first {
        run.report(&format!("{} ranks", ranks.size()), start, clock);
    }
    Ok(())
}

/// Trains by threads of this process.
pub(crate) fn by_threads(options: &Options, parts: usize) -> Result<()> {
    let (tokens, v) = text(options)?;
    let mut run = Run::new(options, v)?;
    let windows = Windows::new(&tokens, options.batch, options.time)?;
    let clock = Instant::now();
    thread::scope(|scope| {
        let mut parallel = Parallel::new(scope, parts, |_| {
            let mut model = run.model.clone(); // the same parameters, and a state of its own
            move |(inputs, targets): (Tensor<usize>, Tensor<usize>)| model.pass(&inputs, &targets)
        });
        for window in windows.take(options.steps) {
            let part = |rows: std::ops::Range<usize>| {
                let of = |x: &Tensor<usize>| x.narrow(0, rows.start, rows.len());
                (of(&window.inputs), of(&window.targets))
            };
            let mut batch = Share::default();
            for share in parallel.run(split_even(options.batch, parts).map(part).collect()) {
                batch.add(&share?);
            }
            let loss = run.model.descend(batch, &mut run.adam, options.clip)?;
            run.losses.push(loss);
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    run.report(&format!("{parts} parts"), 0, clock);
    Ok(())
}
