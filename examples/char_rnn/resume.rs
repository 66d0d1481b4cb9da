//! A run that is kept in a file, from which it can go on.

use std::path::PathBuf;

use retrograde::nn::Checkpoint;
use retrograde::prelude::*;
use retrograde_examples::{Error, Result};

use crate::history::History;
use crate::train::Run;

/// Where a run is kept, and which run it is.
pub(crate) struct Saved {
    pub(crate) path: PathBuf,
    /// The windows between two writings.
    pub(crate) every: usize,
    /// The rows of a window, for which a state is carried.
    pub(crate) batch: usize,
    /// The settings that have to be the same for a run to go on, by name.
    pub(crate) settings: Vec<(&'static str, f64)>,
}

impl Saved {
    /// Whether the run is to be written after this many windows.
    pub(crate) fn due(&self, windows: usize) -> bool {
        windows.is_multiple_of(self.every)
    }

    /// Writes everything that the run needs to go on.
    pub(crate) fn write<C: Cell<f32>>(&self, run: &Run<C>) -> Result<()> {
        let Run { model, adam, history, position } = run;
        let mut checkpoint = Checkpoint::of(model, adam)?;
        checkpoint.epoch = history.validation.len();
        checkpoint.step = history.losses.len();
        checkpoint.position = *position;
        checkpoint.carry("layers", model.layers.state());
        checkpoint.series = [
            ("settings", self.settings.iter().map(|&(_, number)| number).collect()),
            ("losses", history.losses.clone()),
            ("validation", history.validation.clone()),
            ("seconds", history.seconds.clone()),
            ("elapsed", vec![history.elapsed]),
        ]
        .map(|(name, series)| (name.to_owned(), series))
        .into();
        Ok(checkpoint.save(&self.path)?)
    }

    /// Gives a run that has not begun what was kept of it.
    ///
    /// # Errors
    /// If the file cannot be read, or if it is of a run with other settings.
    pub(crate) fn restore<C: Cell<f32>>(&self, run: &mut Run<C>) -> Result<()> {
        let checkpoint = Checkpoint::<f32>::load(&self.path)?;
        let series = |name: &str| checkpoint.series.get(name).cloned().unwrap_or_default();
        let kept = series("settings");
        for (i, &(setting, expected)) in self.settings.iter().enumerate() {
            let found = kept.get(i).copied().unwrap_or(f64::NAN);
            if found != expected {
                return Err(Error::OtherRun { path: self.path.clone(), setting, expected, found });
            }
        }
        if let Err(difference) = checkpoint.restore(&run.model, &mut run.adam)?.expect_exact(1) {
            eprintln!("{difference}");
        }
        if let Some(state) = checkpoint.carried_state("layers", &run.model.initial_state(self.batch))? {
            run.model.layers.set_state(state);
        }
        run.position = checkpoint.position;
        run.history = History {
            losses: series("losses"),
            validation: series("validation"),
            seconds: series("seconds"),
            elapsed: series("elapsed").first().copied().unwrap_or(0.0),
        };
        Ok(())
    }
}
