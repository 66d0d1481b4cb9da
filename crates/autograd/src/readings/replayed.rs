//! The reading over another kind of number: the operations, and then the rules, computed again from the inputs on.

use retrograde_tensor::{Float, Scalar, Shape, Tensor};

use crate::backward::custom_vjp;
use crate::gradients::Gradients;
use crate::readings::numbers::{Adjoint, Plain};
use crate::recompute::forward_again;
use crate::sweep::{Reading, sweep};
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::{Opaque, Record};
use crate::tape::var::Var;
use crate::{Error, Result};

impl<E: Float> Tape<E> {
    /// As [`backward`](Self::backward), with all operations and all rules computed again over another kind of number,
    /// which `number` makes of inputs and cotangents.
    ///
    /// Numbers of another precision, or that round at random, tell how exact a gradient is. A
    /// [`Function`](crate::Function) is computed in the numbers of the tape, and its results are converted.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([10.0_f64]));
    /// let y = x.tanh();
    /// let dy = Tensor::from([1.0]);
    /// let double = y.backward_with(&dy)?.get(&x).unwrap().item()?;
    /// let single = tape.backward_in(&[(&y, &dy)], |x| x as f32)?.get(&x).unwrap().item()?;
    /// assert!(double > 8e-9 && single == 0.0); // of 1 - y², single precision leaves nothing
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    ///
    /// # Source
    /// J. Vignes, *A stochastic arithmetic for reliable scientific computation* (1993).
    pub fn backward_in<S: Scalar>(
        &self,
        outputs: &[(&Var<'_, E>, &Tensor<E>)],
        number: impl Fn(E) -> S,
    ) -> Result<Gradients<E, Tensor<S>>> {
        let seeds =
            self.seeds("backward_in", outputs.iter().map(|&(y, g)| (y, Adjoint::Dense(g.clone()))))?;
        let wanted: Vec<NodeId> = seeds.iter().map(|&(id, _)| id).collect();
        let seeds = seeds.into_iter().map(|(id, g)| (id, Plain(g.into_dense().map(&number))));
        let record = self.record.borrow();
        let mut values = vec![None; record.len()];
        let function = |function: &dyn Opaque<E>, x: &[&Tensor<S>], shape: Shape| -> Result<Tensor<S>> {
            let x: Vec<Tensor<E>> = x.iter().map(|x| converted(x)).collect();
            Ok(forward_again(function, &x.iter().collect::<Vec<_>>(), shape)?.map(&number))
        };
        record.replay_through(
            &wanted,
            |_, x| x.map(&number),
            function,
            |id, value| {
                values[id.index()] = Some(value.clone());
                Ok(())
            },
        )?;
        let swept = sweep(&*record, seeds, &mut Replayed { record: &record, values, number: &number })?;
        let swept = swept.into_iter().map(|(id, g)| (id, g.0)).collect();
        Ok(Gradients::new(&record, self, swept))
    }
}

/// The nearest values in the numbers of a tape.
fn converted<S: Scalar, E: Float>(x: &Tensor<S>) -> Tensor<E> {
    x.map(|x| E::from_f64(x.to_f64()))
}

/// The values of all nodes that the outputs depend on, in the other kind of number.
struct Replayed<'a, E, S> {
    record: &'a Record<E>,
    values: Vec<Option<Tensor<S>>>,
    number: &'a dyn Fn(E) -> S,
}

impl<E: Float, S: Scalar> Reading for Replayed<'_, E, S> {
    type Value = Plain<S>;

    fn read(&mut self, id: NodeId, values: &mut Vec<Plain<S>>) -> Result<()> {
        for x in self.record.operands(id).iter().chain([&id]) {
            let value = self.values[x.index()].as_ref().ok_or(Error::NotRecorded { op: "backward_in" })?;
            values.push(Plain(value.clone()));
        }
        Ok(())
    }

    fn function(
        &mut self,
        id: NodeId,
        x: &[Plain<S>],
        y: &Plain<S>,
        g: &Plain<S>,
    ) -> Result<Vec<Option<Plain<S>>>> {
        let dense = |x: &Plain<S>| Adjoint::Dense(converted(&x.0));
        let x: Vec<_> = x.iter().map(dense).collect();
        let cotangents = custom_vjp(self.record, id, &x, &dense(y), &dense(g))?;
        let number = |d: Adjoint<'_, E>| Plain(d.into_dense().map(self.number));
        Ok(cotangents.into_iter().map(|d| d.map(number)).collect())
    }
}
