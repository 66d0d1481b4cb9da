//! The backward pass as a user calls it, and the map of gradients that it returns.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::function::{by_hand, no_rule};
use crate::readings::numbers::Adjoint;
use crate::recompute::Values;
use crate::sweep::sweep;
use crate::tape::Tape;
use crate::tape::param::Param;
use crate::tape::record::{Record, UNRECORDED};
use crate::tape::var::{Var, or_panic};
use crate::value::Value;
use crate::{Error, Result};

/// The gradients of one backward pass: of every variable and parameter that something flowed to, and of the
/// intermediate variables that [`Var::retain_grad`] asked for.
///
/// `G` is a plain [`Tensor`], or a [`Var`] where the backward pass was itself recorded.
#[derive(Clone)]
pub struct Gradients<E, G = Tensor<E>> {
    by_node: HashMap<u32, G>,
    params: Vec<(Param<E>, u32)>,
    tape: Arc<()>,
}

/// What a gradient can be looked up by: a variable or a parameter.
pub trait Key<E> {
    /// The node on the tape that was swept, if it is there.
    fn node<G>(&self, gradients: &Gradients<E, G>) -> Result<Option<u32>>;
}

impl<E: Float> Key<E> for Var<'_, E> {
    fn node<G>(&self, gradients: &Gradients<E, G>) -> Result<Option<u32>> {
        if Arc::ptr_eq(&self.tape().identity, &gradients.tape) {
            Ok(Some(self.id()))
        } else {
            Err(Error::ForeignVariable { op: "gradients" })
        }
    }
}

impl<E: Float> Key<E> for Param<E> {
    fn node<G>(&self, gradients: &Gradients<E, G>) -> Result<Option<u32>> {
        Ok(gradients.params.iter().find(|(param, _)| param.same(self)).map(|&(_, id)| id))
    }
}

impl<E: Float, G> Gradients<E, G> {
    fn new(record: &Record<E>, tape: &Tape<E>, cotangents: impl IntoIterator<Item = (u32, G)>) -> Self {
        let by_node = cotangents.into_iter().collect();
        Gradients { by_node, params: record.params.clone(), tape: Arc::clone(&tape.identity) }
    }

    /// The gradient of a variable or a parameter; `None` if nothing flowed to it.
    ///
    /// # Panics
    /// For a variable of another tape; [`try_get`](Self::try_get) returns that as an error.
    #[track_caller]
    pub fn get(&self, key: &impl Key<E>) -> Option<&G> {
        or_panic(self.try_get(key))
    }

    /// As [`get`](Self::get).
    ///
    /// # Errors
    /// For a variable of another tape.
    pub fn try_get(&self, key: &impl Key<E>) -> Result<Option<&G>> {
        Ok(key.node(self)?.and_then(|id| self.by_node.get(&id)))
    }

    /// The parameters that something flowed to, with their gradients, in the order in which the tape met them.
    pub fn params(&self) -> impl Iterator<Item = (&Param<E>, &G)> {
        self.params.iter().filter_map(|(param, id)| Some((param, self.by_node.get(id)?)))
    }

    /// Changes the gradients of parameters where they are, as clipping does; in the same order.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Param, Tape};
    /// use retrograde_tensor::Tensor;
    ///
    /// let w = Param::new("w", Tensor::from([1.0, 2.0]));
    /// let tape = Tape::new();
    /// let mut grads = tape.param(&w).square().sum().backward()?;
    /// grads.update_params(|_, dw| *dw = &*dw * 0.5);
    /// assert_eq!(grads.get(&w), Some(&Tensor::from([1.0, 2.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn update_params(&mut self, mut change: impl FnMut(&Param<E>, &mut G)) {
        for (param, id) in &self.params {
            if let Some(gradient) = self.by_node.get_mut(id) {
                change(param, gradient);
            }
        }
    }
}

impl<E: Float> Gradients<E> {
    /// Adds the gradients of the parameters in another backward pass, such as that of other rows of a batch on a tape of
    /// its own. What a tape's variables have stays as it is.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Param, Tape};
    /// use retrograde_tensor::Tensor;
    ///
    /// let w = Param::new("w", Tensor::from([1.0, 2.0]));
    /// let pass = |x: [f64; 2]| {
    ///     let tape = Tape::new();
    ///     (tape.constant(Tensor::from(x)) * &w).sum().backward()
    /// };
    /// let mut grads = pass([1.0, 10.0])?;
    /// grads.add_params(&pass([2.0, 20.0])?);
    /// assert_eq!(grads.get(&w), Some(&Tensor::from([3.0, 30.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn add_params(&mut self, other: &Self) {
        for (param, gradient) in other.params() {
            let known = self.params.iter().find(|(known, _)| known.same(param)).map(|&(_, id)| id);
            let id = known.unwrap_or_else(|| {
                // Counted from the end, where no tape has nodes.
                let id = UNRECORDED - 1 - self.params.len() as u32;
                self.params.push((param.clone(), id));
                id
            });
            match self.by_node.entry(id) {
                Entry::Occupied(mut sum) => sum.get_mut().add_assign(gradient),
                Entry::Vacant(place) => {
                    place.insert(gradient.clone());
                }
            }
        }
    }
}

