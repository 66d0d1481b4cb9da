//! The options that most examples have.

use std::path::PathBuf;

use clap::Args;

use crate::{Error, Result, Screen};

/// The options of every run: a seed, its length, and the folder of its figures.
#[derive(Args, Clone, Debug)]
pub struct Options {
    /// Seed of every random number
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
    /// Take a few seconds: smaller models, less training
    #[arg(long)]
    pub quick: bool,
    /// Put the figures into DIR
    #[arg(long, value_name = "DIR", default_value = "target/figures")]
    pub out: PathBuf,
}

/// The note of quick runs: nothing is to be learned from their numbers.
pub const QUICK: &str = "quick: hardly trained, so the numbers say nothing of the models";

impl Options {
    /// Prints a line in a quick run, which says so.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn note(&self, screen: &mut Screen) -> Result<()> {
        if self.quick {
            screen.line(QUICK)?;
        }
        Ok(())
    }

    /// The path of a figure, in a folder that exists from now on.
    ///
    /// # Errors
    /// If the folder cannot be made.
    pub fn figure(&self, name: &str) -> Result<PathBuf> {
        std::fs::create_dir_all(&self.out)
            .map_err(|source| Error::Unwritable { path: self.out.clone(), source })?;
        Ok(self.out.join(name))
    }
}

/// A number of an option that has to be finite and at least 0, such as a rate.
///
/// # Errors
/// If it is not.
pub fn at_least_zero(text: &str) -> std::result::Result<f64, String> {
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() && number >= 0.0 => Ok(number),
        _ => Err("expected a finite number of at least 0".to_owned()),
    }
}
