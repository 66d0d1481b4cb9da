//! The state of a whole training run.

mod file;
mod rounding;

use std::collections::BTreeMap;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::module::Module;
use crate::optim::{Optimizer, OptimizerState};
use crate::time::{State, Tree};
use crate::weights::Stored;
use crate::{Error, Result};
pub use rounding::{Restored, Rounding};

/// The generator whose state a [`Checkpoint`] keeps. With the same seed it draws the same numbers as `StdRng`.
///
/// `generator.serialize_state()` is its state, `Generator::deserialize_state(&state)` the generator in that state.
pub type Generator = rand::rngs::ChaCha12Rng;

/// All that a run needs to go on as if it had not been interrupted, bit for bit: weights, the optimizer state with all
/// settings, generators, the place in the data, states that are carried from window to window, and series such as the
/// losses so far.
///
/// A schedule needs the step alone; the fields of a [`Plateau`](crate::Plateau) are a series of three numbers. What is
/// constant in the program, such as the norm that gradients are clipped to, is not part of it.
///
/// Bit for bit holds where sums are rounded in the same order: on the same level of SIMD instructions, with the rows of a
/// batch in the same number of parts. The file says both, and [`restore`](Self::restore) returns a value that has to be
/// asked: see [`Restored`].
///
/// A file of an earlier layout is refused, since it does not say to which optimizer its numbers belong. Its weights are the
/// arrays `weights/..` of [`Weights`](crate::weights::Weights).
///
/// # Example
/// ```
/// use rand::{RngExt, SeedableRng};
/// use retrograde_nn::{Adam, Checkpoint, Generator, Linear, Optimizer};
///
/// let path = std::env::temp_dir().join("checkpoint-example.safetensors");
/// let mut rng = Generator::seed_from_u64(1);
/// let linear = Linear::<f32>::new(3, 2, &mut rng);
/// let mut checkpoint = Checkpoint::of(&linear, &Adam::new(0.01))?;
/// checkpoint.step = 7;
/// checkpoint.generators.insert("noise".into(), rng.serialize_state());
/// checkpoint.save(&path)?;
///
/// let checkpoint = Checkpoint::<f32>::load(&path)?;
/// let mut adam = Adam::new(0.5);
/// checkpoint.restore(&linear, &mut adam)?.expect_exact(1)?;
/// assert_eq!((checkpoint.step, adam.lr), (7, 0.01));
/// let mut resumed = Generator::deserialize_state(&checkpoint.generators["noise"]);
/// assert_eq!(resumed.random::<u64>(), rng.random::<u64>());
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Checkpoint<E: Float> {
    /// The parameters, by their paths.
    pub weights: BTreeMap<String, Tensor<E>>,
    /// The optimizer state.
    pub optimizer: OptimizerState<E>,
    /// The conditions of rounding. One part, unless it is set.
    pub rounding: Rounding,
    /// The number of finished epochs.
    pub epoch: usize,
    /// The number of finished steps.
    pub step: usize,
    /// The place in the data, as [`Windows::position`](crate::Windows::position) has it.
    pub position: usize,
    /// The states of generators, by any names.
    pub generators: BTreeMap<String, [u8; 49]>,
    /// The tensors of carried states in the order of [`Tree::leaves`](crate::Tree::leaves), by any names. [`carry`](Self::carry) adds one.
    pub carried: BTreeMap<String, Vec<Tensor<E>>>,
    /// Other numbers, by any names.
    pub series: BTreeMap<String, Vec<f64>>,
}

impl<E: Float + Stored> Checkpoint<E> {
    /// Returns the present parameters and optimizer state, at the start of the data.
    ///
    /// # Errors
    /// If two parameters have one path, or if the optimizer has a state of a parameter that the model does not list.
    pub fn of(model: &impl Module<E>, optimizer: &dyn Optimizer<E>) -> Result<Self> {
        let params = model.try_named_params()?;
        Ok(Checkpoint {
            optimizer: optimizer.state(&params)?,
            weights: params.into_iter().map(|(path, param)| (path, param.value())).collect(),
            rounding: Rounding::here(1),
            epoch: 0,
            step: 0,
            position: 0,
            generators: BTreeMap::new(),
            carried: BTreeMap::new(),
            series: BTreeMap::new(),
        })
    }

    /// Adds a carried state, if there is one.
    pub fn carry<S: State<E>>(&mut self, name: impl Into<String>, state: Option<&S>) {
        if let Some(state) = state {
            self.carried.insert(name.into(), state.leaves().into_iter().cloned().collect());
        }
    }

    /// Returns the carried state of a name, if there is one, to be given to a layer. `like` is a state of the same shapes, such
    /// as the cell's initial state.
    ///
    /// # Errors
    /// If the carried state has other shapes.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Param;
    /// use retrograde_nn::{Checkpoint, Sgd};
    /// use retrograde_tensor::Tensor;
    ///
    /// let mut checkpoint = Checkpoint::<f32>::of(&Vec::<Param<f32>>::new(), &Sgd::new(0.1))?;
    /// checkpoint.carry("lstm", Some(&(Tensor::from([1.0]), Tensor::from([2.0]))));
    /// let (h, c) = checkpoint.carried_state("lstm", &(Tensor::zeros([1]), Tensor::zeros([1])))?.unwrap();
    /// assert_eq!((h, c), (Tensor::from([1.0]), Tensor::from([2.0])));
    /// # Ok::<(), retrograde_nn::Error>(())
    /// ```
    pub fn carried_state<S: State<E>>(&self, name: &str, like: &S) -> Result<Option<S>> {
        let Some(parts) = self.carried.get(name) else { return Ok(None) };
        let shapes: Vec<Shape> = like.leaves().into_iter().map(Tensor::shape).collect();
        if !parts.iter().map(Tensor::shape).eq(shapes.iter().copied()) {
            let name = name.to_owned();
            return Err(Error::Carried {
                name,
                expected: shapes,
                found: parts.iter().map(Tensor::shape).collect(),
            });
        }
        let mut parts = parts.iter();
        Ok(Some(Tree::map(like, |_| parts.next().expect("as many as shapes").clone())))
    }

    /// Gives the model its parameters back, and the optimizer its state with all settings and groups, whatever they were.
    /// Settings that are to differ are changed after this.
    ///
    /// # Errors
    /// If the paths or the shapes are not those of the model, if two parameters have one path, or if the optimizer is another
    /// one. Nothing has changed then.
    pub fn restore(&self, model: &impl Module<E>, optimizer: &mut dyn Optimizer<E>) -> Result<Restored> {
        let params = model.try_named_params()?;
        for (path, param) in &params {
            let weight = self.weights.get(path);
            if weight.is_none_or(|weight| weight.shape() != param.shape()) {
                let found = weight.map(|weight| Box::new(weight.shape()));
                return Err(Error::Parameter {
                    op: "checkpoint",
                    path: path.clone(),
                    expected: Box::new(param.shape()),
                    found,
                });
            }
        }
        if let Some(path) = self.weights.keys().find(|path| !params.iter().any(|(known, _)| known == *path)) {
            return Err(Error::NoParam { path: path.clone() });
        }
        optimizer.set_state(&params, &self.optimizer)?;
        for (path, param) in &params {
            param.set(self.weights[path].clone())?;
        }
        Ok(Restored::new(self.rounding.clone()))
    }
}