impl<'t, E: Float> Var<'t, E> {
    /// The gradients of this scalar.
    ///
    /// # Errors
    /// If it is not a scalar (one element), or its tape does not record.
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
    /// If the cotangent has another shape than the variable, or the tape does not record.
    pub fn backward_with(&self, cotangent: &Tensor<E>) -> Result<Gradients<E>> {
        self.tape().backward(&[(self, cotangent)])
    }

    /// As [`backward`](Self::backward), with the backward pass recorded on the same tape: its gradients are variables
    /// that can be computed with and differentiated again.
    ///
    /// # Errors
    /// If it is not a scalar, if its tape does not record, or where a [`Function`](crate::Function) is met.
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
}

impl<E: Float> Tape<E> {
    /// The gradients of `Σ ⟨cotangent, output⟩` over several outputs, such as all states and the last one.
    ///
    /// A second sweep of the same tape gives the same numbers: there is nothing to zero.
    ///
    /// # Errors
    /// If a cotangent has another shape than its output, an output lives on another tape, or this one does not record;
    /// if a [`Function`](crate::Function) returns cotangents that do not fit its inputs.
    pub fn backward(&self, outputs: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<Gradients<E>> {
        for (y, cotangent) in outputs {
            self.check_output(y, cotangent.shape())?;
        }
        let record = self.record.borrow();
        let seeds = outputs.iter().map(|(y, cotangent)| (y.id(), Adjoint::Dense((*cotangent).clone())));
        let cotangents = sweep(&record, seeds, adjoint, |_, _, _| {}, by_hand)?;
        Ok(Gradients::new(&record, self, cotangents.into_iter().map(|(id, g)| (id, g.into_dense()))))
    }

    /// As [`backward`](Self::backward), by any reading of the rules: `read` makes of a recorded value what the rules
    /// are to see.
    ///
    /// # Errors
    /// As [`backward`](Self::backward), and where a [`Function`](crate::Function) is met.
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
        for (y, cotangent) in outputs {
            self.check_output(y, cotangent.shape())?;
        }
        let record = self.record.borrow();
        let value = |id: u32, values: &mut Values<'_, E>| read(values.get_or_nan(id));
        let seeds = outputs.iter().map(|(y, cotangent)| (y.id(), cotangent.clone()));
        let cotangents = sweep(
            &record,
            seeds,
            value,
            |_, _, _| {},
            |function, _, _, _| no_rule("backward_over", function),
        );
        Ok(Gradients::new(&record, self, cotangents?))
    }

    /// As [`backward`](Self::backward), with the backward pass recorded on this tape.
    ///
    /// # Errors
    /// As [`backward`](Self::backward), and where a [`Function`](crate::Function) is met.
    pub fn backward_recorded<'t>(
        &'t self,
        outputs: &[(&Var<'t, E>, &Var<'t, E>)],
    ) -> Result<Gradients<E, Var<'t, E>>> {
        for (y, cotangent) in outputs {
            self.check_output(y, cotangent.shape())?;
            if !std::ptr::eq(cotangent.tape(), self) {
                return Err(Error::ForeignVariable { op: "backward" });
            }
        }
        // A snapshot: the rules record on the tape that is being swept.
        let record = self.record.borrow().clone();
        let value = |id: u32, values: &mut Values<'_, E>| Var::new(self, id, values.get_or_nan(id));
        let seeds = outputs.iter().map(|&(y, cotangent)| (y.id(), cotangent.clone()));
        let cotangents = sweep(
            &record,
            seeds,
            value,
            |_, _, _| {},
            |function, _, _, _| no_rule("backward_recorded", function),
        );
        Ok(Gradients::new(&record, self, cotangents?))
    }

    pub(crate) fn check_output(&self, y: &Var<'_, E>, cotangent: Shape) -> Result<()> {
        if !std::ptr::eq(y.tape(), self) {
            return Err(Error::ForeignVariable { op: "backward" });
        }
        if !self.is_recording() {
            return Err(Error::NotRecorded { op: "backward" });
        }
        if y.shape() != cotangent {
            return Err(Error::Cotangent { expected: Box::new(y.shape()), found: Box::new(cotangent) });
        }
        Ok(())
    }
}

/// The value of a node as the numeric sweep reads it.
pub(crate) fn adjoint<'r, E: Float>(id: u32, values: &mut Values<'r, E>) -> Adjoint<'r, E> {
    if let Some(value) = values.kept(id) {
        return Adjoint::Kept(value);
    }
    match values.again(id) {
        Some(value) => Adjoint::Dense(value.clone()),
        None => Adjoint::Unread(values.shape(id)),
    }
}
