//! Both directions of time.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Shape};

use crate::module::{Module, join};
use crate::time::{Cell, Layer, LayerStateOn, SequenceOptions, Time};
use crate::{Error, Result};

/// Two layers over one sequence, one forwards and one backwards in time, side by side.
///
/// The state is the pair of their states. The last state of the one that runs backwards is that after step 0.
///
/// # Shapes
/// `xs [N, T, D] -> hs [N, T, H + H]`
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Bidirectional, GruCell, Layer, SequenceOptions};
/// use retrograde_tensor::Tensor;
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let layer = Bidirectional::<_, f32>::new(GruCell::new(3, 4, &mut rng), GruCell::new(3, 4, &mut rng));
/// let tape = Tape::new();
/// let out = layer.run(&tape.constant(Tensor::ones([2, 5, 3])), None, &SequenceOptions::new())?;
/// assert_eq!(out.hs.value().dims(), [2, 5, 8]);
/// let (_forward, backward) = &out.last;
/// assert_eq!(backward.value(), &out.hs.value().select(1, 0).narrow(1, 4, 4));
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// M. Schuster and K. Paliwal, *Bidirectional recurrent neural networks* (1997).
#[derive(Clone, Debug)]
pub struct Bidirectional<C: Cell<E>, E: Float> {
    /// The layer that runs forwards.
    pub forward: Time<C, E>,
    /// The layer that runs backwards.
    pub backward: Time<C, E>,
}

impl<E: Float, C: Cell<E>> Bidirectional<C, E> {
    /// Creates both directions from their cells.
    pub fn new(forward: C, backward: C) -> Self {
        Bidirectional { forward: Time::new(forward), backward: Time::new(backward).reversed(true) }
    }
}

impl<E: Float, C: Cell<E>> Layer<E> for Bidirectional<C, E> {
    type State = (C::State, C::State);

    fn input_size(&self) -> usize {
        self.forward.input_size()
    }

    fn input_shape(&self) -> Shape {
        self.forward.input_shape()
    }

    fn initial_state<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&Self::State>,
    ) -> Result<LayerStateOn<'t, Self, E>> {
        if self.forward.is_reversed() || !self.backward.is_reversed() {
            let (expected, found) = ("one layer that runs forwards and a reversed one", "other directions");
            return Err(Error::Conflict { op: "bidirectional", expected, found });
        }
        let forward = self.forward.initial_state(tape, n, given.map(|(forward, _)| forward))?;
        let backward = self.backward.initial_state(tape, n, given.map(|(_, backward)| backward))?;
        Ok((forward, backward))
    }

    fn run_from<'t>(
        &self,
        xs: &Var<'t, E>,
        (forward, backward): LayerStateOn<'t, Self, E>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, LayerStateOn<'t, Self, E>)> {
        let (forwards, forward) = self.forward.run_from(xs, forward, &options.child(0))?;
        let (backwards, backward) = self.backward.run_from(xs, backward, &options.child(1))?;
        let hs = Var::try_concat(&[forwards, backwards], 2)?; // [N, T, H + H]
        Ok((hs, (forward, backward)))
    }
}

/// The parameters of both, `forward.wx` and `backward.wx`.
impl<E: Float, C: Cell<E>> Module<E> for Bidirectional<C, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.forward.visit(&join(path, "forward"), f);
        self.backward.visit(&join(path, "backward"), f);
    }
}
