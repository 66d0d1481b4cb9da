//! Any layer with a state that is carried from call to call.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Tensor};

use super::carried::{CarriedState, carries_state};
use super::layer::{Layer, LayerStateOn, Unrolled};
use super::options::SequenceOptions;
use super::state::State;
use crate::Result;
use crate::module::Module;

/// A layer that starts each call from the state in which the last one ended, cut off from its gradient.
///
/// [`Time`](crate::Time) and [`Stacked`](crate::Stacked) can do so by themselves; this is for every other layer. It is
/// the outermost one, and no [`Layer`] itself: the layers inside of it carry nothing.
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
    carried: CarriedState<L::State>,
}

impl<E: Float, L: Layer<E>> Stateful<L, E> {
    /// Creates a stateful layer. Its first call starts a new sequence.
    #[must_use]
    pub fn new(layer: L) -> Self {
        Stateful { layer, carried: CarriedState::new(true) }
    }

    carries_state!(L::State, L, |self| &self.layer, |tape, n, given| self
        .layer
        .initial_state(tape, n, given));
}

/// The parameters of the layer, at their own paths.
impl<E: Float, L: Layer<E>> Module<E> for Stateful<L, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.layer.visit(path, f);
    }
}
