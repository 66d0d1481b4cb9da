//! States of recurrent cells.

use retrograde_autograd::{Error as TapeError, Tape, Var};
use retrograde_tensor::{Float, Shape, Tensor};

use super::tree::{Mapped, Tree};
use crate::shapes::{Axis, expect};
use crate::{Error, Result};

const OP: &str = "time";

/// The state of a cell off any tape: a [`Tree`] of tensors. It is a tensor, a tuple of states, such as the `(h, c)` of an
/// LSTM, an array or a `Vec` of them, or a struct of tensors by [`state!`](crate::state!).
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
pub trait State<E: Float>: Tree<Tensor<E>> {
    /// Returns the state as variables of a tape, so that its gradient is available.
    fn on<'t>(&self, tape: &'t Tape<E>) -> OnTape<'t, Self, E> {
        Tree::map(self, |value| tape.var(value.clone()))
    }

    /// Returns the value of a state on a tape: no gradient flows through it.
    fn detach(on: &OnTape<'_, Self, E>) -> Self {
        Tree::map(on, |var| var.value().clone())
    }
}

impl<E: Float, S: Tree<Tensor<E>>> State<E> for S {}

/// A state on a tape: the tree of its variables.
pub type OnTape<'t, S, E> = Mapped<S, Tensor<E>, Var<'t, E>>;

/// The shapes of the variables of a state, in order.
pub(crate) struct StateShapes(pub(crate) Vec<Shape>);

impl StateShapes {
    pub(crate) fn of<E: Float, S: State<E>>(state: &S) -> Self {
        StateShapes(state.leaves().into_iter().map(Tensor::shape).collect())
    }

    /// Refuses a state with other shapes, or of another tape.
    pub(crate) fn check<'t, E: Float>(
        &self,
        name: &'static str,
        tape: &'t Tape<E>,
        state: &impl Tree<Var<'t, E>>,
    ) -> Result<()> {
        let (mut found, mut result) = (0, Ok(()));
        state.for_each(|part| {
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
