//! Scalars for TensorBoard: the losses of a run as it watches them.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use clap::Args;

use crate::{Error, Result};

/// The option of runs that write scalars.
#[derive(Args, Clone, Debug, Default)]
pub struct Scalars {
    /// Write losses for TensorBoard below DIR
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,
}

impl Scalars {
    /// Opens the file of a run, a folder of that name below the one that was asked for; none without the option.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn open(&self, run: &str) -> Result<Option<Events>> {
        self.tensorboard.as_ref().map(|folder| Events::create(&folder.join(run))).transpose()
    }
}

/// A file of events.
///
/// # Example
/// ```
/// use retrograde_examples::tensorboard::Events;
///
/// let folder = std::env::temp_dir().join("tensorboard-example");
/// let mut events = Events::create(&folder)?;
/// events.scalar("loss/train", 0, 2.5)?; // `tensorboard --logdir` shows it at once
/// std::fs::remove_dir_all(&folder).unwrap();
/// # Ok::<(), retrograde_examples::Error>(())
/// ```
///
/// # Source
/// TensorFlow: `lib/io/record_writer.h`, `util/event.proto`, `framework/summary.proto`.
#[derive(Debug)]
pub struct Events {
    file: File,
    path: PathBuf,
}

impl Events {
    /// Creates a new file in a folder, which is made too.
    ///
    /// # Errors
    /// If the file cannot be made.
    pub fn create(folder: &Path) -> Result<Self> {
        let unwritable = |path: &Path, source| Error::Unwritable { path: path.to_owned(), source };
        std::fs::create_dir_all(folder).map_err(|source| unwritable(folder, source))?;
        let (seconds, mut files) = (now() as u64, 0..);
        loop {
            let n = files.next().unwrap_or(u32::MAX);
            let path = folder.join(format!("events.out.tfevents.{seconds}.{}.{n}", std::process::id()));
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(source) => return Err(unwritable(&path, source)),
                Ok(file) => {
                    let mut events = Events { file, path };
                    events.event(&bytes(3, b"brain.Event:2"))?;
                    return Ok(events);
                }
            }
        }
    }

    /// Writes the value of a scalar in a step.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn scalar(&mut self, tag: &str, step: usize, value: f64) -> Result<()> {
        let value =
            [&bytes(1, tag.as_bytes())[..], &[2 << 3 | FIXED_32], &(value as f32).to_le_bytes()].concat();
        self.event(&[&[2 << 3 | VARINT][..], &varint(step as u64), &bytes(5, &bytes(1, &value))].concat())
    }

    /// Writes an event: the time, in seconds, and other fields.
    fn event(&mut self, fields: &[u8]) -> Result<()> {
        let event = [&[1 << 3 | FIXED_64][..], &now().to_le_bytes(), fields].concat();
        let written = self.file.write_all(&record(&event));
        written.map_err(|source| Error::Unwritable { path: self.path.clone(), source })
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

/// The kinds of fields of a protocol buffer: <https://protobuf.dev/programming-guides/encoding>.
const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const BYTES: u8 = 2;
const FIXED_32: u8 = 5;

/// A number of 7 bits per byte, the lowest first.
fn varint(mut number: u64) -> Vec<u8> {
    let mut digits = Vec::new();
    while number > 127 {
        digits.push(number as u8 | 128);
        number >>= 7;
    }
    digits.push(number as u8);
    digits
}

/// A field of bytes.
fn bytes(field: u8, content: &[u8]) -> Vec<u8> {
    [&[field << 3 | BYTES][..], &varint(content.len() as u64), content].concat()
}

/// A record: its length, the checksum of that, the data, the checksum of those.
fn record(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    let masked = |bytes: &[u8]| crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}

/// The checksum of Castagnoli's polynomial, bit by bit.
///
/// # Source
/// G. Castagnoli, S. Bräuer and M. Herrmann, *Optimization of cyclic redundancy-check codes* (1993); RFC 3720, section 12.1.
#[must_use]
pub fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc: u32, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| crc >> 1 ^ if crc & 1 == 1 { 0x82f6_3b78 } else { 0 })
    })
}
