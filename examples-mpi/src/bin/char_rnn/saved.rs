//! A run in a file, from which it goes on with any number of ranks.

use std::ops::Range;

use retrograde::nn::{Checkpoint, Rounding};
use retrograde::prelude::*;
use retrograde_examples_mpi::{Ranks, Result, Sum};

use crate::Options;
use crate::train::Run;

/// Writes the run, with the states of the rows of all ranks, if it is to be kept. All ranks have to call this; rank 0
/// writes.
pub(crate) fn save(run: &Run, rows: &Range<usize>, options: &Options, ranks: &Ranks) -> Result<()> {
    let Some(path) = &options.checkpoint else { return Ok(()) };
    ranks.agree("parameters", run.model.hash())?;
    let (n, h) = (options.batch, options.hidden);
    // Each rank has its rows and zeros elsewhere: their sum is the whole.
    let whole = |part: Option<&Tensor<f32>>| -> Result<Tensor<f32>> {
        let mut all = vec![0.0; n * h];
        if let Some(part) = part {
            all[rows.start * h..rows.end * h].copy_from_slice(&part.to_vec());
        }
        ranks.add(&mut all, Sum::Ordered)?;
        Ok(Tensor::from_vec(all, [n, h])?)
    };
    let state = run.model.lstm.state();
    let state = (whole(state.map(|(h, _)| h))?, whole(state.map(|(_, c)| c))?);
    if ranks.rank() == 0 {
        let mut checkpoint = Checkpoint::of(&run.model, &run.adam)?;
        checkpoint.rounding = Rounding::here(ranks.size());
        checkpoint.step = run.losses.len();
        checkpoint.series.insert("losses".into(), run.losses.clone());
        checkpoint.carry("lstm", Some(&state));
        checkpoint.save(path)?;
    }
    Ok(())
}

/// Goes on from the file, each rank with the state of its rows. Returns the number of steps that are done.
pub(crate) fn restore(run: &mut Run, rows: &Range<usize>, options: &Options, ranks: &Ranks) -> Result<usize> {
    let path = options.checkpoint.as_ref().expect("`--resume` requires `--checkpoint`");
    let checkpoint = Checkpoint::load(path)?;
    let restored = checkpoint.restore(&run.model, &mut run.adam)?;
    if let (0, Err(difference)) = (ranks.rank(), restored.expect_exact(ranks.size())) {
        println!("{difference}");
    }
    let zeros = || Tensor::zeros([options.batch, options.hidden]);
    if let Some((h, c)) = checkpoint.carried_state("lstm", &(zeros(), zeros()))?
        && !rows.is_empty()
    {
        let cut = |x: Tensor<f32>| x.narrow(0, rows.start, rows.len());
        run.model.lstm.set_state((cut(h), cut(c)));
    }
    run.losses = checkpoint.series.get("losses").cloned().unwrap_or_default();
    Ok(checkpoint.step)
}
