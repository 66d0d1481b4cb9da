//! A cell over a sequence whatever its type, so that training and checking are compiled once.

use retrograde::nn::Result;
use retrograde::prelude::*;

/// The variables of a state, in order.
pub(crate) type Leaves<'t, E> = Vec<Var<'t, E>>;

/// A cell over a sequence.
pub(crate) trait AnyCell<E: Float>: Module<E> {
    /// Runs all steps from given variables of a state, or as a new sequence. Features and outputs of several axes are flat
    /// here. A cell with a memory looks at
    /// the second sequence.
    ///
    /// # Shapes
    /// `xs [N, T, D] -> hs [N, T, H]`
    fn run<'t>(
        &self,
        xs_and_memory: [&Var<'t, E>; 2],
        from: Option<Leaves<'t, E>>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, Leaves<'t, E>)>;

    /// The same, whose states are computed again.
    #[allow(dead_code)]
    fn recomputed(self: Box<Self>, steps: usize) -> Box<dyn AnyCell<E>>;
}

/// A cell, and what binds its memory.
pub(crate) struct Bound<C: Cell<E>, E: Float> {
    pub(crate) layer: Time<C, E>,
    pub(crate) bind: fn(&C, &Var<'_, E>),
}

impl<C: Cell<E>, E: Float> Module<E> for Bound<C, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.layer.visit(path, f);
    }
}

impl<C: Cell<E> + 'static, E: Float> AnyCell<E> for Bound<C, E> {
    fn run<'t>(
        &self,
        [xs, memory]: [&Var<'t, E>; 2],
        from: Option<Leaves<'t, E>>,
        options: &SequenceOptions<E>,
    ) -> Result<(Var<'t, E>, Leaves<'t, E>)> {
        (self.bind)(&self.layer.cell, memory);
        let [n, steps] = [xs.shape()[0], xs.shape()[1]];
        let xs = &xs.reshape(Shape::new(&[&[n, steps][..], &self.layer.input_shape()].concat())?);
        let mut state = self.layer.initial_state(xs.tape(), xs.shape()[0], None)?;
        if let Some(leaves) = from {
            let mut leaves = leaves.into_iter();
            state = Tree::map(&state, |_| leaves.next().expect("a variable for each of the state"));
        }
        let (hs, last) = self.layer.run_from(xs, state, options)?;
        let width = hs.shape()[2..].iter().product();
        Ok((hs.reshape([n, steps, width]), last.leaves().into_iter().cloned().collect()))
    }

    fn recomputed(self: Box<Self>, steps: usize) -> Box<dyn AnyCell<E>> {
        Box::new(Bound { layer: self.layer.recompute_every(steps), bind: self.bind })
    }
}
