//! Layers of different types one after the other, and layers without a state as layers over sequences.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Shape};

use super::LayerNorm;
use super::Linear;
use crate::Result;
use crate::module::{Module, join};
use crate::shapes::{Axis, expect};
use crate::time::{Causality, Layer, LayerStateOn, SequenceOptions};

/// Two layers, one after the other: the outputs of the first are the inputs of the second. More layers are pairs of pairs. The state is the pair of
/// their states.
///
/// [`Stacked`](crate::Stacked) takes any number of layers, but of one type.
///
/// # Shapes
/// `xs [N, T, D] -> hs [N, T, H]`, that of the second
///
/// # Example
/// ```
/// use rand::{SeedableRng, rngs::StdRng};
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Bidirectional, GruCell, Layer, Linear, SequenceOptions, RnnCell, TimeRnn};
/// use retrograde_tensor::Tensor;
///
/// let mut rng = StdRng::seed_from_u64(1);
/// let both = Bidirectional::<_, f64>::new(GruCell::new(3, 4, &mut rng), GruCell::new(3, 4, &mut rng));
/// let tagger = (both, (TimeRnn::new(RnnCell::new(8, 4, &mut rng)), Linear::new(4, 2, &mut rng)));
/// let tape = Tape::new();
/// let xs = tape.constant(Tensor::normal([2, 5, 3], 0.0, 1.0, &mut rng)?);
/// let out = tagger.run(&xs, None, &SequenceOptions::new().lengths(&[5, 3]))?;
/// assert_eq!(out.hs.value().dims(), [2, 5, 2]);
/// let (_both, (h, ())) = out.last;
/// assert_eq!(h.value().dims(), [2, 4]);
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
impl<E: Float, A: Layer<E>, B: Layer<E>> Layer<E> for (A, B) {
    type State = (A::State, B::State);

    fn input_size(&self) -> usize {
        self.0.input_size()
    }

    fn input_shape(&self) -> Shape {
        self.0.input_shape()
    }

    fn causality(&self) -> Causality {
        self.0.causality().then(self.1.causality())
    }

    fn initial_state<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&Self::State>,
    ) -> Result<LayerStateOn<'t, Self, E>> {
        let first = self.0.initial_state(tape, n, given.map(|(first, _)| first))?;
        Ok((first, self.1.initial_state(tape, n, given.map(|(_, second)| second))?))
    }

    fn run_from<'t>(
        &self,
        xs: &Var<'t, E>,
        (first, second): LayerStateOn<'t, Self, E>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, LayerStateOn<'t, Self, E>)> {
        let (hs, first) = self.0.run_from(xs, first, &options.child(0))?;
        let (hs, second) = self.1.run_from(&hs, second, &options.child(1))?;
        Ok((hs, (first, second)))
    }
}

/// The parameters of both, by their numbers: `0.wx`.
impl<E: Float, A: Module<E>, B: Module<E>> Module<E> for (A, B) {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.0.visit(&join(path, "0"), f);
        self.1.visit(&join(path, "1"), f);
    }
}

/// A layer that treats every step alike and carries nothing.
macro_rules! each_step {
    ($layer:ident, $op:literal, |$self:ident| $input_size:expr) => {
        /// Each step by itself. The output of a step that does not count is zero, as in every layer.
        impl<E: Float> Layer<E> for $layer<E> {
            type State = ();

            fn input_size(&$self) -> usize {
                $input_size
            }

            fn causality(&self) -> Causality {
                Causality::Forward
            }

            fn initial_state(&self, _: &Tape<E>, _: usize, _: Option<&()>) -> Result<()> {
                Ok(())
            }

            fn run_from<'t>(&self, xs: &Var<'t, E>, (): (), options: &SequenceOptions<E>) -> Result<(Var<'t, E>, ())> {
                let (shape, d) = (xs.shape(), Layer::<E>::input_size(self));
                expect($op, "xs", &[Axis::Any("N"), Axis::Any("T"), Axis::Size(d)], shape)?;
                let masks = options.masks(shape[0], shape[1])?;
                let hs = self.forward(&masks.clear(xs)?)?;
                Ok((masks.clear(&hs)?, ()))
            }
        }
    };
}

each_step!(Linear, "linear", |self| self.w.shape()[0]);
each_step!(LayerNorm, "layer_norm", |self| self.gain.shape()[0]);
