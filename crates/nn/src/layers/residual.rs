//! A shortcut past a layer.

use retrograde_autograd::{Param, Tape, Var};
use retrograde_tensor::{Float, Shape};

use crate::Result;
use crate::module::Module;
use crate::time::{Causality, Layer, LayerStateOn, SequenceOptions};

/// A layer whose input is added to its output, which must have as many features.
///
/// # Shapes
/// `xs [N, T, D] -> hs [N, T, D]`
///
/// # Example
/// ```
/// use retrograde_autograd::Tape;
/// use retrograde_nn::{Layer, SequenceOptions, Residual, RnnCell, TimeRnn};
/// use retrograde_tensor::Tensor;
///
/// let zeros = || Tensor::<f64>::zeros([2, 2]);
/// let layer = Residual(TimeRnn::new(RnnCell::from_arrays(zeros(), zeros(), Tensor::zeros([2]))?));
/// let tape = Tape::new();
/// let xs = tape.var(Tensor::ones([1, 3, 2]));
/// assert_eq!(layer.run(&xs, None, &SequenceOptions::new())?.hs.value(), xs.value());
/// # Ok::<(), retrograde_nn::Error>(())
/// ```
///
/// # Source
/// K. He et al., *Deep residual learning for image recognition* (2016); between recurrent layers, Y. Wu et al.,
/// *Google's neural machine translation system* (2016), section 3.1.
#[derive(Clone, Debug)]
pub struct Residual<L>(
    /// The layer.
    pub L,
);

impl<E: Float, L: Layer<E>> Layer<E> for Residual<L> {
    type State = L::State;

    fn input_size(&self) -> usize {
        self.0.input_size()
    }

    fn input_shape(&self) -> Shape {
        self.0.input_shape()
    }

    fn causality(&self) -> Causality {
        self.0.causality()
    }

    fn initial_state<'t>(
        &self,
        tape: &'t Tape<E>,
        n: usize,
        given: Option<&L::State>,
    ) -> Result<LayerStateOn<'t, L, E>> {
        self.0.initial_state(tape, n, given)
    }

    /// The output of a step that does not count is zero, as in every layer.
    fn run_from<'t>(
        &self,
        xs: &Var<'t, E>,
        initial: LayerStateOn<'t, L, E>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, LayerStateOn<'t, L, E>)> {
        let (hs, last) = self.0.run_from(xs, initial, options)?;
        let shortcut = options.masks(xs.shape()[0], xs.shape()[1])?.clear(xs)?;
        Ok((hs.try_add(&shortcut)?, last))
    }
}

/// The parameters of the layer.
impl<E: Float, L: Module<E>> Module<E> for Residual<L> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.0.visit(path, f);
    }
}
