//! States of recurrent cells.

use std::fmt::Debug;

use retrograde_autograd::{Error as TapeError, Tape, Var};
use retrograde_tensor::{Float, Shape, Tensor};

use crate::shapes::{Axis, expect};
use crate::{Error, Result};

const OP: &str = "time";

/// The state of a cell off any tape: a tensor, a pair of states, such as the `(h, c)` of an LSTM, or a row
/// of states.
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

    /// Returns the state as variables of a tape, so that its gradient is available.
    fn on<'t>(&self, tape: &'t Tape<E>) -> Self::On<'t>;

    /// Returns the value of a state on a tape: no gradient flows through it.
    fn detach(on: &Self::On<'_>) -> Self;

    /// Calls `f` with each tensor of the state, in order.
    fn each(&self, f: &mut dyn FnMut(&Tensor<E>));

    /// Calls `f` with each variable of the state on a tape, in the same order.
    fn each_on<'t>(on: &Self::On<'t>, f: &mut dyn FnMut(&Var<'t, E>));

    /// Returns the state made of `f` of each variable of `a` and its counterpart in `b`, in the same order.
    fn zip_on<'t>(a: &Self::On<'t>, b: &Self::On<'t>, f: Zip<'_, 't, E>) -> Self::On<'t>;
}

/// A function that makes one variable of two.
pub type Zip<'f, 't, E> = &'f mut dyn FnMut(&Var<'t, E>, &Var<'t, E>) -> Var<'t, E>;

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

    fn zip_on<'t>(a: &Var<'t, E>, b: &Var<'t, E>, f: Zip<'_, 't, E>) -> Var<'t, E> {
        f(a, b)
    }
}

/// The state of a layer that treats every step alike: nothing.
impl<E: Float> State<E> for () {
    type On<'t> = ();

    fn on(&self, _: &Tape<E>) {}

    fn detach((): &()) {}

    fn each(&self, _: &mut dyn FnMut(&Tensor<E>)) {}

    fn each_on<'t>((): &(), _: &mut dyn FnMut(&Var<'t, E>)) {}

    fn zip_on<'t>((): &(), (): &(), _: Zip<'_, 't, E>) {}
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

    fn zip_on<'t>(a: &Self::On<'t>, b: &Self::On<'t>, f: Zip<'_, 't, E>) -> Self::On<'t> {
        (A::zip_on(&a.0, &b.0, f), B::zip_on(&a.1, &b.1, f))
    }
}

/// States side by side, such as those of stacked layers.
impl<E: Float, S: State<E>> State<E> for Vec<S> {
    type On<'t> = Vec<S::On<'t>>;

    fn on<'t>(&self, tape: &'t Tape<E>) -> Self::On<'t> {
        self.iter().map(|state| state.on(tape)).collect()
    }

    fn detach(on: &Self::On<'_>) -> Self {
        on.iter().map(S::detach).collect()
    }

    fn each(&self, f: &mut dyn FnMut(&Tensor<E>)) {
        self.iter().for_each(|state| state.each(f));
    }

    fn each_on<'t>(on: &Self::On<'t>, f: &mut dyn FnMut(&Var<'t, E>)) {
        on.iter().for_each(|state| S::each_on(state, f));
    }

    fn zip_on<'t>(a: &Self::On<'t>, b: &Self::On<'t>, f: Zip<'_, 't, E>) -> Self::On<'t> {
        a.iter().zip(b).map(|(a, b)| S::zip_on(a, b, f)).collect()
    }
}

/// The shapes of the variables of a state, in order.
pub(crate) struct StateShapes(pub(crate) Vec<Shape>);

impl StateShapes {
    pub(crate) fn of<E: Float, S: State<E>>(state: &S) -> Self {
        let mut shapes = Vec::new();
        state.each(&mut |part| shapes.push(part.shape()));
        StateShapes(shapes)
    }

    /// Refuses a state with other shapes, or of another tape.
    pub(crate) fn check<'t, S: State<E>, E: Float>(
        &self,
        name: &'static str,
        tape: &'t Tape<E>,
        state: &S::On<'t>,
    ) -> Result<()> {
        let (mut found, mut result) = (0, Ok(()));
        S::each_on(state, &mut |part| {
            if let (Some(&shape), Ok(())) = (self.0.get(found), &result) {
                if !std::ptr::eq(part.tape(), tape) {
                    result = Err(TapeError::ForeignVariable { op: OP }.into());
                } else if part.shape() != shape {
                    let axes: Vec<Axis> = shape.iter().map(|&size| Axis::Size(size)).collect();
                    result = expect(OP, name, &axes, part.shape());
                }
            }
            found += 1;
        });
        if result.is_ok() && found != self.0.len() {
            return Err(Error::Count { op: OP, name: "variables of a state", expected: self.0.len(), found });
        }
        result
    }
}
