//! The backward pass: gradients in numbers, or in any kind of value that the rules can be read over.

use retrograde_tensor::{Float, Tensor};

use crate::gradients::Gradients;
use crate::readings::expanded::Expanding;
use crate::readings::numbers::Adjoint;
use crate::recompute::Saved;
use crate::sweep::{Reading, sweep};
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::{Kind, Record};
use crate::tape::var::Var;
use crate::value::Value;
use crate::{Error, Result};

impl<'t, E: Float> Var<'t, E> {
    /// The gradients of this scalar.
    ///
    /// # Errors
    /// If it is not a scalar (one element), if it depends on no variable or parameter, or if its tape does not record.
    ///
    /// # Source
    /// Reverse mode: S. Linnainmaa (1970); over time, P. Werbos, *Backpropagation through time* (1990).
    pub fn backward(&self) -> Result<Gradients<E>> {
        self.backward_with(&self.unit_cotangent()?)
    }

    /// The cotangent of a scalar with respect to itself.
    pub(crate) fn unit_cotangent(&self) -> Result<Tensor<E>> {
        if self.value().numel() != 1 {
            return Err(Error::NotScalar { found: self.shape() });
        }
        Ok(Tensor::ones(self.shape()))
    }

    /// The gradients of `⟨cotangent, self⟩`: the vector-Jacobian product of an output of any shape.
    ///
    /// # Errors
    /// As [`Tape::backward`].
    pub fn backward_with(&self, cotangent: &Tensor<E>) -> Result<Gradients<E>> {
        self.tape().backward(&[(self, cotangent)])
    }
}

impl<E: Float> Tape<E> {
    /// The gradients of `Σ ⟨cotangent, output⟩` over several outputs, such as all states and the last one.
    ///
    /// A second sweep of the same tape gives the same numbers: there is nothing to zero.
    ///
    /// # Errors
    /// If a cotangent has another shape than its output; if an output lives on another tape; if no output depends on a
    /// variable or parameter ([`Error::Untracked`]); if the tape does not record; if a [`Function`](crate::Function)
    /// returns cotangents that do not fit its inputs, or fails when it is computed again.
    pub fn backward(&self, outputs: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<Gradients<E>> {
        let seeds = self.seeds("backward", outputs.iter().map(|&(y, g)| (y, Adjoint::Dense(g.clone()))))?;
        let record = self.record.borrow();
        Ok(Gradients::new(&record, self, numbers(&record, seeds, ())?))
    }

    /// As [`backward`](Self::backward), over any kind of value: `read` makes one of a recorded tensor, and the rules
    /// are read over these.
    ///
    /// # Errors
    /// As [`backward`](Self::backward), and where a [`Function`](crate::Function) is met that does not say what it stands for.
    ///
    /// # Example
    /// The rules as they stand in the table, without fused kernels:
    /// ```
    /// use retrograde_autograd::{Plain, Tape};
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([0.5_f64, -1.0]));
    /// let y = x.tanh();
    /// let dy = Tensor::from([1.0, 2.0]);
    /// let plain = tape.backward_over(&[(&y, Plain(dy.clone()))], Plain)?;
    /// let fused = y.backward_with(&dy)?;
    /// assert_eq!(plain.get(&x).unwrap().0, *fused.get(&x).unwrap());
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn backward_over<V: Value>(
        &self,
        outputs: &[(&Var<'_, E>, V)],
        read: impl Fn(Tensor<E>) -> V,
    ) -> Result<Gradients<E, V>> {
        let outputs = outputs.iter().map(|(y, cotangent)| (*y, cotangent.clone()));
        let seeds = self.seeds("backward", outputs)?;
        // A snapshot: the reading is the user's, and may record on this tape.
        let record = self.record.borrow().clone();
        Ok(Gradients::new(
            &record,
            self,
            sweep(&record, seeds, &mut Over { saved: Saved::new(&record), read })?,
        ))
    }

    /// The cotangents of outputs by node, if a backward pass can begin with them.
    pub(crate) fn seeds<'v, V: Value>(
        &self,
        op: &'static str,
        outputs: impl Iterator<Item = (&'v Var<'v, E>, V)>,
    ) -> Result<Vec<(NodeId, V)>>
    where
        E: 'v,
    {
        let seeds = self.cotangents(op, outputs)?;
        self.require_tracked(op, &seeds)?;
        Ok(seeds)
    }

    /// The cotangents of outputs by node, if they fit.
    pub(crate) fn cotangents<'v, V: Value>(
        &self,
        op: &'static str,
        outputs: impl Iterator<Item = (&'v Var<'v, E>, V)>,
    ) -> Result<Vec<(NodeId, V)>>
    where
        E: 'v,
    {
        let cotangents = outputs.map(|(y, cotangent)| {
            let id = self.recorded_id(op, y)?;
            if y.shape() != cotangent.shape() {
                let (expected, found) = (Box::new(y.shape()), Box::new(cotangent.shape()));
                return Err(Error::Cotangent { expected, found });
            }
            Ok((id, cotangent))
        });
        cotangents.collect()
    }

