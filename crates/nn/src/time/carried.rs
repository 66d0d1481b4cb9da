//! The state that is carried from call to call.

use crate::{Error, Result};

/// The state that a layer carries from call to call, if it is stateful or has one set.
#[derive(Clone, Debug)]
pub(crate) struct CarriedState<S> {
    pub(crate) stateful: bool,
    /// The state after the last call, or the one set for the next.
    state: Option<S>,
    /// Whether the next call starts from `state` although the layer is not stateful.
    set: bool,
}

impl<S> CarriedState<S> {
    pub(crate) fn new(stateful: bool) -> Self {
        CarriedState { stateful, state: None, set: false }
    }

    pub(crate) fn state(&self) -> Option<&S> {
        self.state.as_ref()
    }

    /// The state that the next call starts from; none if it starts a new sequence.
    pub(crate) fn initial(&self) -> Option<&S> {
        self.state.as_ref().filter(|_| self.stateful || self.set)
    }

    /// Keeps the state in which a call ended.
    pub(crate) fn store(&mut self, state: S) {
        (self.state, self.set) = (Some(state), false);
    }

    pub(crate) fn set(&mut self, state: S) {
        (self.state, self.set) = (Some(state), true);
    }

    pub(crate) fn reset(&mut self) {
        (self.state, self.set) = (None, false);
    }

    /// Refuses a layer whose own state would be passed over: only the outermost layer carries one.
    pub(crate) fn expect_unused(&self, op: &'static str) -> Result<()> {
        let found = match (self.stateful, self.set) {
            (true, _) => "a stateful one",
            (false, true) => "one with a state set for its next call",
            (false, false) => return Ok(()),
        };
        let expected = "a layer that carries no state, inside of another layer and in `run`: only the `forward` of \
            the outermost layer carries one (make that one stateful, if need be with `Stateful`)";
        Err(Error::Conflict { op, expected, found })
    }
}

/// The methods of a layer that has a field `carried`, but for those that run it.
macro_rules! state_methods {
    ($state:ty, $self:ident) => {
        /// Sets whether the state is carried from call to call.
        ///
        /// Only the outermost layer carries a state: running a stateful layer inside of another one is an
        /// error.
        #[must_use]
        pub fn stateful(mut $self, stateful: bool) -> Self {
            $self.carried.stateful = stateful;
            $self
        }

        /// Whether the state is carried from call to call.
        #[must_use]
        pub fn is_stateful(&$self) -> bool {
            $self.carried.stateful
        }

        /// Returns the state after the last call, or the one set for the next.
        #[must_use]
        pub fn state(&$self) -> Option<&$state> {
            $self.carried.state()
        }

        /// Sets the initial state of the next call, stateful or not. A layer that is not stateful starts a new sequence
        /// with the call after that.
        pub fn set_state(&mut $self, state: $state) {
            $self.carried.set(state);
        }

        /// Forgets the state: the next call starts a new sequence.
        pub fn reset_state(&mut $self) {
            $self.carried.reset();
        }
    };
}

/// The methods of a layer that has a field `carried`: the only place where a state is taken from one call to the next.
/// `$initial` is the initial state on a tape, `$layer` runs the steps.
macro_rules! carries_state {
    ($state:ty, $layer:ty, |$self:ident| $inner:expr, |$tape:ident, $n:ident, $given:ident| $initial:expr) => {
        $crate::time::carried::state_methods!($state, $self);

        /// Runs all steps of a sequence, from the carried state if there is one. It is an evaluation: dropout and noise
        /// do not act.
        ///
        /// # Shapes
        /// `xs [N, T, D] -> hs [N, T, H]`
        ///
        /// # Errors
        /// If `xs` has another shape, or if the state is not one of a batch of N: call
        /// [`reset_state`](Self::reset_state) before the batch size changes. The state then stays as it was.
        ///
        /// # Panics
        /// Where a cell does, as when one of its parameters was replaced by one of another shape.
        pub fn forward<'t>(
            &mut $self,
            xs: &Var<'t, E>,
        ) -> Result<Unrolled<'t, E, LayerStateOn<'t, $layer, E>>> {
            $self.forward_with(xs, &SequenceOptions::new())
        }

        /// As [`forward`](Self::forward), with lengths, masks, resets and the noise of training.
        ///
        /// # Errors
        /// As [`forward`](Self::forward), and if `options` do not fit `xs`.
        pub fn forward_with<'t>(
            &mut $self,
            xs: &Var<'t, E>,
            options: &SequenceOptions<E>,
        ) -> Result<Unrolled<'t, E, LayerStateOn<'t, $layer, E>>> {
            let layer: &$layer = $inner;
            let ($tape, $n) = $crate::time::layer::batch(layer, xs)?;
            let $given = $self.carried.initial();
            let initial = $initial?;
            let (hs, last) = layer.run_from(xs, initial.clone(), options)?;
            $self.carried.store(<$state as State<E>>::detach(&last));
            Ok(Unrolled { hs, last, initial })
        }

        /// Takes one step from the state in which the last call ended, and carries the state after it, whether the layer is
        /// stateful or not: for servers, control loops and text that a model writes. Nothing is recorded, and it is an
        /// evaluation. [`reset_state`](Self::reset_state) starts a new sequence.
        ///
        /// # Shapes
        /// `x [N, D] -> [N, H]`
        ///
        /// # Errors
        /// As [`forward`](Self::forward), and if the output of a step depends on steps after it. The state then stays as it
        /// was.
        ///
        /// # Panics
        /// As [`forward`](Self::forward), and where the cell has a side input, which only a tape can bind.
        pub fn step(&mut $self, x: &Tensor<E>) -> Result<Tensor<E>> {
            let layer: &$layer = $inner;
            $crate::time::layer::require_forward("step", layer)?;
            let recorder = Tape::inference();
            let ($tape, $n) = (&recorder, x.dims().first().copied().unwrap_or(0));
            let $given = $self.carried.state();
            let initial = $initial?;
            let (h, last) = layer.step_from(&$tape.constant(x.clone()), initial)?;
            let h = h.detach(); // [N, H]
            $self.carried.store(<$state as State<E>>::detach(&last));
            Ok(h)
        }
    };
}

pub(crate) use {carries_state, state_methods};
