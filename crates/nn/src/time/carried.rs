//! The state that is carried from call to call.

/// The state that a layer carries from call to call.
#[derive(Clone, Debug)]
pub(crate) struct Carry<S> {
    pub(crate) stateful: bool,
    /// The state after the last call, or the one set for the next.
    pub(crate) state: Option<S>,
    /// Whether the next call starts from `state` although the layer is not stateful.
    set: bool,
}

impl<S> Carry<S> {
    pub(crate) fn new() -> Self {
        Carry { stateful: false, state: None, set: false }
    }

    /// The state that the next call starts from, if it is not that of a new sequence.
    pub(crate) fn due(&self) -> Option<&S> {
        self.state.as_ref().filter(|_| self.stateful || self.set)
    }

    pub(crate) fn set(&mut self, state: S) {
        (self.state, self.set) = (Some(state), true);
    }

    pub(crate) fn reset(&mut self) {
        (self.state, self.set) = (None, false);
    }

    /// Keeps the state in which a call ended.
    pub(crate) fn keep(&mut self, state: S) {
        (self.state, self.set) = (Some(state), false);
    }
}
