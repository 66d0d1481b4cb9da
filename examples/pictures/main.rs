//! Draws the pictures of the course into `docs/learn`, or into another folder.
//!
//! ```text
//! cargo run --release --example pictures -- [DIR]
//! ```
#![forbid(unsafe_code)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use retrograde_examples::{Error, Result, pictures};

/// Draw the pictures of the course.
#[derive(Parser)]
#[command(name = "pictures")]
struct Args {
    /// The folder that they are written into
    #[arg(value_name = "DIR", default_value = "docs/learn")]
    folder: PathBuf,
}

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("pictures: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let english = pictures::all()?.into_iter().map(|(name, text)| (name.to_owned(), text));
    for (name, text) in english.chain(pictures::in_korean()?) {
        let path = args.folder.join(name);
        let written = std::fs::create_dir_all(path.parent().unwrap_or(&path))
            .and_then(|()| std::fs::write(&path, text));
        written.map_err(|source| Error::Unwritable { path: path.clone(), source })?;
        println!("{}", path.display());
    }
    Ok(())
}
