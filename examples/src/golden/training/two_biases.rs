//! PyTorch's recurrent cells as PyTorch trains them.

use retrograde::nn::torch::{Arrays, TorchCell};
use retrograde::nn::{Cell, Error, Module, Result, StateOn, join};
use retrograde::prelude::{Float, Param, Tensor, Var};

/// A cell with the second bias that PyTorch adds to the first.
///
/// One bias does for what a cell computes, but trained are two: both count in the norm of the gradient, and an optimizer
/// moves each of them.
#[derive(Debug)]
pub(super) struct TwoBiases<C, E: Float> {
    cell: C,
    /// Added to the first entries of what the cell makes of its input.
    second: Param<E>,
}

impl<E: Float, C: TorchCell<E>> TwoBiases<C, E> {
    pub(super) fn new(arrays: &Arrays<E>) -> Result<Self> {
        let [w_ih, w_hh, b_ih, b_hh] = arrays;
        let with = |bias: &Tensor<E>| {
            let zeros = Tensor::zeros(bias.shape());
            C::from_arrays_of_torch(&[w_ih.clone(), w_hh.clone(), bias.clone(), zeros])
        };
        let cell = C::from_arrays_of_torch(arrays)?;
        let first = param(&with(b_ih)?, "b")?.value();
        let second = param(&with(b_hh)?, "b")?.value();
        param(&cell, "b")?.set(first)?;
        // That of a GRU's candidate is inside the reset, where the cell has one already.
        let inside = param(&cell, "bh").map_or(0, |bh| bh.shape()[0]);
        let second = second.narrow(0, 0, second.dims()[0] - inside).contiguous();
        Ok(TwoBiases { cell, second: Param::new("b2", second) })
    }
}

/// The parameter of a cell by its path.
fn param<E: Float>(cell: &impl Module<E>, path: &str) -> Result<Param<E>> {
    let found = cell.try_named_params()?.into_iter().find(|(known, _)| known == path);
    found.map(|(_, param)| param).ok_or_else(|| Error::NoParam { path: path.into() })
}

impl<E: Float, C: Cell<E>> Cell<E> for TwoBiases<C, E> {
    type State = C::State;

    fn input_size(&self) -> usize {
        self.cell.input_size()
    }

    fn initial_state(&self, n: usize) -> C::State {
        self.cell.initial_state(n)
    }

    fn state_names(&self) -> &'static [&'static str] {
        self.cell.state_names()
    }

    fn project<'t>(&self, x: &Var<'t, E>) -> Var<'t, E> {
        let projected = self.cell.project(x); // [.., P]
        let shape = projected.shape();
        let second = x.tape().param(&self.second).pad(0, 0, shape[shape.rank() - 1]); // [P]
        projected + second
    }

    fn step<'t>(&self, x: &Var<'t, E>, state: &StateOn<'t, Self, E>) -> StateOn<'t, Self, E> {
        self.cell.step(x, state)
    }

    fn output<'t>(&self, x: &Var<'t, E>, state: &StateOn<'t, Self, E>) -> Var<'t, E> {
        self.cell.output(x, state)
    }
}

impl<E: Float, C: Module<E>> Module<E> for TwoBiases<C, E> {
    fn visit(&self, path: &str, f: &mut dyn FnMut(&str, &Param<E>)) {
        self.cell.visit(path, f);
        self.second.visit(&join(path, "b2"), f);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrograde::nn::{GruCell, Layer, LstmCell, RnnCell, SequenceOptions, Time};
    use retrograde::prelude::*;

    /// With two biases a cell computes what the converted one does, and the gradient of both is that of their sum.
    fn check<C: TorchCell<f64> + Clone>(shared: usize) {
        let (n, steps, d, h) = (2, 3, 4, 5);
        let mut rng = StdRng::seed_from_u64(1);
        let mut normal =
            |dims: &[usize]| Tensor::normal(Shape::new(dims).unwrap(), 0.0, 0.5, &mut rng).unwrap();
        let wide = C::GATES * h;
        let arrays = [normal(&[wide, d]), normal(&[wide, h]), normal(&[wide]), normal(&[wide])];
        let (xs, dhs) = (normal(&[n, steps, d]), normal(&[n, steps, h]));
        let one = Time::new(C::from_arrays_of_torch(&arrays).unwrap());
        let two = Time::new(TwoBiases::<C, f64>::new(&arrays).unwrap());
        let tape = Tape::new();
        let x = tape.var(xs);
        let expected = one.run(&x, None, &SequenceOptions::new()).unwrap().hs;
        let found = two.run(&x, None, &SequenceOptions::new()).unwrap().hs;
        assert_close!(found.value(), expected.value(), 1e-14, 1e-14);
        let (expected, found) = (expected.backward_with(&dhs).unwrap(), found.backward_with(&dhs).unwrap());
        let b = expected.get(&param(&one.cell, "b").unwrap()).unwrap().clone();
        assert_close!(found.get(&param(&two.cell, "b").unwrap()).unwrap(), &b, 1e-13, 1e-13);
        assert_close!(found.get(&two.cell.second).unwrap(), b.narrow(0, 0, shared * h), 1e-13, 1e-13);
    }

    #[test]
    fn two_biases_are_their_sum() {
        check::<RnnCell<f64>>(1);
        check::<LstmCell<f64>>(4);
        check::<GruCell<f64>>(2);
    }
}