    /// Refuses outputs none of which has a gradient: they were detached, most likely by mistake.
    pub(crate) fn require_tracked<V>(&self, op: &'static str, seeds: &[(NodeId, V)]) -> Result<()> {
        let record = self.record.borrow();
        let tracked = seeds.is_empty() || seeds.iter().any(|&(id, _)| record.is_tracked(id));
        if tracked { Ok(()) } else { Err(Error::Untracked { op }) }
    }
}

/// The gradients of a record in numbers.
pub(crate) fn numbers<'r, E: Float>(
    record: &'r Record<E>,
    seeds: Vec<(NodeId, Adjoint<'r, E>)>,
    observer: impl Observer<E>,
) -> Result<Vec<(NodeId, Tensor<E>)>> {
    let swept = sweep(record, seeds, &mut Numbers { record, saved: Saved::new(record), observer })?;
    Ok(swept.into_iter().map(|(id, g)| (id, g.into_dense())).collect())
}

/// An onlooker while gradients are computed.
pub(crate) trait Observer<E: Float> {
    /// Meets a term of the cotangent of input `i` of node `id`, as its rule returns it.
    fn term(&mut self, _record: &Record<E>, _id: NodeId, _i: usize, _term: &Adjoint<'_, E>) -> Result<()> {
        Ok(())
    }

    /// Meets the cotangent of a node.
    fn visit(&mut self, _record: &Record<E>, _id: NodeId, _g: &Adjoint<'_, E>) -> Result<()> {
        Ok(())
    }
}

impl<E: Float> Observer<E> for () {}

/// The numeric reading: gradients.
struct Numbers<'r, E, O> {
    record: &'r Record<E>,
    saved: Saved<'r, E>,
    observer: O,
}

impl<'r, E: Float, O: Observer<E>> Reading for Numbers<'r, E, O> {
    type Value = Adjoint<'r, E>;

    #[inline]
    fn read(&mut self, id: NodeId, values: &mut Vec<Adjoint<'r, E>>) -> Result<()> {
        self.saved.seek(id);
        for &x in self.record.operands(id).iter().chain([&id]) {
            values.push(if let Some(value) = self.record.value(x) {
                Adjoint::Kept(value)
            } else if let Some(value) = self.saved.rematerialized(x)? {
                Adjoint::Dense(value.clone())
            } else {
                Adjoint::Unread(self.record.shape(x))
            });
        }
        Ok(())
    }

    fn term(&mut self, id: NodeId, i: usize, term: &Adjoint<'r, E>) -> Result<()> {
        self.observer.term(self.record, id, i, term)
    }

    fn visit(&mut self, id: NodeId, g: &mut Adjoint<'r, E>) -> Result<()> {
        self.observer.visit(self.record, id, g)
    }

    fn function(
        &mut self,
        id: NodeId,
        x: &[Adjoint<'r, E>],
        y: &Adjoint<'r, E>,
        g: &Adjoint<'r, E>,
    ) -> Result<Vec<Option<Adjoint<'r, E>>>> {
        custom_vjp(self.record, id, x, y, g)
    }
}

/// The cotangents of the inputs of a function by its backward pass, if they are as many and have the shapes that they
/// should.
pub(crate) fn custom_vjp<'r, E: Float>(
    record: &Record<E>,
    id: NodeId,
    x: &[Adjoint<'r, E>],
    y: &Adjoint<'r, E>,
    g: &Adjoint<'r, E>,
) -> Result<Vec<Option<Adjoint<'r, E>>>> {
    let Kind::Function(function) = record.kind(id) else { unreachable!("it is asked of functions") };
    let dense = |value: &Adjoint<'r, E>| value.clone().into_dense();
    let x: Vec<Tensor<E>> = x.iter().map(dense).collect();
    let cotangents = function.backward(&x.iter().collect::<Vec<_>>(), &dense(y), &dense(g));
    let op = function.name();
    if cotangents.len() != x.len() {
        return Err(Error::CotangentCount { op, expected: x.len(), found: cotangents.len() });
    }
    for (input, (x, d)) in x.iter().zip(&cotangents).enumerate() {
        if let Some(d) = d.as_ref().filter(|d| d.shape() != x.shape()) {
            let (expected, found) = (Box::new(x.shape()), Box::new(d.shape()));
            return Err(Error::CotangentShape { op, input, expected, found });
        }
    }
    Ok(cotangents.into_iter().map(|d| d.map(Adjoint::Dense)).collect())
}

/// A reading over any kind of value that can be made of a tensor.
struct Over<'r, E, F> {
    saved: Saved<'r, E>,
    read: F,
}

impl<E: Float, V: Value, F: Fn(Tensor<E>) -> V> Reading for Over<'_, E, F> {
    type Value = V;

    fn read(&mut self, id: NodeId, values: &mut Vec<V>) -> Result<()> {
        self.saved.read(id, |_, value| values.push((self.read)(value)))
    }

    fn function(&mut self, id: NodeId, x: &[V], _: &V, g: &V) -> Result<Vec<Option<V>>> {
        let constant = &mut |value: &Tensor<E>| (self.read)(value.clone());
        Expanding { name: "backward_over", constant }.pullback(id, &mut self.saved, x, g)
    }
}
