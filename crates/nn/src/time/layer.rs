//! Layers over sequences.

use retrograde_autograd::{Tape, Var};
use retrograde_tensor::Float;

use super::options::SequenceOptions;
use super::state::State;
use crate::Result;
use crate::module::Module;
use crate::shapes::{Axis, expect};

/// The state of a layer on a tape.
pub type LayerStateOn<'t, L, E> = <<L as Layer<E>>::State as State<E>>::On<'t>;

/// A sequence of steps on a tape.
#[derive(Clone, Debug)]
pub struct Unrolled<'t, E: Float, S = Var<'t, E>> {
    /// What each step hands out, `[N, T, H]`.
    pub hs: Var<'t, E>,
    /// The state after the last step.
    pub last: S,
    /// The state before the first step, of which gradients are available.
    pub initial: S,
}

/// A layer over sequences, from a state to a state: [`Time`](crate::Time) of any cell, and what is composed of such
/// layers: [`Stacked`](crate::Stacked), [`Bidirectional`](crate::Bidirectional), [`Residual`](crate::Residual), and pairs
/// of layers of different types, one after the other.
pub trait Layer<E: Float>: Module<E> {
    /// What is carried from step to step.
    type State: State<E>;

    /// The number of features of the input, D.
    fn input_size(&self) -> usize;

    /// The state that a sequence starts from, for a batch of `n`: the one that is given, or that of a new sequence. Its
    /// gradient is available.
    ///
    /// # Errors
    /// If the given state is not one of this layer; shapes are checked by [`unroll_with`](Self::unroll_with).
    fn start<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&Self::State>,
    ) -> Result<LayerStateOn<'t, Self, E>>;

    /// All steps of a sequence from a state on its tape: what each step hands out, and the state after the last.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If a shape does not fit, of `xs`, the state or what `options` holds, or if `xs` and the state are not on one tape.
    fn unroll_with<'t>(
        &self,
        xs: &Var<'t, E>,
        initial: LayerStateOn<'t, Self, E>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, LayerStateOn<'t, Self, E>)>;

    /// All steps of a sequence, from a state that is given or from that of a new sequence.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If a shape does not fit, of `xs`, the state or what `options` holds.
    fn run<'t>(
        &self,
        xs: &Var<'t, E>,
        given: Option<&Self::State>,
        options: &SequenceOptions<E>,
    ) -> Result<Unrolled<'t, E, LayerStateOn<'t, Self, E>>> {
        let axes = [Axis::Any("N"), Axis::Any("T"), Axis::Size(self.input_size())];
        expect("time", "xs", &axes, xs.shape())?;
        let initial = self.start(xs.tape(), xs.shape()[0], given)?;
        let (hs, last) = self.unroll_with(xs, initial.clone(), options)?;
        Ok(Unrolled { hs, last, initial })
    }
}
