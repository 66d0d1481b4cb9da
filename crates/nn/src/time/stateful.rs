//! Any layer with a state that is carried from call to call.

use retrograde_autograd::{Param, Var};
use retrograde_tensor::Float;

use super::carried::Carry;
use super::layer::{Layer, LayerStateOn, Unrolled};
use super::options::SequenceOptions;
use super::state::State;
use crate::Result;
use crate::module::Module;

/// A layer that starts each call from the state in which the last one ended, cut off from its gradient: what
/// [`Time`](crate::Time) and [`Stacked`](crate::Stacked) can do by themselves, for every other layer.
///
/// A direction that runs backwards in time carries its state after the first step of one call into the last step of
/// the next.
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Linear, LstmCell, Residual, Stateful, TimeLstm};
/// use retrograde_tensor::Tensor;
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let lstm = Residual(TimeLstm::<f32>::new(LstmCell::new(3, 3, &mut rng)));
/// let mut model = Stateful::new((lstm, Linear::new(3, 2, &mut rng)));
/// for _window in 0..2 {
///     let tape = Tape::new();
///     let out = model.forward(&tape.constant(Tensor::ones([4, 5, 3])))?;
///     let ((h, _c), ()) = out.last;
///     assert_eq!(&model.state().unwrap().0.0, h.value());
/// }
/// model.reset_state();
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Stateful<L: Layer<E>, E: Float> {
    /// The layer.
    pub layer: L,
    carry: Carry<L::State>,
}

impl<E: Float, L: Layer<E>> Stateful<L, E> {
    /// The first call starts from the state of a new sequence.
    pub fn new(layer: L) -> Self {
        let mut carry = Carry::new();
        carry.stateful = true;
        Stateful { layer, carry }
    }

    /// The state after the last call, or the one set for the next.
    pub fn state(&self) -> Option<&L::State> {
        self.carry.state.as_ref()
    }

    /// Gives the next call its initial state.
    pub fn set_state(&mut self, state: L::State) {
        self.carry.set(state);
    }

    /// Forgets the state: the next call starts from that of a new sequence.
    pub fn reset_state(&mut self) {
        self.carry.reset();
    }

    /// All steps of a sequence, from the state that is due. It is an evaluation: what is random does not act.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    ///
    /// # Errors
    /// If `xs` has another shape, or if the state is not one of this layer for a batch of N: call
    /// [`reset_state`](Self::reset_state) before the batch size changes. The state then stays as it was.
    pub fn forward<'t>(&mut self, xs: &Var<'t, E>) -> Result<Unrolled<'t, E, LayerStateOn<'t, L, E>>> {
        self.forward_with(xs, &SequenceOptions::new())
    }

    /// As [`forward`](Self::forward), told where rows end and start anew, and with noise for training.
    ///
    /// # Errors
    /// As [`forward`](Self::forward), and if what `options` holds does not fit `xs`.
    pub fn forward_with<'t>(
        &mut self,
        xs: &Var<'t, E>,
        options: &SequenceOptions<E>,
    ) -> Result<Unrolled<'t, E, LayerStateOn<'t, L, E>>> {
        let out = self.layer.run(xs, self.carry.due(), options)?;
        self.carry.keep(L::State::detach(&out.last));
        Ok(out)
    }
}

/// The parameters of the layer, without a name of its own in between.
impl<E: Float, L: Layer<E>> Module<E> for Stateful<L, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.layer.visit(path, f);
    }
}
