//! Layers on top of one another.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::Float;

use super::Dropout;
use crate::module::Module;
use crate::time::carried::Carry;
use crate::time::{Layer, LayerStateOn, SequenceOptions, State, Unrolled};
use crate::{Error, Result};

const OP: &str = "stacked";

/// Layers on top of one another: what one hands out is the input of the next. Dropout may act between them.
///
/// The state is the row of their states; it can be carried from call to call as that of [`Time`](crate::Time).
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
    carry: Carry<Vec<L::State>>,
}

impl<E: Float, L: Layer<E>> Stacked<L, E> {
    /// Layers from the input up, without dropout and not stateful.
    ///
    /// # Panics
    /// If there are none.
    #[track_caller]
    pub fn new(layers: Vec<L>) -> Self {
        assert!(!layers.is_empty(), "{OP}: expected at least 1 layer, found 0");
        Stacked { layers, dropout: None, carry: Carry::new() }
    }

    /// Dropout between layers: not before the first, and not after the last.
    #[must_use]
    pub fn dropout(mut self, dropout: Dropout) -> Self {
        self.dropout = Some(dropout);
        self
    }

    /// Whether to carry the state from call to call.
    #[must_use]
    pub fn stateful(mut self, stateful: bool) -> Self {
        self.carry.stateful = stateful;
        self
    }

    /// Whether the state is carried from call to call.
    pub fn is_stateful(&self) -> bool {
        self.carry.stateful
    }

    /// The state after the last call, or the one set for the next.
    pub fn state(&self) -> Option<&[L::State]> {
        self.carry.state.as_deref()
    }

    /// Gives the next call its initial state, one for each layer, stateful or not.
    pub fn set_state(&mut self, state: Vec<L::State>) {
        self.carry.set(state);
    }

    /// Forgets the state: the next call starts from that of a new sequence.
    pub fn reset_state(&mut self) {
        self.carry.reset();
    }

    /// All steps of a sequence, from the state that is due. It is an evaluation: dropout does not act.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If `xs` has another shape, or if the state is not one of these layers for a batch of N. The state then stays as
    /// it was.
    pub fn forward<'t>(&mut self, xs: &Var<'t, E>) -> Result<Unrolled<'t, E, LayerStateOn<'t, Self, E>>> {
        self.forward_with(xs, &SequenceOptions::new())
    }

    /// As [`forward`](Self::forward), told where rows end and start anew, and with noise for training.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and if what `options` holds does not fit `xs`.
    pub fn forward_with<'t>(
        &mut self,
        xs: &Var<'t, E>,
        options: &SequenceOptions<E>,
    ) -> Result<Unrolled<'t, E, LayerStateOn<'t, Self, E>>> {
        let out = self.run(xs, self.carry.due(), options)?;
        self.carry.keep(Vec::detach(&out.last));
        Ok(out)
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

    fn start<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&Self::State>,
    ) -> Result<LayerStateOn<'t, Self, E>> {
        given.map_or(Ok(()), |states| self.check(states.len()))?;
        let start = |(i, layer): (usize, &L)| layer.start(tape, n, given.map(|states| &states[i]));
        self.layers.iter().enumerate().map(start).collect()
    }

    fn unroll_with<'t>(
        &self,
        xs: &Var<'t, E>,
        initial: LayerStateOn<'t, Self, E>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, LayerStateOn<'t, Self, E>)> {
        self.check(initial.len())?;
        let (mut hs, mut last) = (xs.clone(), Vec::with_capacity(initial.len()));
        for (i, (layer, state)) in self.layers.iter().zip(initial).enumerate() {
            let options = options.child(i);
            if let Some(dropout) = self.dropout.filter(|_| i > 0) {
                hs = dropout.forward(&hs, options.noise());
            }
            let state_after;
            (hs, state_after) = layer.unroll_with(&hs, state, &options)?;
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
