//! A whole training run as a file.

use std::collections::BTreeMap;
use std::path::Path;

use retrograde_autograd::{Tape, Var};
use retrograde_tensor::{Float, Tensor};

use crate::module::Module;
use crate::optim::{Optimizer, OptimizerState, Slot};
use crate::time::State;
use crate::weights::{Stored, Weights, WeightsError, Writer};
use crate::{Error, Result};

/// The generator whose state a [`Checkpoint`] keeps: seeded alike, it draws the same as `StdRng`.
///
/// `generator.serialize_state()` is its state, `Generator::deserialize_state(&state)` the generator in that state.
pub type Generator = rand::rngs::ChaCha12Rng;

/// The layout of the file.
const VERSION: usize = 1;

/// All that a run needs to go on as if it had not been interrupted, bit for bit: weights, the state of the optimizer,
/// generators, the place in the data, states that are carried from window to window, and series such as the losses so
/// far.
///
/// A schedule needs the step alone; the fields of a [`Plateau`](crate::Plateau) are a series of three numbers.
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
/// checkpoint.restore(&linear, &mut adam)?;
/// assert_eq!((checkpoint.step, adam.lr), (7, 0.01));
/// let mut resumed = Generator::deserialize_state(&checkpoint.generators["noise"]);
/// assert_eq!(resumed.random::<u64>(), rng.random::<u64>());
/// # std::fs::remove_file(&path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint<E: Float> {
    /// The parameters, by their paths.
    pub weights: BTreeMap<String, Tensor<E>>,
    /// What the optimizer remembers.
    pub optimizer: OptimizerState<E>,
    /// The epochs that are over.
    pub epoch: usize,
    /// The steps that are over.
    pub step: usize,
    /// The place in the data, as [`Windows::position`](crate::Windows::position) has it.
    pub position: usize,
    /// The states of generators, by any names.
    pub generators: BTreeMap<String, [u8; 49]>,
    /// The tensors of carried states in the order of [`State::each`], by any names. [`carry`](Self::carry) adds one.
    pub carried: BTreeMap<String, Vec<Tensor<E>>>,
    /// Numbers of the user's, by any names.
    pub series: BTreeMap<String, Vec<f64>>,
}

impl<E: Float + Stored> Checkpoint<E> {
    /// The parameters and the optimizer as they are, at the start of the data.
    ///
    /// # Errors
    /// If the optimizer remembers something of a parameter that is not in the model.
    pub fn of(model: &impl Module<E>, optimizer: &dyn Optimizer<E>) -> Result<Self> {
        let params = model.named_params();
        Ok(Checkpoint {
            optimizer: optimizer.state(&params)?,
            weights: params.into_iter().map(|(path, param)| (path, param.value())).collect(),
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
            let mut parts = Vec::new();
            state.each(&mut |part| parts.push(part.clone()));
            self.carried.insert(name.into(), parts);
        }
    }

    /// The carried state of a name, if there is one, to be given to a layer. `like` is a state of the same shapes, such
    /// as the cell's zero state.
    ///
    /// # Errors
    /// If what was carried has other shapes.
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
        let mut shapes = Vec::new();
        like.each(&mut |part| shapes.push(part.shape()));
        if !parts.iter().map(Tensor::shape).eq(shapes.iter().copied()) {
            let name = name.to_owned();
            return Err(Error::Carried {
                name,
                expected: shapes,
                found: parts.iter().map(Tensor::shape).collect(),
            });
        }
        let tape = Tape::inference();
        let (like, mut parts) = (like.on(&tape), parts.iter());
        let mut next =
            |_: &Var<'_, E>, _: &Var<'_, E>| tape.var(parts.next().expect("as many as shapes").clone());
        Ok(Some(S::detach(&S::zip_on(&like, &like, &mut next))))
    }

