//! Weights and states of `torch.nn.RNN`, `torch.nn.LSTM` and `torch.nn.GRU`, to layers of this crate and back; and those of
//! `torch.nn.RNNCell`, `LSTMCell`, `GRUCell`, `Linear`, `Embedding` and `LayerNorm`, by `from_torch` and `to_torch` of each.
//!
//! PyTorch's weights are those here transposed, its gates lie in another order (LSTM: i, f, g, o there, f, g, i, o
//! here; GRU: r, z, n both), and it has two biases where one is enough, but for the one inside the reset of a GRU. All
//! of that is converted here and nowhere else. A file of `torch.save` is converted first: see
//! [`weights`](crate::weights#other-formats). The arrays of a `.safetensors` file are a state dictionary:
//! ```no_run
//! use retrograde_nn::torch::StateDict;
//! use retrograde_nn::weights::Weights;
//!
//! let file = Weights::load("model.safetensors")?;
//! let entry = |name: &str| Ok((name.to_owned(), file.get::<f32>(name)?));
//! let dict: StateDict<f32> = file.names().map(entry).collect::<retrograde_nn::Result<_>>()?;
//! # Ok::<(), retrograde_nn::Error>(())
//! ```
//!
//! # Two biases
//! PyTorch adds `bias_ih` and `bias_hh` and trains both. Here their sum is one parameter, `b`. The outputs are the same, the
//! training is not: each of PyTorch's biases gets the gradient of the sum and is moved by a step, so the sum moves twice as
//! far. A layer that is fine-tuned here moves its bias half as fast. A group of the biases with twice the learning rate
//! follows PyTorch's trajectory for an RNN or an LSTM, under every optimizer:
//! ```
//! # use rand::{SeedableRng, rngs::StdRng};
//! # use retrograde_nn::{Group, LstmCell, Optimizer, Sgd, Stacked, TimeLstm};
//! # let lstm = Stacked::new(vec![TimeLstm::<f32>::new(LstmCell::new(3, 2, &mut StdRng::seed_from_u64(1)))]);
//! let mut sgd = Sgd::new(0.1).momentum(0.9);
//! let biases = lstm.layers.iter().map(|layer| layer.cell.b.clone());
//! sgd.add_group(Group::new(biases).lr_scale(2.0))?;
//! # Ok::<(), retrograde_nn::Error>(())
//! ```
//! Three things differ still:
//! - Weight decay takes from each of two biases its own part. With `AdamW`, or with `Sgd`, the group needs half of it:
//!   `.weight_decay(decay / 2.0)`. With `Adam`, whose steps depend on each bias alone, it has no equal here.
//! - Both biases count in the norm that gradients are clipped to. `grad_norm` counts one.
//! - A GRU has two biases for r and z alone; that of n inside of the reset is one there and here. Twice the rate is right for
//!   two thirds of `b`.
//!
//! # Example
//! ```
//! use retrograde_nn::torch::StateDict;
//! use retrograde_nn::{Stacked, TimeLstm};
//! use retrograde_tensor::Tensor;
//!
//! // The state dictionary of a module with `self.rnn = torch.nn.LSTM(3, 2, batch_first=True)`.
//! let mut dict = StateDict::<f32>::new();
//! for (name, dims) in [("weight_ih_l0", [8, 3]), ("weight_hh_l0", [8, 2])] {
//!     dict.insert(format!("rnn.{name}"), Tensor::ones(dims));
//! }
//! for name in ["bias_ih_l0", "bias_hh_l0"] {
//!     dict.insert(format!("rnn.{name}"), Tensor::ones([8]));
//! }
//! let lstm = Stacked::<TimeLstm<f32>, f32>::from_torch(&dict, "rnn.")?;
//! assert_eq!(lstm.layers[0].cell.b.value(), Tensor::full([8], 2.0));
//! assert_eq!(lstm.to_torch("rnn.")?.len(), 4);
//! # Ok::<(), retrograde_nn::Error>(())
//! ```
//!
//! A cell by itself, as `torch.nn.GRUCell(3, 2)` has it:
//! ```
//! use retrograde_nn::GruCell;
//! use retrograde_nn::torch::StateDict;
//! use retrograde_tensor::Tensor;
//!
//! let entry = |name: &str, dims: &[usize]| {
//!     (format!("cell.{name}"), Tensor::<f32>::ones(retrograde_tensor::Shape::new(dims).unwrap()))
//! };
//! let weights = [entry("weight_ih", &[6, 3]), entry("weight_hh", &[6, 2])];
//! let dict: StateDict<f32> = weights.into_iter().chain([entry("bias_ih", &[6]), entry("bias_hh", &[6])]).collect();
//! let cell = GruCell::from_torch(&dict, "cell.")?;
//! assert_eq!(cell.to_torch("cell.")?.len(), 4);
//! # Ok::<(), retrograde_nn::Error>(())
//! ```
//!
//! # Source
//! The documentation of `torch.nn.RNN`, `torch.nn.LSTM` and `torch.nn.GRU`, version 2.

