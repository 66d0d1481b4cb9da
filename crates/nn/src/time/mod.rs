//! A cell over a sequence.

pub(crate) mod carried;
mod cell;
mod layer;
pub(crate) mod noise;
pub(crate) mod options;
mod recurrent_dropout;
pub(crate) mod state;
mod stateful;
mod unroll;
mod zoneout;

use std::borrow::Cow;
use std::num::NonZeroUsize;

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::Float;

use self::carried::Carry;
use self::noise::probability;
use crate::{Error, Result};

pub use self::cell::{Cell, StateOn};
pub use self::layer::{Layer, LayerStateOn, Unrolled};
pub use self::noise::Noise;
pub use self::options::SequenceOptions;
pub use self::state::{State, Zip};
pub use self::stateful::Stateful;

const OP: &str = "time";

/// A cell lifted over a sequence: `xs [N, T, D] -> hs [N, T, H]`, one step after the other.
///
/// A call starts from zeros, or from a [*learned* state](Time::learn_initial). A *stateful* layer starts from the state in which the last call ended instead; the
/// gradient is cut between calls, since the state is carried as a plain tensor (truncated backpropagation through
/// time). [`set_state`](Time::set_state) gives the next call its initial state, stateful or not. A
/// [*reversed*](Time::reversed) layer takes the last step first. What a call knows of its rows, such as their lengths,
/// is a [`SequenceOptions`]. For sequences so long that their states do not fit in memory, a layer can
/// [compute them again](Time::recompute_every).
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
    /// The state of a new sequence, `[1, ..]` each, if it is learned.
    initial: Vec<Param<E>>,
    reversed: bool,
    /// How likely each element of each variable of the state is to stay as it is; empty without zoneout.
    zoneout: Vec<f64>,
    /// How likely each element of each variable of the state is not to be read; empty without recurrent dropout.
    recurrent_dropout: Vec<f64>,
    /// How many steps are computed again at a time, if they are.
    segment: Option<NonZeroUsize>,
    carry: Carry<C::State>,
}

impl<E: Float, C: Cell<E>> Time<C, E> {
    /// A layer that is not stateful, starts from zeros and runs forwards.
    pub fn new(cell: C) -> Self {
        Time {
            cell,
            initial: Vec::new(),
            reversed: false,
            zoneout: Vec::new(),
            recurrent_dropout: Vec::new(),
            segment: None,
            carry: Carry::new(),
        }
    }

    /// Whether to carry the state from call to call.
    #[must_use]
    pub fn stateful(mut self, stateful: bool) -> Self {
        self.carry.stateful = stateful;
        self
    }

    /// Whether to take the last step first. What each step hands out stays in its place; the state after the last step
    /// is then that after step 0.
    #[must_use]
    pub fn reversed(mut self, reversed: bool) -> Self {
        self.reversed = reversed;
        self
    }

    /// Keeps only every so-manieth state for the backward pass, which computes the steps in between again, for the same
    /// gradients bit for bit. The least memory takes every `√T`th: it is then in proportion to `√T`, but for the input
    /// and what is handed out. It costs one more forward pass over the steps.
    ///
    /// # Panics
    /// If `steps` is 0.
    ///
    /// # Source
    /// See [`Tape::recompute`].
    #[must_use]
    #[track_caller]
    pub fn recompute_every(mut self, steps: usize) -> Self {
        self.segment =
            Some(NonZeroUsize::new(steps).expect("recompute_every: expected at least 1 step, found 0"));
        self
    }

    /// Makes the state of a new sequence a parameter, the same for every row, that starts from zeros: `h0`.
    #[must_use]
    pub fn learn_initial(mut self) -> Self {
        let mut names = self.cell.state_names().iter();
        self.initial.clear();
        self.cell.zero_state(1).each(&mut |zeros| {
            let name = format!("{}0", names.next().copied().unwrap_or("state"));
            self.initial.push(Param::new(name, zeros.clone()));
        });
        self
    }

    /// Lets each element of the state stay as it is at random in each step, with a probability for each variable of the
    /// state, such as `[p_h, p_c]`. In training, that is with noise in the [`SequenceOptions`], it stays or not; in evaluation it
    /// takes the mean.
    ///
    /// # Errors
    /// If there is not one probability for each variable, or if one is not at least 0 and below 1.
    ///
    /// # Source
    /// D. Krueger et al., *Zoneout: regularizing RNNs by randomly preserving hidden activations* (2017).
    pub fn zoneout(mut self, p: &[f64]) -> Result<Self> {
        self.zoneout = self.probabilities("zoneout", p)?;
        Ok(self)
    }

