//! A cell over a sequence.

use std::borrow::Cow;

use retrograde_autograd::{Error as TapeError, Param, Tape, Var};
use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::cell::{Cell, StateOn};
use crate::module::Module;
use crate::shapes::{Axis, expect};
use crate::state::State;

const OP: &str = "time";

/// A cell lifted over a sequence: `xs [N, T, D] -> hs [N, T, H]`, one step after the other.
///
/// A call starts from zeros. A *stateful* layer starts from the state in which the last call ended instead; the
/// gradient is cut between calls, since the state is carried as a plain tensor (truncated backpropagation through
/// time). [`set_state`](Time::set_state) gives the next call its initial state, stateful or not.
///
/// # Shapes
/// `xs [N, T, D]`, `hs [N, T, H]`; T may be 0.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{RnnCell, TimeRnn};
/// use retrograde_tensor::Tensor;
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let mut rnn = TimeRnn::new(RnnCell::new(3, 4, &mut rng)).stateful(true);
/// for _window in 0..2 {
///     let tape = Tape::<f64>::new();
///     let xs = tape.var(Tensor::normal([2, 5, 3], 0.0, 1.0, &mut rng)?);
///     let out = rnn.forward(&xs)?;
///     assert_eq!(rnn.state(), Some(out.last.value()));
///     // A cotangent for all states, and one for the last state besides.
///     let dhs = Tensor::normal([2, 5, 4], 0.0, 1.0, &mut rng)?;
///     let dh_last = Tensor::normal([2, 4], 0.0, 1.0, &mut rng)?;
///     let grads = tape.backward(&[(&out.hs, &dhs), (&out.last, &dh_last)])?;
///     assert_eq!(grads.get(&rnn.cell.wx).unwrap().dims(), [3, 4]);
///     assert_eq!(grads.get(&out.initial).unwrap().dims(), [2, 4]); // what an encoder receives
/// }
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// P. Werbos, *Backpropagation through time: what it does and how to do it* (1990); truncated, R. Williams and
/// J. Peng (1990).
#[derive(Clone, Debug)]
pub struct Time<C: Cell<E>, E: Float> {
    /// The cell that is repeated.
    pub cell: C,
    stateful: bool,
    state: Option<C::State>,
    /// Whether the next call starts from `state` although the layer is not stateful.
    set: bool,
}

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

impl<E: Float, C: Cell<E>> Time<C, E> {
    /// A layer that is not stateful.
    pub fn new(cell: C) -> Self {
        Time { cell, stateful: false, state: None, set: false }
    }

    /// Whether to carry the state from call to call.
    #[must_use]
    pub fn stateful(mut self, stateful: bool) -> Self {
        self.stateful = stateful;
        self
    }

    /// Whether the state is carried from call to call.
    pub fn is_stateful(&self) -> bool {
        self.stateful
    }

    /// The state after the last call, or the one set for the next.
    pub fn state(&self) -> Option<&C::State> {
        self.state.as_ref()
    }

    /// Gives the next call its initial state, stateful or not. A layer that is not stateful starts from zeros again
    /// after that call.
    pub fn set_state(&mut self, state: C::State) {
        self.state = Some(state);
        self.set = true;
    }

    /// Forgets the state: the next call starts from zeros.
    pub fn reset_state(&mut self) {
        self.state = None;
        self.set = false;
    }