mod cell;
mod single;

use std::collections::BTreeMap;

use retrograde_autograd::{Gradients, Param};
use retrograde_tensor::{Float, Tensor};

use crate::module::Module;
use crate::shapes::{Axis, expect, try_times};
use crate::{Cell, Error, Result, Stacked, Time, Tree};
pub use cell::{Arrays, TorchCell, TorchLayer};

const OP: &str = "torch";

/// Tensors by name, as the state dictionary of a PyTorch module has them.
pub type StateDict<E> = BTreeMap<String, Tensor<E>>;

const NAMES: [&str; 4] = ["weight_ih", "weight_hh", "bias_ih", "bias_hh"];

impl<E: Float, L: TorchLayer<E>> Stacked<L, E> {
    /// Makes the layers of a state dictionary, whose entries `{prefix}weight_ih_l0` and so on give their number and sizes.
    /// Without biases they are zero. Entries that do not start with the prefix are left alone. An RNN has to be one
    /// with tanh, which a state dictionary does not say.
    ///
    /// # Errors
    /// If an entry is missing, if there is one that such layers do not have, such as one of another direction or of a
    /// projection (`proj_size`), or if shapes do not agree.
    pub fn from_torch(dict: &StateDict<E>, prefix: &str) -> Result<Self> {
        let mut left: Vec<&String> = dict.keys().filter(|name| name.starts_with(prefix)).collect();
        if let Some(name) = left.iter().find(|name| name[prefix.len()..].starts_with("weight_hr")) {
            return Err(unsupported("an lstm without a projection (proj_size)", name));
        }
        if L::DIRECTIONS.len() == 1
            && let Some(name) = left.iter().find(|name| name.ends_with("_reverse"))
        {
            return Err(unsupported(
                "layers of one direction, or a `Stacked<Bidirectional<..>>` to read into",
                name,
            ));
        }
        let (mut layers, mut d) = (Vec::new(), None);
        while layers.is_empty() || dict.contains_key(&format!("{prefix}weight_ih_l{}", layers.len())) {
            let mut cells = Vec::new();
            for direction in L::DIRECTIONS {
                let suffix = format!("_l{}{direction}", layers.len());
                let names = NAMES.map(|name| format!("{prefix}{name}{suffix}"));
                let arrays = arrays::<E, L::Cell>(dict, &names, d).map_err(|source| Error::In {
                    place: format!("{prefix}*{suffix}"),
                    source: source.into(),
                })?;
                left.retain(|&name| !names.contains(name));
                cells.push(L::Cell::from_arrays_of_torch(&arrays)?);
            }
            d = Some(cells.iter().map(|cell| state_size(cell)).sum());
            layers.push(L::of_cells(cells));
        }
        match left.first() {
            Some(name) => {
                Err(Error::Entry { op: OP, expected: "no entry", name: (*name).clone(), found: "one" })
            }
            None => Ok(Stacked::new(layers)),
        }
    }

    /// Returns the state dictionary of these layers, with a prefix before each name. The second bias is zero where one is
    /// enough. Dropout, and a carried state, are no part of it.
    ///
    /// # Errors
    /// If PyTorch has no such layers: a GRU that resets before the product, a layer that runs the other way, a learned
    /// initial state, zoneout. If two parameters have one path.
    pub fn to_torch(&self, prefix: &str) -> Result<StateDict<E>> {
        self.dict(prefix, &Param::value, false)
    }

    /// Returns the gradients of the parameters as PyTorch has them, zero where there is none.
    ///
    /// # Errors
    /// As [`to_torch`](Self::to_torch).
    pub fn gradients_to_torch(&self, gradients: &Gradients<E>, prefix: &str) -> Result<StateDict<E>> {
        let of = |param: &Param<E>| match gradients.get(param) {
            Some(gradient) => gradient.clone(),
            None => Tensor::zeros(param.shape()),
        };
        self.dict(prefix, &of, true)
    }

    fn dict(
        &self,
        prefix: &str,
        of: &dyn Fn(&Param<E>) -> Tensor<E>,
        gradients: bool,
    ) -> Result<StateDict<E>> {
        self.try_named_params()?;
        let mut dict = StateDict::new();
        for (i, layer) in self.layers.iter().enumerate() {
            for (time, direction) in layer.directions().into_iter().zip(L::DIRECTIONS) {
                exportable(time, i, !direction.is_empty())?;
                for (name, array) in NAMES.into_iter().zip(time.cell.arrays_of_torch(of, gradients)?) {
                    dict.insert(format!("{prefix}{name}_l{i}{direction}"), array);
                }
            }
        }
        Ok(dict)
    }

