//! The parameters of a model as a file.

use std::path::Path;

use retrograde_autograd::Param;
use retrograde_tensor::{Float, Tensor};

use super::{Stored, Weights, WeightsError, Writer};
use crate::Result;
use crate::module::Module;

/// Writes the parameters of a model to a `.safetensors` file, by their paths, each once. A file that was there is
/// replaced whole or not at all; see [writing](crate::weights#writing).
///
/// Parameters that the model does not list are not written: [`Optimizer::of`](crate::Optimizer::of) and
/// [`Module::check_gradients`] tell of them while training.
///
/// # Errors
/// If two parameters have one path, if a path is `__metadata__`, or if the file cannot be written.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_nn::Linear;
/// use retrograde_nn::weights::{self, Weights};
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let path = std::env::temp_dir().join("save-example.safetensors");
/// let trained = Linear::<f32>::new(3, 2, &mut rng);
/// weights::save(&trained, &path)?;
/// let linear = Linear::<f32>::new(3, 2, &mut rng);
/// Weights::load(&path)?.load_into(&linear)?;
/// assert_eq!(linear.w.value(), trained.w.value());
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn save<E: Float + Stored>(module: &impl Module<E>, path: impl AsRef<Path>) -> Result<()> {
    let mut writer = Writer::default();
    module.try_named_params()?.iter().for_each(|(path, param)| writer.insert(path, &param.value()));
    writer.save(path)
}

/// The names of a model and a file of which a part was loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Loaded {
    /// The parameters that have been loaded.
    pub loaded: Vec<String>,
    /// The parameters that are not in the file and stayed as they were.
    pub missing: Vec<String>,
    /// The arrays of the file that are no parameters.
    pub unexpected: Vec<String>,
}

impl Weights {
    /// Gives every parameter of a model the array of its path, in whatever order they are stored.
    ///
    /// # Errors
    /// If a parameter has no array, if an array has no parameter, if a shape or an element type differs, or if two
    /// parameters have one path. No parameter has changed then.
    pub fn load_into<E: Float + Stored>(&self, module: &impl Module<E>) -> Result<()> {
        let (found, Loaded { missing, unexpected, .. }) = self.matching(module)?;
        let missing = missing.into_iter().map(|name| WeightsError::Missing { name });
        let unexpected = unexpected.into_iter().map(|name| WeightsError::Unexpected { name });
        if let Some(fault) = missing.chain(unexpected).next() {
            return Err(self.error(fault));
        }
        set(found)
    }

    /// Gives the parameters of a model whose paths are in the file these arrays. Returns which those are.
    ///
    /// # Errors
    /// If the shape or the element type of one differs, or if two parameters have one path. No parameter has changed
    /// then.
    pub fn load_part_into<E: Float + Stored>(&self, module: &impl Module<E>) -> Result<Loaded> {
        let (found, loaded) = self.matching(module)?;
        set(found)?;
        Ok(loaded)
    }

    fn matching<E: Float + Stored>(&self, module: &impl Module<E>) -> Result<(Vec<Found<E>>, Loaded)> {
        let params = module.try_named_params()?;
        let (mut found, mut names) = (Vec::new(), Loaded::default());
        for (name, param) in &params {
            if self.contains(name) {
                found.push((param.clone(), self.get_shaped(name, param.shape())?));
                names.loaded.push(name.clone());
            } else {
                names.missing.push(name.clone());
            }
        }
        let unexpected = self.names().filter(|name| !params.iter().any(|(known, _)| known == name));
        names.unexpected = unexpected.map(str::to_owned).collect();
        Ok((found, names))
    }
}

/// A parameter and its new value.
type Found<E> = (Param<E>, Tensor<E>);

fn set<E: Float>(found: Vec<Found<E>>) -> Result<()> {
    found.into_iter().try_for_each(|(param, value)| Ok(param.set(value)?))
}