    /// Lets the products of each step read the state with elements set to zero at random, the same ones in all steps of
    /// a call, and the others divided by the probability to stay; with a probability for each variable of the state,
    /// such as `[p_h, 0.0]` for an LSTM. It acts in training, that is with noise in the [`SequenceOptions`], and not in
    /// evaluation. What a cell carries past its products, as a GRU does, stays whole:
    /// [`step_reading`](Cell::step_reading).
    ///
    /// A row that starts anew within a call keeps its mask.
    ///
    /// # Errors
    /// If there is not one probability for each variable, or if one is not at least 0 and below 1.
    ///
    /// # Example
    /// ```
    /// use rand::{SeedableRng, rngs::StdRng};
    /// use retrograde_autograd::Tape;
    /// use retrograde_nn::{LstmCell, Noise, SequenceOptions, TimeLstm};
    /// use retrograde_tensor::Tensor;
    ///
    /// let cell = LstmCell::<f64>::new(3, 4, &mut StdRng::seed_from_u64(1));
    /// let mut lstm = TimeLstm::new(cell).recurrent_dropout(&[0.5, 0.0])?;
    /// let tape = Tape::new();
    /// let xs = tape.constant(Tensor::ones([2, 5, 3]));
    /// let options = SequenceOptions::new().with_noise(Noise::seeded(7)); // training: other noise for each call
    /// let trained = lstm.forward_with(&xs, &options)?.hs;
    /// assert_ne!(trained.value(), lstm.forward(&xs)?.hs.value());
    /// # Ok::<(), retrograde_nn::Error>(())
    /// ```
    ///
    /// # Source
    /// Y. Gal and Z. Ghahramani, *A theoretically grounded application of dropout in recurrent neural networks* (2016),
    /// section 4.
    pub fn recurrent_dropout(mut self, p: &[f64]) -> Result<Self> {
        self.recurrent_dropout = self.probabilities("recurrent_dropout", p)?;
        Ok(self)
    }

    /// The probabilities, if there is one for each variable of the state.
    fn probabilities(&self, name: &'static str, p: &[f64]) -> Result<Vec<f64>> {
        let mut expected = 0;
        self.cell.zero_state(0).each(&mut |_| expected += 1);
        if p.len() != expected {
            return Err(Error::Count { op: OP, name: "probabilities", expected, found: p.len() });
        }
        p.iter().map(|&p| probability(OP, name, p)).collect()
    }

    /// Whether the state is carried from call to call.
    pub fn is_stateful(&self) -> bool {
        self.carry.stateful
    }

    /// Whether the last step is taken first.
    pub fn is_reversed(&self) -> bool {
        self.reversed
    }

    /// The parameters that are the state of a new sequence, in the order of its variables; none if it is zeros.
    pub fn initial(&self) -> &[Param<E>] {
        &self.initial
    }

    /// The state after the last call, or the one set for the next.
    pub fn state(&self) -> Option<&C::State> {
        self.carry.state.as_ref()
    }

    /// Gives the next call its initial state, stateful or not. A layer that is not stateful starts from that of a new
    /// sequence again after that call.
    pub fn set_state(&mut self, state: C::State) {
        self.carry.set(state);
    }

    /// Forgets the state: the next call starts from that of a new sequence.
    pub fn reset_state(&mut self) {
        self.carry.reset();
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
        self.forward_with(xs, &SequenceOptions::new())
    }

    /// As [`forward`](Self::forward), told where rows end and start anew.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and if what `options` holds does not fit `xs`.
    pub fn forward_with<'t>(
        &mut self,
        xs: &Var<'t, E>,
        options: &SequenceOptions<E>,
    ) -> Result<Unrolled<'t, E, StateOn<'t, C, E>>> {
        let out = self.run(xs, self.carry.due(), options)?;
        self.carry.keep(C::State::detach(&out.last));
        Ok(out)
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
        self.unroll_with(xs, initial, &SequenceOptions::new())
    }

    /// The state of a new sequence on a tape.
    fn fresh<'t>(&self, tape: &'t Tape<E>, n: usize) -> StateOn<'t, C, E> {
        let zeros = self.cell.zero_state(n).on(tape);
        if self.initial.is_empty() {
            return zeros;
        }
        let mut learned = self.initial.iter();
        C::State::zip_on(&zeros, &zeros, &mut |zeros, _| {
            let h0 = learned.next().expect("a state has as many variables as its zero state");
            tape.param(h0).broadcast_to(zeros.shape()).retain_grad()
        })
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
