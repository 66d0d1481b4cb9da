//! A checkpoint as a `.safetensors` file.
//!
//! Numbers and tensors are arrays, named by what they are and a path: `weights/rnn.wx`, `slots/rnn.wx/m`. The names of the
//! optimizer and of the SIMD level are in the metadata.

use std::collections::BTreeMap;
use std::path::Path;

use retrograde_tensor::{Float, Tensor};

use super::{Checkpoint, Rounding};
use crate::Result;
use crate::optim::{GroupSettings, OptimizerState, Slot};
use crate::weights::{Stored, Weights, WeightsError, Writer};

/// The layout of the file.
const VERSION: usize = 2;

const COUNTS: [&str; 5] = ["version", "epoch", "step", "position", "parts"];

impl<E: Float + Stored> Checkpoint<E> {
    /// Writes the checkpoint as a `.safetensors` file. A file that was there is replaced whole or, if anything fails or the
    /// process is killed, not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut writer = Writer::default();
        writer.insert_metadata("optimizer", &*self.optimizer.name);
        writer.insert_metadata("simd", &*self.rounding.simd);
        let counts = [VERSION, self.epoch, self.step, self.position, self.rounding.parts];
        for (name, count) in COUNTS.into_iter().zip(counts) {
            writer.insert(name, &Tensor::scalar(count));
        }
        for (path, weight) in &self.weights {
            writer.insert(format!("weights/{path}"), weight);
        }
        for (name, &setting) in &self.optimizer.settings {
            writer.insert(format!("settings/{name}"), &Tensor::scalar(setting));
        }
        for (path, group) in &self.optimizer.groups {
            // Not a number stands for none.
            let numbers = [group.lr_scale, group.weight_decay.unwrap_or(f64::NAN)];
            writer.insert(format!("groups/{path}"), &Tensor::from(numbers));
        }
        for (path, slot) in &self.optimizer.slots {
            writer.insert(format!("steps/{path}"), &Tensor::scalar(slot.steps));
            for (name, tensor) in &slot.tensors {
                writer.insert(format!("slots/{path}/{name}"), tensor);
            }
        }
        for (name, state) in &self.generators {
            writer.insert(format!("generators/{name}"), &Tensor::from(state.map(usize::from)));
        }
        for (name, parts) in &self.carried {
            // A state may have no tensors at all.
            writer.insert(format!("carried/{name}"), &Tensor::scalar(parts.len()));
            for (i, part) in parts.iter().enumerate() {
                writer.insert(format!("carried-{i}/{name}"), part);
            }
        }
        for (name, series) in &self.series {
            writer.insert(format!("series/{name}"), &Tensor::from_vec(series.clone(), [series.len()])?);
        }
        writer.save(path)
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// If the file cannot be read, or is no checkpoint of a run in this precision and of this layout.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Reader { file: Weights::load(path)? }.checkpoint()
    }
}

/// A file that is read as a checkpoint.
struct Reader {
    file: Weights,
}

impl Reader {
    fn checkpoint<E: Float + Stored>(&self) -> Result<Checkpoint<E>> {
        match self.count("version")? {
            VERSION => {}
            found => return Err(self.file.error(WeightsError::Version { expected: VERSION, found })),
        }
        let mut checkpoint = Checkpoint {
            weights: BTreeMap::new(),
            optimizer: OptimizerState {
                name: self.string("optimizer")?,
                settings: BTreeMap::new(),
                groups: BTreeMap::new(),
                slots: BTreeMap::new(),
            },
            rounding: Rounding { simd: self.string("simd")?, parts: self.count("parts")? },
            epoch: self.count("epoch")?,
            step: self.count("step")?,
            position: self.count("position")?,
            generators: BTreeMap::new(),
            carried: BTreeMap::new(),
            series: BTreeMap::new(),
        };
        // What the other arrays belong to comes first.
        for name in self.file.names() {
            match name.split_once('/') {
                Some(("steps", path)) => {
                    let slot = Slot { steps: self.count(name)?, tensors: BTreeMap::new() };
                    checkpoint.optimizer.slots.insert(path.to_owned(), slot);
                }
                Some(("carried", state)) => {
                    let part = |i| self.file.get(&format!("carried-{i}/{state}"));
                    let parts = (0..self.count(name)?).map(part).collect::<Result<_>>()?;
                    checkpoint.carried.insert(state.to_owned(), parts);
                }
                _ => {}
            }
        }
        self.file.names().try_for_each(|name| self.array(name, &mut checkpoint))?;
        Ok(checkpoint)
    }

    /// Puts an array in its place.
    fn array<E: Float + Stored>(&self, name: &str, checkpoint: &mut Checkpoint<E>) -> Result<()> {
        let file = &self.file;
        let unexpected = || file.error(WeightsError::Unexpected { name: name.to_owned() });
        match name.split_once('/') {
            None if COUNTS.contains(&name) => {}
            Some(("steps" | "carried", _)) => {}
            Some(("weights", path)) => {
                checkpoint.weights.insert(path.to_owned(), file.get(name)?);
            }
            Some(("settings", setting)) => {
                let number = file.get_shaped::<f64>(name, [])?.item()?;
                checkpoint.optimizer.settings.insert(setting.to_owned(), number);
            }
            Some(("groups", path)) => {
                let numbers = file.get_shaped::<f64>(name, [2])?;
                let (lr_scale, weight_decay) = (numbers.at(&[0]), numbers.at(&[1]));
                let weight_decay = (!weight_decay.is_nan()).then_some(weight_decay);
                let group = GroupSettings { lr_scale, weight_decay };
                checkpoint.optimizer.groups.insert(path.to_owned(), group);
            }
            Some(("slots", slot)) => {
                let (path, tensor) = slot.rsplit_once('/').ok_or_else(unexpected)?;
                let slot = checkpoint.optimizer.slots.get_mut(path).ok_or_else(unexpected)?;
                slot.tensors.insert(tensor.to_owned(), file.get(name)?);
            }
            Some(("generators", generator)) => {
                checkpoint.generators.insert(generator.to_owned(), self.generator(name)?);
            }
            Some(("series", series)) => {
                checkpoint.series.insert(series.to_owned(), file.get::<f64>(name)?.to_vec());
            }
            Some((part, state)) => {
                let i = part.strip_prefix("carried-").and_then(|i| i.parse::<usize>().ok());
                let parts = checkpoint.carried.get(state).map_or(0, Vec::len);
                if i.is_none_or(|i| i >= parts || part != format!("carried-{i}")) {
                    return Err(unexpected());
                }
            }
            None => return Err(unexpected()),
        }
        Ok(())
    }

    fn count(&self, name: &str) -> Result<usize> {
        Ok(self.file.get_shaped::<usize>(name, [])?.item()?)
    }

    fn string(&self, name: &str) -> Result<String> {
        let string = self.file.metadata().get(name).cloned();
        string.ok_or_else(|| self.file.error(WeightsError::NoMetadata { name: name.to_owned() }))
    }

    fn generator(&self, name: &str) -> Result<[u8; 49]> {
        let mut state = [0; 49];
        for (byte, found) in state.iter_mut().zip(&self.file.get_shaped::<usize>(name, [49])?) {
            *byte = u8::try_from(found)
                .map_err(|_| self.file.error(WeightsError::NotAByte { name: name.to_owned(), found }))?;
        }
        Ok(state)
    }
}