    /// Gives the model its parameters back, and the optimizer what it remembered.
    ///
    /// # Errors
    /// If the paths or the shapes are not those of the model, or if the optimizer is another one. Nothing has changed
    /// then.
    pub fn restore(&self, model: &impl Module<E>, optimizer: &mut dyn Optimizer<E>) -> Result<()> {
        let params = model.named_params();
        for (path, param) in &params {
            let weight = self.weights.get(path);
            if weight.is_none_or(|weight| weight.shape() != param.shape()) {
                let found = weight.map(|weight| Box::new(weight.shape()));
                return Err(Error::Parameter {
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
        params.iter().try_for_each(|(path, param)| Ok(param.set(self.weights[path].clone())?))
    }

    /// Writes the checkpoint, as a `.safetensors` file. One that was there is replaced whole or, if anything fails or
    /// the process dies, not at all.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let mut writer = Writer::default();
        let counts = [("version", VERSION), ("epoch", self.epoch), ("step", self.step)];
        for (name, count) in counts.into_iter().chain([("position", self.position)]) {
            writer.insert(name, &Tensor::scalar(count));
        }
        writer.insert("lr", &Tensor::scalar(self.optimizer.lr));
        for (path, weight) in &self.weights {
            writer.insert(format!("weights/{path}"), weight);
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
            for (i, part) in parts.iter().enumerate() {
                writer.insert(format!("carried/{i}/{name}"), part);
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
    /// If the file cannot be read or is no checkpoint of a run in this precision.
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        let path = path.as_ref();
        let file = Weights::load(path)?;
        let refused = |source| Error::Weights { path: path.to_owned(), source: Box::new(source) };
        let count = |name: &str| Ok::<_, Error>(file.get_shaped::<usize>(name, [])?.item()?);
        match count("version")? {
            VERSION => {}
            found => return Err(refused(WeightsError::Version { expected: VERSION, found })),
        }
        let lr = file.get_shaped::<f64>("lr", [])?.item()?;
        let mut checkpoint = Checkpoint {
            weights: BTreeMap::new(),
            optimizer: OptimizerState { lr, slots: BTreeMap::new() },
            epoch: count("epoch")?,
            step: count("step")?,
            position: count("position")?,
            generators: BTreeMap::new(),
            carried: BTreeMap::new(),
            series: BTreeMap::new(),
        };
        // By number, which the order of the names is not.
        let mut parts: BTreeMap<(String, usize), Tensor<E>> = BTreeMap::new();
        for name in file.names() {
            let unexpected = || refused(WeightsError::Unexpected { name: name.to_owned() });
            match name.split_once('/') {
                None if ["version", "lr", "epoch", "step", "position"].contains(&name) => {}
                Some(("weights", path)) => {
                    checkpoint.weights.insert(path.to_owned(), file.get(name)?);
                }
                Some(("steps", path)) => checkpoint.slot(path).steps = count(name)?,
                Some(("slots", slot)) => {
                    let (path, tensor) = slot.rsplit_once('/').ok_or_else(unexpected)?;
                    checkpoint.slot(path).tensors.insert(tensor.to_owned(), file.get(name)?);
                }
                Some(("generators", generator)) => {
                    let mut state = [0; 49];
                    for (byte, found) in state.iter_mut().zip(&file.get_shaped::<usize>(name, [49])?) {
                        let not_a_byte = |_| refused(WeightsError::NotAByte { name: name.to_owned(), found });
                        *byte = u8::try_from(found).map_err(not_a_byte)?;
                    }
                    checkpoint.generators.insert(generator.to_owned(), state);
                }
                Some(("carried", part)) => {
                    let (i, state) = part.split_once('/').ok_or_else(unexpected)?;
                    let i = i.parse().map_err(|_| unexpected())?;
                    parts.insert((state.to_owned(), i), file.get(name)?);
                }
                Some(("series", series)) => {
                    checkpoint.series.insert(series.to_owned(), file.get::<f64>(name)?.to_vec());
                }
                _ => return Err(unexpected()),
            }
        }
        for ((state, _), part) in parts {
            checkpoint.carried.entry(state).or_default().push(part);
        }
        Ok(checkpoint)
    }

    /// What is remembered of the parameter at a path, nothing at first.
    fn slot(&mut self, path: &str) -> &mut Slot<E> {
        let new = || Slot { steps: 0, tensors: BTreeMap::new() };
        self.optimizer.slots.entry(path.to_owned()).or_insert_with(new)
    }
}
