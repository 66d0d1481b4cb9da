//! The committed golden values, and copies of them to be damaged.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use retrograde_examples::golden::{self, Report};
use serde_json::Value;

/// The set that is part of the project.
pub fn committed() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("golden")
}

/// A copy of the committed set that can be damaged, removed when dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// A copy in the folder for temporary files.
    #[allow(clippy::new_without_default, reason = "it writes files")]
    pub fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("retrograde-golden-{}-{count}", std::process::id()));
        fs::create_dir(&folder).unwrap();
        let trainings = ["char_rnn.json", "char_rnn.safetensors", "char_rnn.txt"];
        for file in
            ["ops.json", "ops.safetensors", "cells.json", "cells.safetensors"].into_iter().chain(trainings)
        {
            fs::copy(committed().join(file), folder.join(file)).unwrap();
        }
        Folder(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// The bytes of a file.
    pub fn read(&self, file: &str) -> Vec<u8> {
        fs::read(self.0.join(file)).unwrap()
    }

    /// Writes a file.
    pub fn write(&self, file: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.0.join(file), bytes).unwrap();
    }

    /// Removes a file.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.0.join(file)).unwrap();
    }

    /// Changes a manifest.
    pub fn edit_json(&self, file: &str, edit: impl FnOnce(&mut Value)) {
        let mut value = serde_json::from_slice(&self.read(file)).unwrap();
        edit(&mut value);
        self.write(file, value.to_string());
    }

    /// Changes a field of one case.
    pub fn set(&self, file: &str, case: &str, field: &str, to: Value) {
        self.edit_json(file, |manifest| {
            let cases = manifest["cases"].as_array_mut().unwrap();
            cases.iter_mut().find(|fields| fields["case"] == case).unwrap()[field] = to;
        });
    }

    /// Replaces a piece of a header by another one of the same length.
    pub fn edit_header(&self, file: &str, from: &str, to: &str) {
        assert_eq!(from.len(), to.len());
        let mut bytes = self.read(file);
        let at = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        bytes[at..at + from.len()].copy_from_slice(to.as_bytes());
        self.write(file, bytes);
    }

    /// Changes the first number of an array.
    pub fn edit_number(&self, file: &str, array: &str, edit: impl FnOnce(f64) -> f64) {
        let mut bytes = self.read(file);
        let data = 8 + u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
        let header: Value = serde_json::from_slice(&bytes[8..data]).unwrap();
        let at = data + header[array]["data_offsets"][0].as_u64().unwrap() as usize;
        let number = f64::from_le_bytes(bytes[at..at + 8].try_into().unwrap());
        bytes[at..at + 8].copy_from_slice(&edit(number).to_le_bytes());
        self.write(file, bytes);
    }

    /// The output.
    pub fn run(&self) -> Report {
        golden::run(&self.0).unwrap()
    }

    /// The message on the folder as bad input, with `DIR` for its path.
    pub fn refusal(&self) -> String {
        let error = golden::run(&self.0).unwrap_err().to_string();
        error.replace(&format!("{}{}", self.0.display(), std::path::MAIN_SEPARATOR), "DIR/")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
