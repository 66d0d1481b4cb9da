//! Layers on top of one another.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Shape, Tensor};

use super::Dropout;
use crate::module::Module;
use crate::time::carried::{CarriedState, carries_state};
use crate::time::{Causality, Layer, LayerStateOn, SequenceOptions, State, Unrolled};
use crate::{Error, Result};

const OP: &str = "stacked";

/// Layers on top of one another: the outputs of one are the inputs of the next. Dropout may act between them.
///
/// The state is the row of their states. It can be carried from call to call as that of [`Time`](crate::Time), by the
/// whole and not by the single layers: see [`Layer`].
///
/// # Shapes
/// `xs [N, T, D] -> hs [N, T, H]`, that of the last layer
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Dropout, LstmCell, Noise, SequenceOptions, Stacked, TimeLstm};
/// use retrograde_tensor::Tensor;
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let layers = [3, 4].map(|d| TimeLstm::<f32>::new(LstmCell::new(d, 4, &mut rng)));
/// let mut lstm = Stacked::new(layers.into()).dropout(Dropout::new(0.5)?).stateful(true);
/// for window in 0..2 {
///     let tape = Tape::new();
///     let xs = tape.constant(Tensor::ones([2, 5, 3]));
///     let out = lstm.forward_with(&xs, &SequenceOptions::new().with_noise(Noise::seeded(window)))?;
///     assert_eq!(out.hs.value().dims(), [2, 5, 4]);
///     assert_eq!(out.last.len(), 2);
/// }
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// Dropout between layers alone, W. Zaremba, I. Sutskever and O. Vinyals, *Recurrent neural network regularization*
/// (2014).
#[derive(Clone, Debug)]
pub struct Stacked<L: Layer<E>, E: Float> {
    /// The layers, from the input up.
    pub layers: Vec<L>,
    dropout: Option<Dropout>,
    carried: CarriedState<Vec<L::State>>,
}

impl<E: Float, L: Layer<E>> Stacked<L, E> {
    /// Creates a stack of layers, from the input up, without dropout and not stateful.
    ///
    /// # Panics
    /// If there are none.
    #[must_use]
    #[track_caller]
    pub fn new(layers: Vec<L>) -> Self {
        assert!(!layers.is_empty(), "{OP}: expected at least 1 layer, found 0");
        Stacked { layers, dropout: None, carried: CarriedState::new(false) }
    }

    /// Sets the dropout between layers: not before the first, and not after the last.
    ///
    /// A single layer has nothing between layers: it runs with a dropout of probability 0 only, and is an error with any
    /// other.
    #[must_use]
    pub fn dropout(mut self, dropout: Dropout) -> Self {
        self.dropout = Some(dropout);
        self
    }

    carries_state!(Vec<L::State>, Self, |self| self, |tape, n, given| self.start(tape, n, given));

    /// The initial state on a tape: the one that is given, or that of a new sequence.
    fn start<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&Vec<L::State>>,
    ) -> Result<LayerStateOn<'t, Self, E>> {
        given.map_or(Ok(()), |states| self.check(states.len()))?;
        let start = |(i, layer): (usize, &L)| layer.initial_state(tape, n, given.map(|states| &states[i]));
        self.layers.iter().enumerate().map(start).collect()
    }

    fn check(&self, found: usize) -> Result<()> {
        let expected = self.layers.len();
        if found == expected { Ok(()) } else { Err(Error::Count { op: OP, name: "states", expected, found }) }
    }
}

impl<E: Float, L: Layer<E>> Layer<E> for Stacked<L, E> {
    type State = Vec<L::State>;

    fn input_size(&self) -> usize {
        self.layers[0].input_size()
    }

    fn input_shape(&self) -> Shape {
        self.layers[0].input_shape()
    }

    fn causality(&self) -> Causality {
        self.layers.iter().map(Layer::causality).reduce(Causality::then).unwrap_or(Causality::Both)
    }

    fn initial_state<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&Self::State>,
    ) -> Result<LayerStateOn<'t, Self, E>> {
        self.carried.expect_unused(OP)?;
        self.start(tape, n, given)
    }

    fn run_from<'t>(
        &self,
        xs: &Var<'t, E>,
        initial: LayerStateOn<'t, Self, E>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, LayerStateOn<'t, Self, E>)> {
        self.check(initial.len())?;
        if self.layers.len() == 1 && self.dropout.is_some_and(|dropout| dropout.p() > 0.0) {
            let expected = "at least 2 layers for dropout to act between them";
            let found = "1 (drop elements of its input or output with a `Dropout` of their own)";
            return Err(Error::Conflict { op: OP, expected, found });
        }
        let (mut hs, mut last) = (xs.clone(), Vec::with_capacity(initial.len()));
        for (i, (layer, state)) in self.layers.iter().zip(initial).enumerate() {
            let options = options.child(i);
            if let Some(dropout) = self.dropout.filter(|_| i > 0) {
                hs = dropout.forward(&hs, options.noise());
            }
            let state_after;
            (hs, state_after) = layer.run_from(&hs, state, &options)?;
            last.push(state_after);
        }
        Ok((hs, last))
    }
}

/// The parameters of the layers, by their numbers: `0.wx`.
impl<E: Float, L: Layer<E>> Module<E> for Stacked<L, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.layers.visit(path, f);
    }
}
