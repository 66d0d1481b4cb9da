//! One step of a recurrent network.

use retrograde_autograd::{Tape, Var};
use retrograde_tensor::{Float, Shape, Tensor};

use super::boxed::{BoxedCell, boxed};
use super::state::{OnTape, State};
use super::tree::{Form, Tree};
use crate::module::Module;

/// The state of a cell on a tape.
pub type StateOn<'t, C, E> = OnTape<'t, <C as Cell<E>>::State, E>;

/// One step of a recurrent network, as a formula. [`Time`](crate::Time) lifts it over a sequence.
///
/// # Example
/// A leaky average, `h_next = h_prev + rate ⊙ (x - h_prev)`, with a trained rate for each feature:
/// ```
/// use retrograde_autograd::{Param, Tape, Var};
/// use retrograde_nn::{Cell, Time, module};
/// use retrograde_tensor::{Float, Tensor};
///
/// struct Leaky<E> {
///     rate: Param<E>, // [D]
/// }
/// module!(Leaky { rate });
///
/// impl<E: Float> Cell<E> for Leaky<E> {
///     type State = Tensor<E>;
///
///     fn input_size(&self) -> usize {
///         self.rate.shape()[0]
///     }
///     fn initial_state(&self, n: usize) -> Tensor<E> {
///         Tensor::zeros([n, self.input_size()])
///     }
///     fn step<'t>(&self, x: &Var<'t, E>, h_prev: &Var<'t, E>) -> Var<'t, E> {
///         h_prev + (x - h_prev) * &self.rate
///     }
/// }
///
/// let mut leaky = Time::new(Leaky { rate: Param::new("rate", Tensor::from([0.5])) });
/// let tape = Tape::new();
/// let xs = tape.constant(Tensor::from([[[8.0], [8.0], [8.0]]])); // [1, 3, 1]
/// let hs = leaky.forward(&xs)?.hs;
/// assert_eq!(hs.value(), &Tensor::from([[[4.0], [6.0], [7.0]]]));
/// assert!(hs.sum().backward()?.get(&leaky.cell.rate).is_some());
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a cell over `{E}`",
    note = "a cell implements `Cell` for every element type, `impl<E: Float> Cell<E> for ..`; a layer that has no steps, such as \
            `Linear`, is a `Layer` by itself, without `Time`"
)]
pub trait Cell<E: Float>: Module<E> {
    /// The state that is carried from step to step.
    type State: State<E>;

    /// Returns the number of features of the input, D: the rows of the first parameter that the module lists, such as
    /// `Wx [D, H]`, unless a cell says otherwise.
    fn input_size(&self) -> usize {
        let mut d = None;
        self.visit("", &mut |_, param| {
            d.get_or_insert_with(|| param.shape().first().copied().unwrap_or(0));
        });
        d.unwrap_or(0)
    }

    /// Returns the shape of the input of a step, without the batch: `[D]`, unless a cell reads more axes, such as positions
    /// and channels.
    fn input_shape(&self) -> Shape {
        Shape::from([self.input_size()])
    }

    /// Returns the state before the first step, for a batch of `n`: often zeros.
    fn initial_state(&self, n: usize) -> Self::State;

    /// Returns the names of the variables of a state, which printed tapes, errors and derived formulas use: those of the
    /// fields of a [`state!`](crate::state!), or `h`.
    fn state_names(&self) -> &'static [&'static str] {
        <Self::State as Tree<Tensor<E>>>::Form::NAMES
    }

    /// Makes what all steps of a call share, once before `project` and the steps: functions of parameters or of side inputs,
    /// bound to the cell's [placeholders](retrograde_autograd::Placeholder). Nothing by default. Whoever calls `step` on a tape of
    /// their own calls this first.
    fn prepare(&self, _tape: &Tape<E>) {}

    /// Returns the part of a step that depends on the input alone, for one step or for all steps at once: a `Time` calls it
    /// once for all steps, as one matrix product. It must not mix time steps.
    ///
    /// # Shapes
    /// `[N, D] -> [N, P]` and `[N, T, D] -> [N, T, P]`; D and P may be several axes.
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        x.clone()
    }

    /// Returns the next state from the projected input of one step and the state before it. The shapes of the state stay the
    /// same.
    ///
    /// # Shapes
    /// `x` is `[N, P]`.
    ///
    /// # Panics
    /// If the shapes do not fit. [`Time`](crate::Time) has checked them.
    fn step<'t>(&self, x: &Var<'t, E>, state: &StateOn<'t, Self, E>) -> StateOn<'t, Self, E>;

    /// As [`step`](Self::step), where the products with weights read `read` in place of the state: the state with
    /// elements missing, in [recurrent dropout](crate::Time::recurrent_dropout). A cell that carries its state past the
    /// products too, as a GRU does, takes that from `state`; by default a step sees `read` alone.
    ///
    /// # Panics
    /// As [`step`](Self::step).
    fn step_reading<'t>(
        &self,
        x: &Var<'t, E>,
        _state: &StateOn<'t, Self, E>,
        read: &StateOn<'t, Self, E>,
    ) -> StateOn<'t, Self, E> {
        self.step(x, read)
    }

    /// Returns the output of a step from its projected input and the state after it: the first variable of the state, `h`,
    /// unless a cell says otherwise. It need not be part of the state. Further outputs of each step, such as the weights of
    /// attention, lie beside it in the columns of one output, which [`Var::split`] cuts.
    ///
    /// # Shapes
    /// `x [N, P] -> [N, H]`
    fn output<'t>(&self, _x: &Var<'t, E>, state: &StateOn<'t, Self, E>) -> Var<'t, E> {
        let mut first = None;
        state.for_each(|part| {
            first.get_or_insert(part);
        });
        first.expect("a state has a variable").clone()
    }

    /// Returns the cell as one of a type that does not depend on its own, so that a program can choose at run time.
    ///
    /// # Example
    /// See [`BoxedCell`].
    fn boxed(self) -> BoxedCell<E>
    where
        Self: Sized + Send + Sync + 'static,
    {
        boxed(self)
    }
}
