//! Failures on purpose, by which `scripts/mpi` tests that none of them leaves the other ranks waiting.

use std::process::{Command, exit, id};
use std::str::FromStr;
use std::thread::sleep;
use std::time::Duration;

use retrograde_examples_mpi::Result;

/// A way to fail, when, and on which rank.
#[derive(Clone)]
pub(crate) struct Fault {
    how: String,
    step: usize,
    rank: usize,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let parse = || {
            let (how, at) = text.split_once('@')?;
            let (step, rank) = at.split_once(':')?;
            Some(Fault { how: how.to_owned(), step: step.parse().ok()?, rank: rank.parse().ok()? })
        };
        parse().ok_or_else(|| format!("expected HOW@STEP:RANK, found {text}"))
    }
}

impl Fault {
    /// Fails, if it is time to. Returns whether the rank is to return early.
    pub(crate) fn strike(&self, step: usize, rank: usize) -> Result<bool> {
        if (step, rank) != (self.step, self.rank) {
            return Ok(false);
        }
        match self.how.as_str() {
            "panic" => panic!("a panic on purpose"),
            "error" => Err("an error on purpose".into()),
            "return" => Ok(true),
            "exit" => exit(0),
            "hang" => loop {
                sleep(Duration::from_secs(3600));
            },
            // As the system does when memory runs out.
            "kill" => {
                Command::new("kill").args(["-9", &id().to_string()]).status()?;
                sleep(Duration::from_secs(3600));
                Ok(true)
            }
            how => Err(format!("expected panic, error, return, exit, kill or hang, found {how}").into()),
        }
    }
}
