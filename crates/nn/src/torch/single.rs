//! Cells by themselves, and layers without time.

use retrograde_autograd::Param;
use retrograde_tensor::{Float, Tensor};

use super::cell::{Arrays, TorchCell};
use super::{NAMES, StateDict, arrays, missing};
use crate::shapes::{Axis, expect};
use crate::{Embedding, Error, GruCell, LayerNorm, Linear, LstmCell, Result, RnnCell};

const OP: &str = "torch";

/// Refuses entries under a prefix beside these.
fn expect_no_more<E>(dict: &StateDict<E>, prefix: &str, names: &[&str]) -> Result<()> {
    let other = |name: &&String| {
        name.strip_prefix(prefix).is_some_and(|name| !name.contains('.') && !names.contains(&name))
    };
    match dict.keys().find(other) {
        Some(name) => Err(Error::Entry { op: OP, expected: "no entry", name: name.clone(), found: "one" }),
        None => Ok(()),
    }
}

fn get<'a, E>(dict: &'a StateDict<E>, prefix: &str, name: &str) -> Result<&'a Tensor<E>> {
    let name = format!("{prefix}{name}");
    dict.get(&name).ok_or_else(|| missing(&name))
}

/// Names the prefix in an error.
fn within<T>(prefix: &str, result: Result<T>) -> Result<T> {
    result.map_err(|source| Error::In { place: format!("{prefix}*"), source: source.into() })
}

macro_rules! cell {
    ($cell:ident, $torch:literal) => {
        impl<E: Float> $cell<E> {
            #[doc = concat!("Makes the cell of a `torch.nn.", $torch, "`, whose entries are `{prefix}weight_ih` and so on. Without")]
            /// biases they are zero. Entries of other modules, whose names go on with a dot, are left alone.
            ///
            /// # Errors
            /// If an entry is missing, if there is one that such a cell does not have, or if shapes do not agree.
            ///
            /// # Example
            /// See [`torch`](crate::torch).
            pub fn from_torch(dict: &StateDict<E>, prefix: &str) -> Result<Self> {
                expect_no_more(dict, prefix, &NAMES)?;
                let names = NAMES.map(|name| format!("{prefix}{name}"));
                let arrays: Arrays<E> = within(prefix, arrays::<E, Self>(dict, &names, None))?;
                Self::from_arrays_of_torch(&arrays)
            }

            #[doc = concat!("Returns the state dictionary of a `torch.nn.", $torch, "`, with a prefix before each name.")]
            ///
            /// # Errors
            /// If PyTorch has no such cell.
            pub fn to_torch(&self, prefix: &str) -> Result<StateDict<E>> {
                let arrays = self.arrays_of_torch(&Param::value, false)?;
                Ok(NAMES.iter().map(|name| format!("{prefix}{name}")).zip(arrays).collect())
            }
        }
    };
}
cell!(RnnCell, "RNNCell");
cell!(LstmCell, "LSTMCell");
cell!(GruCell, "GRUCell");

impl<E: Float> Linear<E> {
    /// Makes the map of a `torch.nn.Linear`. Its entries are `{prefix}weight`, transposed, and `{prefix}bias`, which is zero
    /// if it is missing.
    ///
    /// # Errors
    /// If the weight is missing, if there is an entry that such a layer does not have, or if shapes do not agree.
    ///
    /// # Example
    /// ```
    /// use retrograde_nn::Linear;
    /// use retrograde_nn::torch::StateDict;
    /// use retrograde_tensor::Tensor;
    ///
    /// let mut dict = StateDict::new();
    /// dict.insert("head.weight".into(), Tensor::from([[1.0_f32, 2.0, 3.0]])); // [V, D]
    /// dict.insert("head.bias".into(), Tensor::from([0.5]));
    /// let linear = Linear::from_torch(&dict, "head.")?;
    /// assert_eq!(linear.w.value(), Tensor::from([[1.0], [2.0], [3.0]])); // [D, V]
    /// assert_eq!(linear.to_torch("head."), dict);
    /// # Ok::<(), retrograde_nn::Error>(())
    /// ```
    pub fn from_torch(dict: &StateDict<E>, prefix: &str) -> Result<Self> {
        expect_no_more(dict, prefix, &["weight", "bias"])?;
        let weight = get(dict, prefix, "weight")?;
        within(prefix, expect(OP, "weight", &[Axis::Any("V"), Axis::Any("D")], weight.shape()))?;
        let v = weight.dims()[0];
        let bias = dict.get(&format!("{prefix}bias")).cloned().unwrap_or_else(|| Tensor::zeros([v]));
        within(prefix, expect(OP, "bias", &[Axis::Size(v)], bias.shape()))?;
        Self::from_arrays(weight.t().contiguous(), bias)
    }

    /// Returns the state dictionary of a `torch.nn.Linear`, with a prefix before each name.
    #[must_use]
    pub fn to_torch(&self, prefix: &str) -> StateDict<E> {
        let arrays = [("weight", self.w.value().t().contiguous()), ("bias", self.b.value())];
        arrays.into_iter().map(|(name, array)| (format!("{prefix}{name}"), array)).collect()
    }
}

impl<E: Float> Embedding<E> {
    /// Makes the table of a `torch.nn.Embedding`, whose entry is `{prefix}weight`.
    ///
    /// # Errors
    /// If the weight is missing, if there is another entry, or if it is not of rank 2.
    pub fn from_torch(dict: &StateDict<E>, prefix: &str) -> Result<Self> {
        expect_no_more(dict, prefix, &["weight"])?;
        within(prefix, Self::from_array(get(dict, prefix, "weight")?.clone()))
    }

    /// Returns the state dictionary of a `torch.nn.Embedding`, with a prefix before the name.
    #[must_use]
    pub fn to_torch(&self, prefix: &str) -> StateDict<E> {
        StateDict::from([(format!("{prefix}weight"), self.w.value())])
    }
}

impl<E: Float> LayerNorm<E> {
    /// Makes the layer of a `torch.nn.LayerNorm` over the last axis, whose entries are `{prefix}weight`, the gain, and
    /// `{prefix}bias`. Without either, the gain is 1 and the bias 0 for `d` features. A state dictionary does not say
    /// `eps`: it is 1e-5, as PyTorch's is by default.
    ///
    /// # Errors
    /// If there is an entry that such a layer does not have, or if one is not of shape `[d]`.
    pub fn from_torch(dict: &StateDict<E>, prefix: &str, d: usize) -> Result<Self> {
        expect_no_more(dict, prefix, &["weight", "bias"])?;
        let entry = |name: &'static str, default: fn([usize; 1]) -> Tensor<E>| {
            let x = dict.get(&format!("{prefix}{name}")).cloned().unwrap_or_else(|| default([d]));
            within(prefix, expect(OP, name, &[Axis::Size(d)], x.shape()))?;
            Ok::<_, Error>(x)
        };
        let (gain, b) = (entry("weight", Tensor::ones)?, entry("bias", Tensor::zeros)?);
        Self::from_params(Param::of("layer_norm", "gain", gain), Param::of("layer_norm", "b", b))
    }

    /// Returns the state dictionary of a `torch.nn.LayerNorm`, with a prefix before each name.
    #[must_use]
    pub fn to_torch(&self, prefix: &str) -> StateDict<E> {
        let arrays = [("weight", self.gain.value()), ("bias", self.b.value())];
        arrays.into_iter().map(|(name, array)| (format!("{prefix}{name}"), array)).collect()
    }
}
