//! A cell over a sequence.

mod boxed;
pub(crate) mod carried;
mod cell;
pub(crate) mod layer;
pub(crate) mod noise;
pub(crate) mod options;
mod recurrent_dropout;
pub(crate) mod state;
mod stateful;
pub(crate) mod tree;
mod unroll;
mod zoneout;

use std::borrow::Cow;
use std::num::NonZeroUsize;

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Tensor};

use self::carried::{CarriedState, carries_state};
use self::state::StateShapes;
use crate::range::Range;
use crate::{Error, Result};

pub use self::boxed::BoxedCell;
pub use self::cell::{Cell, StateOn};
pub use self::layer::{Causality, Layer, LayerStateOn, Unrolled};
pub use self::noise::Noise;
pub use self::options::SequenceOptions;
pub use self::state::{OnTape, State};
pub use self::stateful::Stateful;
pub use self::tree::{Form, Leaf, Mapped, Single, Tree};

const OP: &str = "time";

/// A cell lifted over a sequence: `xs [N, T, D] -> hs [N, T, H]`, one step after the other. D and H may be several axes, where
/// the cell [says so](Cell::input_shape).
///
/// The layer has no backward pass of its own: backpropagation through time is derived from the tape. The course explains it,
/// [one step] first and then [a sequence].
///
/// [one step]: https://github.com/retrograde-rs/retrograde/blob/main/docs/learn/2-step.md
/// [a sequence]: https://github.com/retrograde-rs/retrograde/blob/main/docs/learn/4-time.md
///
/// A call starts from the cell's initial state, or from a [*learned* one](Time::learn_initial). A *stateful* layer starts
/// from the state in which the last call ended instead; the gradient is cut between calls, since the state is carried as a
/// plain tensor (truncated backpropagation through time). [`set_state`](Time::set_state) sets the initial state of the
/// next call, stateful or not. Only the outermost layer carries a state: see [`Layer`]. A [*reversed*](Time::reversed)
/// layer takes the last step first. Lengths, masks, resets and noise are [`SequenceOptions`] of a call. For sequences so
/// long that their states do not fit in memory, a layer can [compute them again](Time::recompute_every).
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
///     // A cotangent for all states, and one for the last state.
///     let dhs = Tensor::normal([2, 5, 4], 0.0, 1.0, &mut rng)?;
///     let dh_last = Tensor::normal([2, 4], 0.0, 1.0, &mut rng)?;
///     let grads = tape.backward(&[(&out.hs, &dhs), (&out.last, &dh_last)])?;
///     assert_eq!(grads.get(&rnn.cell.wx).unwrap().dims(), [3, 4]);
///     assert_eq!(grads.get(&out.initial).unwrap().dims(), [2, 4]); // what an encoder receives
/// }
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// A trained layer that answers step by step, as on a server:
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_nn::{LstmCell, TimeLstm};
/// use retrograde_tensor::Tensor;
///
/// let mut lstm = TimeLstm::<f32>::new(LstmCell::new(3, 4, &mut StdRng::seed_from_u64(1)));
/// let first = lstm.step(&Tensor::ones([1, 3]))?; // [N, D] -> [N, H]
/// let second = lstm.step(&Tensor::ones([1, 3]))?;
/// lstm.reset_state();
/// assert_eq!(lstm.step(&Tensor::ones([1, 3]))?, first);
/// assert_eq!(lstm.step(&Tensor::ones([1, 3]))?, second);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Derivative
/// Backpropagation through time. The crate `retrograde-derivation` prints that of any cell as the
/// textbook's loop:
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_derivation::DeriveVar;
/// use retrograde_nn::{LstmCell, TimeLstm};
/// use retrograde_tensor::Tensor;
///
/// let mut lstm = TimeLstm::new(LstmCell::<f64>::new(3, 1, &mut StdRng::seed_from_u64(1)));
/// let tape = Tape::new();
/// let text = lstm.forward(&tape.constant(Tensor::ones([2, 5, 3])))?.hs.derivation()?.to_string();
/// assert!(text.contains("for t = T-1 .. 0:\n    dh_t = dhs[:, t] + dh\n"));
/// assert!(text.contains("    dc_t = dc + dh_t ⊙ o ⊙ (1 - tanh(c_t)²)\n"));
/// assert!(text.contains("    dWh += h_{t-1}ᵀ·dt\n    dh = dt·Whᵀ\n    dc = dc_t ⊙ f\n"));
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
    /// The initial state of a new sequence, `[1, ..]` each, if it is learned.
    initial: Vec<Param<E>>,
    reversed: bool,
    /// The probability of each variable of the state that an element stays unchanged; empty without zoneout.
    zoneout: Vec<f64>,
    /// The probability of each variable of the state that an element is not read; empty without recurrent dropout.
    recurrent_dropout: Vec<f64>,
    /// The number of steps that are computed again at a time, if they are.
    segment: Option<NonZeroUsize>,
    carried: CarriedState<C::State>,
}

