//! Cells whose type is chosen at run time.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Shape, Tensor};

use super::cell::{Cell, StateOn};
use super::tree::Tree;
use crate::module::Module;

/// A cell of any type, whose state is the row of its variables. [`Cell::boxed`] makes one.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{BoxedCell, Cell, GruCell, Layer, LstmCell, SequenceOptions, Time};
/// use retrograde_tensor::Tensor;
///
/// let rng = &mut StdRng::seed_from_u64(1);
/// for name in ["lstm", "gru"] {
///     let cell: BoxedCell<f32> = match name {
///         "lstm" => LstmCell::new(3, 4, rng).boxed(),
///         _ => GruCell::new(3, 4, rng).boxed(),
///     };
///     let layer = Time::new(cell);
///     let tape = Tape::new();
///     let out = layer.run(&tape.constant(Tensor::ones([2, 5, 3])), None, &SequenceOptions::new())?;
///     assert_eq!((out.hs.shape()[2], out.last.len()), (4, if name == "lstm" { 2 } else { 1 }));
/// }
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
pub type BoxedCell<E> = Box<dyn Cell<E, State = Vec<Tensor<E>>> + Send + Sync>;

pub(super) fn boxed<E: Float, C: Cell<E> + Send + Sync + 'static>(cell: C) -> BoxedCell<E> {
    Box::new(Flat(cell))
}

/// A cell whose state is the row of its variables.
struct Flat<C>(C);

impl<C> Flat<C> {
    /// The state of the cell of these variables.
    fn tree<'t, E: Float>(&self, leaves: &[Var<'t, E>]) -> StateOn<'t, C, E>
    where
        C: Cell<E>,
    {
        let mut leaves = leaves.iter();
        Tree::map(&self.0.initial_state(0), |_| {
            leaves.next().expect("a variable for each of the state").clone()
        })
    }
}

fn flat<'t, E: Float>(state: &impl Tree<Var<'t, E>>) -> Vec<Var<'t, E>> {
    state.leaves().into_iter().cloned().collect()
}

impl<E: Float, C: Cell<E>> Module<E> for Flat<C> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.0.visit(path, f);
    }
}

impl<E: Float, C: Cell<E>> Cell<E> for Flat<C> {
    type State = Vec<Tensor<E>>;

    fn input_size(&self) -> usize {
        self.0.input_size()
    }
    fn input_shape(&self) -> Shape {
        self.0.input_shape()
    }
    fn initial_state(&self, n: usize) -> Vec<Tensor<E>> {
        self.0.initial_state(n).leaves().into_iter().cloned().collect()
    }
    fn state_names(&self) -> &'static [&'static str] {
        self.0.state_names()
    }
    fn prepare(&self, tape: &Tape<E>) {
        self.0.prepare(tape);
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        self.0.project(x)
    }
    fn step<'t>(&self, x: &Var<'t, E>, state: &Vec<Var<'t, E>>) -> Vec<Var<'t, E>> {
        flat(&self.0.step(x, &self.tree(state)))
    }
    fn step_reading<'t>(
        &self,
        x: &Var<'t, E>,
        state: &Vec<Var<'t, E>>,
        read: &Vec<Var<'t, E>>,
    ) -> Vec<Var<'t, E>> {
        flat(&self.0.step_reading(x, &self.tree(state), &self.tree(read)))
    }
    fn output<'t>(&self, x: &Var<'t, E>, state: &Vec<Var<'t, E>>) -> Var<'t, E> {
        self.0.output(x, &self.tree(state))
    }
}

/// A cell on the heap.
impl<E: Float, C: Cell<E> + ?Sized> Cell<E> for Box<C> {
    type State = C::State;

    fn input_size(&self) -> usize {
        (**self).input_size()
    }
    fn input_shape(&self) -> Shape {
        (**self).input_shape()
    }
    fn initial_state(&self, n: usize) -> C::State {
        (**self).initial_state(n)
    }
    fn state_names(&self) -> &'static [&'static str] {
        (**self).state_names()
    }
    fn prepare(&self, tape: &Tape<E>) {
        (**self).prepare(tape);
    }
    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        (**self).project(x)
    }
    fn step<'t>(&self, x: &Var<'t, E>, state: &StateOn<'t, C, E>) -> StateOn<'t, C, E> {
        (**self).step(x, state)
    }
    fn step_reading<'t>(
        &self,
        x: &Var<'t, E>,
        state: &StateOn<'t, C, E>,
        read: &StateOn<'t, C, E>,
    ) -> StateOn<'t, C, E> {
        (**self).step_reading(x, state, read)
    }
    fn output<'t>(&self, x: &Var<'t, E>, state: &StateOn<'t, C, E>) -> Var<'t, E> {
        (**self).output(x, state)
    }
}
