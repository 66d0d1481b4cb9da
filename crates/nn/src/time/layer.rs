//! Layers over sequences.

use retrograde_autograd::{Tape, Var};
use retrograde_tensor::{Float, Shape};

use super::options::SequenceOptions;
use super::state::{OnTape, State};
use crate::module::Module;
use crate::shapes::{Axis, expect};
use crate::{Error, Result};

/// The state of a layer on a tape.
pub type LayerStateOn<'t, L, E> = OnTape<'t, <L as Layer<E>>::State, E>;

/// A sequence of steps on a tape.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Unrolled<'t, E: Float, S = Var<'t, E>> {
    /// The output of each step, `[N, T, H]`.
    pub hs: Var<'t, E>,
    /// The state after the last step.
    pub last: S,
    /// The initial state, of which gradients are available.
    pub initial: S,
}

/// A layer over sequences, from a state to a state: [`Time`](crate::Time) of any cell, and what is composed of such
/// layers: [`Stacked`](crate::Stacked), [`Bidirectional`](crate::Bidirectional), [`Residual`](crate::Residual), and pairs
/// of layers of different types, one after the other.
///
/// # Carried state
/// A layer inside of another one runs from the state that it is given: only the *outermost* layer carries a state from
/// call to call, in its `forward`. Every layer can be made to carry one by [`Stateful`](crate::Stateful). A part that
/// is stateful itself, or has a state set for its next call, would be passed over, so running it is an error. All other
/// options of a part ([reversed](crate::Time::reversed), [learned initial state](crate::Time::learn_initial),
/// [zoneout](crate::Time::zoneout), [recurrent dropout](crate::Time::recurrent_dropout),
/// [recomputation](crate::Time::recompute_every)) and of the call ([`SequenceOptions`]) act in every part.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a layer over sequences of `{E}`",
    note = "a cell becomes one by `Time::new(cell)`; two layers, one after the other, are a pair; more are pairs of pairs"
)]
pub trait Layer<E: Float>: Module<E> {
    /// The state that is carried from step to step.
    type State: State<E>;

    /// Returns the number of features of the input, D.
    fn input_size(&self) -> usize;

    /// Returns the shape of the input of a step, without the batch: `[D]`, unless a layer reads more axes.
    fn input_shape(&self) -> Shape {
        Shape::from([self.input_size()])
    }

    /// Returns which steps of the input the output of a step may depend on.
    fn causality(&self) -> Causality {
        Causality::Both
    }

    /// Returns the initial state for a batch of `n`: the one that is given, or that of a new sequence. Its gradient is
    /// available.
    ///
    /// # Errors
    /// If the given state is not one of this layer, or if a part carries a state of its own; shapes are checked by
    /// [`run_from`](Self::run_from).
    fn initial_state<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&Self::State>,
    ) -> Result<LayerStateOn<'t, Self, E>>;

    /// Runs all steps of a sequence from an initial state on its tape. Returns the outputs of the steps, `[N, T, H]`, and
    /// the state after the last step.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If the shape of `xs`, of the state or of the options does not fit, or if `xs` and the state are not on one tape.
    fn run_from<'t>(
        &self,
        xs: &Var<'t, E>,
        initial: LayerStateOn<'t, Self, E>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, LayerStateOn<'t, Self, E>)>;

    /// Takes one step from a state on its tape, as a sequence of one step without options does. Returns the output and the
    /// state after it.
    ///
    /// # Shapes
    /// `x [N, D] -> h [N, H]`
    ///
    /// # Errors
    /// As [`run_from`](Self::run_from).
    fn step_from<'t>(
        &self,
        x: &Var<'t, E>,
        state: LayerStateOn<'t, Self, E>,
    ) -> Result<(Var<'t, E>, LayerStateOn<'t, Self, E>)> {
        sequence_of_one(self, x, state)
    }

    /// Runs all steps of a sequence from a given state, or as a new sequence. It carries nothing to the next call.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If the shape of `xs`, of the state or of the options does not fit; if the layer or a part of it carries a state of
    /// its own, which only `forward` of the outermost layer can use.
    fn run<'t>(
        &self,
        xs: &Var<'t, E>,
        given: Option<&Self::State>,
        options: &SequenceOptions<E>,
    ) -> Result<Unrolled<'t, E, LayerStateOn<'t, Self, E>>> {
        let (tape, n) = batch(self, xs)?;
        let initial = self.initial_state(tape, n, given)?;
        let (hs, last) = self.run_from(xs, initial.clone(), options)?;
        Ok(Unrolled { hs, last, initial })
    }
}

/// The steps of the input that the output of a step may depend on, beside the step itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Causality {
    /// The steps before, through the state: a sequence is its steps one by one.
    Forward,
    /// The steps after, through the state: a sequence is its steps one by one, the last one first.
    Backward,
    /// Any step.
    Both,
}

impl Causality {
    /// Returns that of two layers, one after the other.
    #[must_use]
    pub fn then(self, next: Self) -> Self {
        if self == next { self } else { Causality::Both }
    }
}

/// The axes of an input: these, and those of a step.
pub(crate) fn input_axes<E: Float, L: Layer<E> + ?Sized>(first: &[&'static str], layer: &L) -> Vec<Axis> {
    let first = first.iter().map(|&letter| Axis::Any(letter));
    first.chain(layer.input_shape().iter().map(|&size| Axis::Size(size))).collect()
}

/// The tape and the batch size of a sequence that fits a layer.
pub(crate) fn batch<'t, E: Float, L: Layer<E> + ?Sized>(
    layer: &L,
    xs: &Var<'t, E>,
) -> Result<(&'t Tape<E>, usize)> {
    expect("time", "xs", &input_axes(&["N", "T"], layer), xs.shape())?;
    Ok((xs.tape(), xs.shape()[0]))
}

/// A step as a sequence of one.
///
/// # Shapes
/// `x [N, D] -> h [N, H]`
pub(crate) fn sequence_of_one<'t, E: Float, L: Layer<E> + ?Sized>(
    layer: &L,
    x: &Var<'t, E>,
    state: LayerStateOn<'t, L, E>,
) -> Result<(Var<'t, E>, LayerStateOn<'t, L, E>)> {
    expect("step", "x", &input_axes(&["N"], layer), x.shape())?;
    let (hs, last) = layer.run_from(&x.unsqueeze(1), state, &SequenceOptions::new())?;
    Ok((hs.select(1, 0), last))
}

/// Refuses a layer whose sequences are not their steps one by one, from the first to the last.
pub(crate) fn require_forward<E: Float, L: Layer<E> + ?Sized>(op: &'static str, layer: &L) -> Result<()> {
    let found = match layer.causality() {
        Causality::Forward => return Ok(()),
        Causality::Backward => "one that takes the last step first",
        Causality::Both => "one whose outputs depend on later steps",
    };
    Err(Error::Conflict { op, expected: "a layer that runs forwards", found })
}