    /// Returns the state that PyTorch has as `h`, or as `h` and `c`.
    ///
    /// # Shapes
    /// each `[layers · directions, N, H]`
    ///
    /// # Errors
    /// If there are not as many tensors as the cell has, or not as many layers and directions, or if `h` and `c` are of
    /// different batches.
    pub fn state_from_torch(&self, parts: &[Tensor<E>]) -> Result<Vec<L::State>> {
        let cell = &self.layers[0].directions()[0].cell;
        let expected = cell.initial_state(0).leaves().len();
        if parts.len() != expected {
            return Err(Error::Count { op: OP, name: "tensors of a state", expected, found: parts.len() });
        }
        let directions = L::DIRECTIONS.len();
        for part in parts {
            let rows = Axis::Size(self.layers.len() * directions);
            let n = if part.rank() == 3 { Axis::Size(parts[0].dims()[1]) } else { Axis::Any("N") };
            expect(OP, "a state", &[rows, n, Axis::Size(state_size(cell))], part.shape())?;
        }
        let state = |i: usize| L::Cell::state(parts.iter().map(|part| part.select(0, i)).collect());
        let layer = |i: usize| L::of_states((0..directions).map(|k| state(i * directions + k)).collect());
        Ok((0..self.layers.len()).map(layer).collect())
    }
}

/// Returns the tensors of a state as PyTorch has them, `h` or `h` and `c`, of the parts of the state of stacked layers in order:
/// for each layer, and in it for each direction, `parts` tensors.
///
/// # Shapes
/// `[N, H]` each `-> [layers · directions, N, H]`
#[must_use]
pub fn stack_states<E: Float>(tensors: &[Tensor<E>], parts: usize) -> Vec<Tensor<E>> {
    let part = |part: usize| Tensor::stack(&tensors.iter().skip(part).step_by(parts).collect::<Vec<_>>(), 0);
    (0..parts).map(part).collect()
}

/// An error that names the form that PyTorch has, and what is there instead.
fn unsupported(expected: &'static str, found: impl ToString) -> Error {
    Error::Unsupported { op: OP, expected, found: found.to_string() }
}

/// Refuses settings of a layer that a state dictionary cannot hold.
fn exportable<E: Float, C: Cell<E>>(layer: &Time<C, E>, i: usize, reversed: bool) -> Result<()> {
    if layer.is_reversed() != reversed {
        let expected = if reversed { "a reversed layer" } else { "a layer that is not reversed" };
        return Err(unsupported(expected, format!("the other in layer {i}")));
    }
    if !layer.initial().is_empty() {
        return Err(unsupported(
            "layers that start from zeros",
            format!("a learned initial state in layer {i}"),
        ));
    }
    if layer.zoneout_probabilities().iter().any(|&p| p > 0.0) {
        return Err(unsupported("layers without zoneout", format!("zoneout in layer {i}")));
    }
    Ok(())
}

/// Returns H of a cell.
fn state_size<E: Float, C: Cell<E>>(cell: &C) -> usize {
    cell.initial_state(0).leaves()[0].dims()[1]
}

fn missing(name: &str) -> Error {
    Error::Entry { op: OP, expected: "an entry", name: name.into(), found: "none" }
}

/// Returns the arrays of these names, if their shapes agree, for an input of `d` features if that is known.
fn arrays<E: Float, C: TorchCell<E>>(
    dict: &StateDict<E>,
    names: &[String; 4],
    d: Option<usize>,
) -> Result<Arrays<E>> {
    let get = |i: usize| dict.get(&names[i]).cloned();
    let (w_ih, w_hh) = (get(0).ok_or_else(|| missing(&names[0]))?, get(1).ok_or_else(|| missing(&names[1]))?);
    expect(OP, NAMES[1], &[Axis::Any("GH"), Axis::Any("H")], w_hh.shape())?;
    let h = w_hh.dims()[1];
    let wide = try_times(OP, C::GATES, h)?;
    expect(OP, NAMES[1], &[Axis::Size(wide), Axis::Size(h)], w_hh.shape())?;
    expect(OP, NAMES[0], &[Axis::Size(wide), d.map_or(Axis::Any("D"), Axis::Size)], w_ih.shape())?;
    let (b_ih, b_hh) = match (get(2), get(3)) {
        (None, None) => (Tensor::zeros([wide]), Tensor::zeros([wide])),
        (b_ih, b_hh) => (b_ih.ok_or_else(|| missing(&names[2]))?, b_hh.ok_or_else(|| missing(&names[3]))?),
    };
    expect(OP, NAMES[2], &[Axis::Size(wide)], b_ih.shape())?;
    expect(OP, NAMES[3], &[Axis::Size(wide)], b_hh.shape())?;
    Ok([w_ih, w_hh, b_ih, b_hh])
}
