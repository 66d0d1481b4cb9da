//! A model of text, trained on any number of ranks: `mpirun -n 4 char_rnn`, or by threads of one process without MPI:
//! `char_rnn --parts 4`. With as many ranks as parts, both learn the same bit for bit.

mod fault;
mod saved;
mod train;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use fault::Fault;
use retrograde_examples_mpi::{Sum, run};

/// Learn which character comes next, on all ranks of an MPI job.
#[derive(Parser)]
#[command(name = "char_rnn", args_override_self = true)]
struct Options {
    /// Learn from FILE [default: a page of this project's docs]
    #[arg(long, value_name = "FILE")]
    text: Option<PathBuf>,
    /// Windows to train on
    #[arg(long, value_name = "N", default_value = "200")]
    steps: usize,
    /// Rows of a batch, which the ranks share
    #[arg(long, value_name = "N", default_value = "32")]
    batch: usize,
    /// Characters of a window
    #[arg(long, value_name = "T", default_value = "32")]
    time: usize,
    /// Size of the vectors that stand for characters
    #[arg(long, value_name = "D", default_value = "32")]
    embedding: usize,
    /// Size of the state
    #[arg(long, value_name = "H", default_value = "64")]
    hidden: usize,
    /// Learning rate
    #[arg(long, default_value = "0.003")]
    rate: f64,
    /// Greatest norm of the gradients
    #[arg(long, value_name = "NORM", default_value = "1")]
    clip: f64,
    /// Seed of the first weights
    #[arg(long, default_value = "1")]
    seed: u64,
    /// The order in which gradients are added
    #[arg(long, value_enum, default_value = "ordered")]
    sum: Sum,
    /// Train by N threads of one process, without MPI
    #[arg(long, value_name = "N", conflicts_with = "checkpoint")]
    parts: Option<usize>,
    /// Keep the run in FILE, which rank 0 writes and all ranks read
    #[arg(long, value_name = "FILE")]
    checkpoint: Option<PathBuf>,
    /// Windows between two writings of the checkpoint
    #[arg(long, value_name = "N", default_value = "100")]
    every: usize,
    /// Go on from the checkpoint, with any number of ranks
    #[arg(long, requires = "checkpoint")]
    resume: bool,
    /// Draw a progress bar instead of ten lines: behind `mpirun`, a program cannot tell whether anybody watches
    #[arg(long)]
    bar: bool,
    /// Seconds that a rank waits for the others
    #[arg(long, value_name = "SECONDS", default_value = "600")]
    timeout: f64,
    /// Fail on purpose: HOW@STEP:RANK, where HOW is panic, error, return, exit, kill or hang
    #[arg(long, hide = true)]
    fail: Option<Fault>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(parts) = options.parts {
        return match train::by_threads(&options, parts) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("{error}");
                ExitCode::FAILURE
            }
        };
    }
    run(Duration::from_secs_f64(options.timeout), |ranks| train::by_ranks(&options, ranks))
}
