//! The reading that records: gradients that are variables themselves, and products with the Hessian.

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::backward::numbers;
use crate::gradients::Gradients;
use crate::readings::expanded::Expanding;
use crate::readings::numbers::Adjoint;
use crate::recompute::Saved;
use crate::sweep::{Reading, sweep};
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::Record;
use crate::tape::var::Var;

impl<'t, E: Float> Var<'t, E> {
    /// As [`backward`](Self::backward), with the backward pass recorded on the same tape: its gradients are variables
    /// that can be computed with and differentiated again.
    ///
    /// # Errors
    /// As [`Tape::backward_recorded`], and if it is not a scalar.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::scalar(2.0_f64));
    /// let y = x.square() * &x; // x³
    /// let dx = y.backward_recorded()?.get(&x).unwrap().clone(); // 3 x²
    /// let ddx = dx.backward()?.get(&x).unwrap().item()?; // 6 x
    /// assert_eq!(ddx, 12.0);
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn backward_recorded(&self) -> Result<Gradients<E, Var<'t, E>>> {
        let cotangent = self.tape().constant(self.unit_cotangent()?);
        self.tape().backward_recorded(&[(self, &cotangent)])
    }

    /// The Hessian-vector product of this scalar: how its gradient moves when inputs move along directions `v`.
    ///
    /// `H v` is the gradient of `⟨gradient, v⟩`, so it costs about two backward passes, whatever the number of inputs.
    /// Inputs without a direction stand still, but the gradient of each moves. The direction of a parameter is given
    /// for `tape.param(&p)`. The tape is left as it was, whether this succeeds or not.
    ///
    /// # Errors
    /// If this is not a scalar or depends on no variable or parameter, if a direction has another shape than its input or
    /// is given for the result of an operation, if a variable lives on another tape, if this one does not record, or
    /// where a [`Function`](crate::Function) is met that does not say what it stands for.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([2.0_f64, 3.0]));
    /// let y = (x.square() * &x).sum(); // Σ x³, whose second derivatives are 6 x
    /// let product = y.hvp(&[(&x, &Tensor::from([1.0, 10.0]))])?;
    /// assert_eq!(product.get(&x), Some(&Tensor::from([12.0, 180.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    ///
    /// # Source
    /// B. Pearlmutter, *Fast exact multiplication by the Hessian* (1994); here by reverse over reverse, as in
    /// A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 5.
    pub fn hvp(&self, directions: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<Gradients<E>> {
        let tape = self.tape();
        let unit = self.unit_cotangent()?;
        tape.at_leaves("hvp", &[self], directions)?;
        let before = Snapshot { tape, record: tape.record.borrow().clone() };
        let seeds = tape.seeds("hvp", [(self, tape.constant(unit))].into_iter())?;
        let gradients = tape.recorded(&before.record, seeds)?;
        let mut outputs = Vec::new();
        for &(x, v) in directions {
            let along = gradients.try_get(x)?.and_then(Var::id).map(|id| (id, Adjoint::Dense(v.clone())));
            outputs.extend(along);
        }
        let record = tape.record.borrow();
        Ok(Gradients::new(&record, tape, numbers(&record, outputs, ())?))
    }
}

impl<E: Float> Tape<E> {
    /// As [`backward`](Self::backward), with the backward pass recorded on this tape.
    ///
    /// # Errors
    /// As [`backward`](Self::backward), and where a [`Function`](crate::Function) is met that does not say what it stands for.
    pub fn backward_recorded<'t>(
        &'t self,
        outputs: &[(&Var<'t, E>, &Var<'t, E>)],
    ) -> Result<Gradients<E, Var<'t, E>>> {
        self.require_own("backward", &outputs.iter().map(|&(_, cotangent)| cotangent).collect::<Vec<_>>())?;
        let outputs = outputs.iter().map(|&(y, cotangent)| (y, cotangent.clone()));
        let seeds = self.seeds("backward", outputs)?;
        let record = self.record.borrow().clone();
        self.recorded(&record, seeds)
    }

    /// Sweeps a snapshot of the record, as the rules record on the tape that is being swept.
    fn recorded<'t>(
        &'t self,
        snapshot: &Record<E>,
        seeds: Vec<(NodeId, Var<'t, E>)>,
    ) -> Result<Gradients<E, Var<'t, E>>> {
        let swept = sweep(snapshot, seeds, &mut Recorded { tape: self, saved: Saved::new(snapshot) })?;
        Ok(Gradients::new(snapshot, self, swept))
    }
}

/// The reading over variables of a tape.
struct Recorded<'t, 'r, E> {
    tape: &'t Tape<E>,
    saved: Saved<'r, E>,
}

impl<'t, E: Float> Reading for Recorded<'t, '_, E> {
    type Value = Var<'t, E>;

    fn read(&mut self, id: NodeId, values: &mut Vec<Var<'t, E>>) -> Result<()> {
        self.saved.read(id, |x, value| values.push(Var::new(self.tape, Some(x), value)))
    }

    fn function(
        &mut self,
        id: NodeId,
        x: &[Var<'t, E>],
        _: &Var<'t, E>,
        g: &Var<'t, E>,
    ) -> Result<Vec<Option<Var<'t, E>>>> {
        let constant = &mut |value: &Tensor<E>| self.tape.constant(value.clone());
        Expanding { name: "backward_recorded", constant }.pullback(id, &mut self.saved, x, g)
    }
}

/// The record of a tape as it was, which it is set back to when this is dropped.
struct Snapshot<'t, E: Float> {
    tape: &'t Tape<E>,
    record: Record<E>,
}

impl<E: Float> Drop for Snapshot<'_, E> {
    fn drop(&mut self) {
        *self.tape.record.borrow_mut() = std::mem::take(&mut self.record);
    }
}
