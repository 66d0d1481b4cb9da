//! What a recurrent cell carries from step to step.

use std::fmt::Debug;

use retrograde_autograd::{Tape, Var};
use retrograde_tensor::{Float, Tensor};

/// The state of a cell off any tape: a tensor, or a pair of states, such as the `(h, c)` of an LSTM.
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::State;
/// use retrograde_tensor::Tensor;
///
/// let state = (Tensor::<f32>::zeros([2, 4]), Tensor::ones([2, 4]));
/// let tape = Tape::new();
/// let (h, c) = state.on(&tape);
/// let last = (h + &c, c);
/// assert_eq!(<(Tensor<f32>, Tensor<f32>)>::detach(&last), (Tensor::ones([2, 4]), Tensor::ones([2, 4])));
/// ```
pub trait State<E: Float>: Clone + Debug {
    /// The state on a tape.
    type On<'t>: Clone + Debug;

    /// The state as variables of a tape, so that its gradient is available.
    fn on<'t>(&self, tape: &'t Tape<E>) -> Self::On<'t>;

    /// The value of a state on a tape: no gradient flows through it.
    fn detach(on: &Self::On<'_>) -> Self;

    /// Calls `f` with each tensor of the state, in order.
    fn each(&self, f: &mut dyn FnMut(&Tensor<E>));

    /// Calls `f` with each variable of the state on a tape, in the same order.
    fn each_on<'t>(on: &Self::On<'t>, f: &mut dyn FnMut(&Var<'t, E>));
}

impl<E: Float> State<E> for Tensor<E> {
    type On<'t> = Var<'t, E>;

    fn on<'t>(&self, tape: &'t Tape<E>) -> Var<'t, E> {
        tape.var(self.clone())
    }

    fn detach(on: &Var<'_, E>) -> Self {
        on.value().clone()
    }

    fn each(&self, f: &mut dyn FnMut(&Tensor<E>)) {
        f(self);
    }

    fn each_on<'t>(on: &Var<'t, E>, f: &mut dyn FnMut(&Var<'t, E>)) {
        f(on);
    }
}

impl<E: Float, A: State<E>, B: State<E>> State<E> for (A, B) {
    type On<'t> = (A::On<'t>, B::On<'t>);

    fn on<'t>(&self, tape: &'t Tape<E>) -> Self::On<'t> {
        (self.0.on(tape), self.1.on(tape))
    }

    fn detach(on: &Self::On<'_>) -> Self {
        (A::detach(&on.0), B::detach(&on.1))
    }

    fn each(&self, f: &mut dyn FnMut(&Tensor<E>)) {
        self.0.each(f);
        self.1.each(f);
    }

    fn each_on<'t>(on: &Self::On<'t>, f: &mut dyn FnMut(&Var<'t, E>)) {
        A::each_on(&on.0, f);
        B::each_on(&on.1, f);
    }
}