impl<E: Float, C: Cell<E>> Time<C, E> {
    /// Creates a layer that is not stateful, starts from the cell's initial state and runs forwards.
    #[must_use]
    pub fn new(cell: C) -> Self {
        Time {
            cell,
            initial: Vec::new(),
            reversed: false,
            zoneout: Vec::new(),
            recurrent_dropout: Vec::new(),
            segment: None,
            carried: CarriedState::new(false),
        }
    }

    carries_state!(C::State, Self, |self| self, |tape, n, given| self.start(tape, n, given));

    /// Sets whether the last step is taken first. The output of each step stays in its place; the state after the last
    /// step is then the one after step 0.
    #[must_use]
    pub fn reversed(mut self, reversed: bool) -> Self {
        self.reversed = reversed;
        self
    }

    /// Keeps every `steps`-th state only, and computes the steps in between again in the backward pass, for the same
    /// gradients bit for bit. `√T` steps take the least memory: it is then in proportion to `√T`, apart from the input,
    /// its projection and the outputs. The cost is one more forward pass over the steps.
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

    /// Makes the initial state of a new sequence a parameter for each variable of the state, the same for every row:
    /// `initial.h_prev`, with the value of the cell's own initial state at first. Where the cell has a parameter of that
    /// name, it is `initial_initial.h_prev`.
    ///
    /// # Panics
    /// If the state has no variable.
    #[must_use]
    #[track_caller]
    pub fn learn_initial(mut self) -> Self {
        let mut taken: Vec<String> = self.cell.named_params().into_iter().map(|(path, _)| path).collect();
        let mut names = self.variables().into_iter();
        self.initial.clear();
        self.cell.initial_state(1).for_each(|value| {
            let mut name = format!("initial.{}_prev", names.next().expect("each variable has a name"));
            while taken.contains(&name) {
                name.insert_str(0, "initial_");
            }
            taken.push(name.clone());
            self.initial.push(Param::new(name, value.clone()));
        });
        assert!(!self.initial.is_empty(), "learn_initial: expected a state with a variable, found none");
        self
    }

    /// Keeps each element of the named variables of the state unchanged in a step with a probability, such as
    /// `zoneout(&[("h", 0.1), ("c", 0.5)])`. In training, which is with noise in the [`SequenceOptions`], elements are
    /// drawn; in evaluation the step takes the mean.
    ///
    /// # Errors
    /// If the state has no variable of a name, if one is named twice or none at all, or if a probability is not at least 0
    /// and below 1.
    ///
    /// # Source
    /// D. Krueger et al., *Zoneout: regularizing RNNs by randomly preserving hidden activations* (2017).
    pub fn zoneout(mut self, p: &[(&str, f64)]) -> Result<Self> {
        self.zoneout = self.probabilities("zoneout", p)?;
        Ok(self)
    }