    /// All steps of a sequence, from the state that is due.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If `xs` has another shape, or if the state is not one of a batch of N: call
    /// [`reset_state`](Self::reset_state) before the batch size changes. The state then stays as it was.
    ///
    /// # Panics
    /// Where the cell does, as when one of its parameters was replaced by one of another shape.
    pub fn forward<'t>(&mut self, xs: &Var<'t, E>) -> Result<Unrolled<'t, E, StateOn<'t, C, E>>> {
        let [n, _] = self.check(xs)?;
        let due = self.state.clone().filter(|_| self.stateful || self.set);
        let state = due.unwrap_or_else(|| self.cell.zero_state(n));
        let initial = state.on(xs.tape());
        self.name_state(&initial, |name| format!("{name}_prev").into());
        let (hs, last) = self.unroll(xs, initial.clone())?;
        self.state = Some(C::State::detach(&last));
        self.set = false;
        Ok(Unrolled { hs, last, initial })
    }

    /// All steps of a sequence from a given state, without looking at the carried state or changing it.
    ///
    /// Returns what each step hands out, `[N, T, H]`, and the state after the last step. On the tape, the steps are
    /// numbered, so that variables are called `t_0`, `h_0`.
    ///
    /// # Errors
    /// If `xs` or the state has another shape, or if they are not on one tape.
    ///
    /// # Panics
    /// Where the cell does, as when one of its parameters was replaced by one of another shape.
    pub fn unroll<'t>(
        &self,
        xs: &Var<'t, E>,
        initial: StateOn<'t, C, E>,
    ) -> Result<(Var<'t, E>, StateOn<'t, C, E>)> {
        let [n, steps] = self.check(xs)?;
        let tape = xs.tape();
        self.check_state(n, tape, &initial)?;
        let recorded = tape.len();
        let mut projected = self.cell.project(xs); // [N, T, P]
        if tape.len() > recorded {
            projected = projected.named("p");
        }
        let mut state = initial;
        let mut outputs = Vec::with_capacity(steps);
        for step in 0..steps {
            tape.set_step(Some(step));
            state = self.cell.step(&projected.select(1, step), &state);
            self.name_state(&state, Cow::Borrowed);
            outputs.push(self.cell.output(tape, &state)); // [N, H]
        }
        tape.set_step(None);
        let hs = if steps > 0 {
            Var::try_stack(&outputs, 1)? // [N, T, H]
        } else {
            let h = self.cell.output(tape, &state);
            tape.constant(Tensor::zeros(h.shape().inserted(1, 0))) // [N, 0, H]
        };
        Ok((hs.named("hs"), state))
    }

    /// `[N, T]` of a sequence that fits the cell.
    fn check(&self, xs: &Var<'_, E>) -> Result<[usize; 2]> {
        let shape = xs.shape();
        expect(OP, "xs", &[Axis::Any("N"), Axis::Any("T"), Axis::Size(self.cell.input_size())], shape)?;
        Ok([shape[0], shape[1]])
    }

    /// Refuses a state of another tape, or of other shapes than a zero state for a batch of `n`.
    fn check_state<'t>(&self, n: usize, tape: &'t Tape<E>, state: &StateOn<'t, C, E>) -> Result<()> {
        let mut shapes = Vec::new();
        self.cell.zero_state(n).each(&mut |zero| shapes.push(zero.shape()));
        let mut shapes = shapes.into_iter();
        let mut result = Ok(());
        C::State::each_on(state, &mut |part| {
            let shape = shapes.next().expect("a state has as many variables as tensors");
            if result.is_ok() {
                result = if std::ptr::eq(part.tape(), tape) {
                    let axes: Vec<Axis> = shape.iter().map(|&size| Axis::Size(size)).collect();
                    expect(OP, "a state", &axes, part.shape())
                } else {
                    Err(TapeError::ForeignVariable { op: OP }.into())
                };
            }
        });
        result
    }

    fn name_state(&self, state: &StateOn<'_, C, E>, f: impl Fn(&'static str) -> Cow<'static, str>) {
        let mut names = self.cell.state_names().iter();
        C::State::each_on(state, &mut |part| {
            if let Some(name) = names.next() {
                let _ = part.clone().named(f(name));
            }
        });
    }
}

/// The parameters of the cell, without a name of its own in between: `rnn.wx`.
impl<E: Float, C: Cell<E>> Module<E> for Time<C, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.cell.visit(path, f);
    }
}