    /// Sets elements of the named variables of the state to zero where the products of a step read them, the same ones in
    /// all steps of a call, and divides the others by the probability to stay: `recurrent_dropout(&[("h", 0.25)])`. It
    /// acts in training, which is with noise in the [`SequenceOptions`], and not in evaluation. Where a cell carries its
    /// state past the products, as a GRU does, it stays whole: [`step_reading`](Cell::step_reading).
    ///
    /// A row in which a new sequence starts within a call keeps its mask.
    ///
    /// # Errors
    /// As [`zoneout`](Self::zoneout).
    ///
    /// # Example
    /// ```
    /// use rand::{SeedableRng, rngs::StdRng};
    /// use retrograde_autograd::Tape;
    /// use retrograde_nn::{LstmCell, Noise, SequenceOptions, TimeLstm};
    /// use retrograde_tensor::Tensor;
    ///
    /// let cell = LstmCell::<f64>::new(3, 4, &mut StdRng::seed_from_u64(1));
    /// let mut lstm = TimeLstm::new(cell).recurrent_dropout(&[("h", 0.5)])?;
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
    pub fn recurrent_dropout(mut self, p: &[(&str, f64)]) -> Result<Self> {
        self.recurrent_dropout = self.probabilities("recurrent dropout", p)?;
        Ok(self)
    }

    /// A probability for each variable of the state.
    fn probabilities(&self, option: &'static str, named: &[(&str, f64)]) -> Result<Vec<f64>> {
        let names = self.variables();
        let refuse = |found: &str| {
            Err(Error::Variable { op: OP, option, expected: names.clone(), found: found.to_owned() })
        };
        if named.is_empty() {
            return refuse("none");
        }
        let mut p: Vec<Option<f64>> = vec![None; names.len()];
        for &(name, found) in named {
            match names.iter().position(|known| known == name) {
                Some(i) if p[i].is_none() => p[i] = Some(Range::BelowOne.check(OP, option, found)?),
                Some(_) => return refuse(&format!("{name} twice")),
                None => return refuse(name),
            }
        }
        Ok(p.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// A name for each variable of the state.
    pub(crate) fn variables(&self) -> Vec<String> {
        let (known, mut names) = (self.cell.state_names(), Vec::new());
        self.cell.initial_state(0).for_each(|_| {
            let i = names.len();
            names.push(known.get(i).map_or_else(|| format!("state{i}"), |&name| name.to_owned()));
        });
        names
    }

    /// Whether the last step is taken first.
    #[must_use]
    pub fn is_reversed(&self) -> bool {
        self.reversed
    }

    /// The probabilities of zoneout, none without it.
    pub(crate) fn zoneout_probabilities(&self) -> &[f64] {
        &self.zoneout
    }

    /// Returns the parameters of a learned initial state, one for each variable; none if it is not learned.
    #[must_use]
    pub fn initial(&self) -> &[Param<E>] {
        &self.initial
    }

    /// The initial state on a tape: the one that is given, or that of a new sequence.
    fn start<'t>(&self, tape: &'t Tape<E>, n: usize, given: Option<&C::State>) -> Result<StateOn<'t, C, E>> {
        /// Rows that an input without elements may claim, and that no state holds.
        const MANY: usize = 1 << 20;
        if n > MANY {
            for shape in StateShapes::of(&self.cell.initial_state(0)).0 {
                shape.try_with_axis(OP, 0, n)?.require_memory::<E>(OP)?;
            }
        }
        let initial = given.map_or_else(|| self.new_sequence(tape, n), |state| state.on(tape));
        self.name_state(&initial, |name| format!("{name}_prev").into());
        Ok(initial)
    }

    /// The initial state of a new sequence on a tape.
    fn new_sequence<'t>(&self, tape: &'t Tape<E>, n: usize) -> StateOn<'t, C, E> {
        let zeros = self.cell.initial_state(n).on(tape);
        if self.initial.is_empty() {
            return zeros;
        }
        let mut learned = self.initial.iter();
        Tree::map(&zeros, |zeros| {
            let h_prev = learned.next().expect("a state has as many variables as its initial state");
            tape.param(h_prev).broadcast_to(zeros.shape()).retain_grad()
        })
    }

    fn name_state(&self, state: &StateOn<'_, C, E>, f: impl Fn(&'static str) -> Cow<'static, str>) {
        let mut names = self.cell.state_names().iter();
        state.for_each(|part| {
            if let (Some(name), Some(_)) = (names.next(), part.id()) {
                part.set_name(f(name));
            }
        });
    }
}
