//! The map of gradients that a backward pass returns.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use retrograde_tensor::{Float, Tensor};

use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::param::Param;
use crate::tape::record::Record;
use crate::tape::var::{Var, or_panic};
use crate::{Error, Result};

/// The gradients of one backward pass: of every variable and parameter that something flowed to, and of the
/// intermediate variables that [`Var::retain_grad`] asked for.
///
/// `G` is a plain [`Tensor`], or a [`Var`] where the backward pass was itself recorded.
#[derive(Clone)]
pub struct Gradients<E, G = Tensor<E>> {
    gradients: Vec<G>,
    /// The places of the gradients of nodes, and of parameters in the order in which the tape met them.
    by_node: HashMap<NodeId, usize>,
    params: Vec<(Param<E>, usize)>,
    tape: Arc<()>,
}

impl<E, G> fmt::Debug for Gradients<E, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (nodes, params) = (self.by_node.len(), self.params.len());
        f.debug_struct("Gradients").field("nodes", &nodes).field("params", &params).finish_non_exhaustive()
    }
}

/// No gradients yet, for [`insert`](Gradients::insert).
impl<E, G> Default for Gradients<E, G> {
    fn default() -> Self {
        let tape = Arc::default();
        Gradients { gradients: Vec::new(), by_node: HashMap::new(), params: Vec::new(), tape }
    }
}

/// A key of a gradient: a variable or a parameter.
pub trait Key<E> {
    /// The place of its gradient, if something flowed to it.
    ///
    /// # Errors
    /// For a variable of another tape.
    fn place<G>(&self, gradients: &Gradients<E, G>) -> Result<Option<usize>>;
}

impl<E: Float> Key<E> for Var<'_, E> {
    fn place<G>(&self, gradients: &Gradients<E, G>) -> Result<Option<usize>> {
        if !Arc::ptr_eq(&self.tape().identity, &gradients.tape) {
            return Err(Error::ForeignVariable { op: "gradients" });
        }
        Ok(self.id().and_then(|id| gradients.by_node.get(&id).copied()))
    }
}

impl<E: Float> Key<E> for Param<E> {
    fn place<G>(&self, gradients: &Gradients<E, G>) -> Result<Option<usize>> {
        Ok(gradients.params.iter().find(|(param, _)| param.same(self)).map(|&(_, place)| place))
    }
}

impl<E: Float, G> Gradients<E, G> {
    /// The gradients of the nodes of a record that a sweep reached.
    pub(crate) fn new(record: &Record<E>, tape: &Tape<E>, swept: Vec<(NodeId, G)>) -> Self {
        let by_node: HashMap<_, _> = swept.iter().enumerate().map(|(place, &(id, _))| (id, place)).collect();
        let params = record.params().filter_map(|(param, id)| Some((param.clone(), *by_node.get(&id)?)));
        let params = params.collect();
        let gradients = swept.into_iter().map(|(_, gradient)| gradient).collect();
        Gradients { gradients, by_node, params, tape: Arc::clone(&tape.identity) }
    }

    /// The gradient of a variable or a parameter; `None` if nothing flowed to it.
    ///
    /// # Panics
    /// For a variable of another tape; [`try_get`](Self::try_get) returns that as an error.
    #[track_caller]
    #[must_use]
    pub fn get(&self, key: &impl Key<E>) -> Option<&G> {
        or_panic(self.try_get(key))
    }

    /// As [`get`](Self::get).
    ///
    /// # Errors
    /// For a variable of another tape.
    pub fn try_get(&self, key: &impl Key<E>) -> Result<Option<&G>> {
        Ok(key.place(self)?.map(|place| &self.gradients[place]))
    }

    /// The parameters that something flowed to, with their gradients, in the order in which the tape met them.
    pub fn params(&self) -> impl Iterator<Item = (&Param<E>, &G)> {
        self.params.iter().map(|(param, place)| (param, &self.gradients[*place]))
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
        for (param, place) in &self.params {
            change(param, &mut self.gradients[*place]);
        }
    }
}

impl<E: Float> Gradients<E> {
    /// Adds the gradients of the parameters in another backward pass, such as that of other rows of a batch on a tape of
    /// its own. The gradients of variables stay.
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
            match self.params.iter().find(|(known, _)| known.same(param)) {
                Some(&(_, place)) => self.gradients[place].add_assign(gradient),
                None => self.push(param, gradient.clone()),
            }
        }
    }

    /// Sets the gradient of a parameter to one that was computed elsewhere.
    ///
    /// # Errors
    /// If the gradient does not have the parameter's shape.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Gradients, Param};
    /// use retrograde_tensor::Tensor;
    ///
    /// let w = Param::new("w", Tensor::from([1.0, 2.0]));
    /// let mut grads = Gradients::default();
    /// grads.insert(&w, Tensor::from([3.0, 4.0]))?;
    /// assert_eq!(grads.get(&w), Some(&Tensor::from([3.0, 4.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn insert(&mut self, param: &Param<E>, gradient: Tensor<E>) -> Result<()> {
        if gradient.shape() != param.shape() {
            let (expected, found) = (Box::new(param.shape()), Box::new(gradient.shape()));
            return Err(Error::InputShape { op: "gradients", expected, found });
        }
        match self.params.iter().find(|(known, _)| known.same(param)) {
            Some(&(_, place)) => self.gradients[place] = gradient,
            None => self.push(param, gradient),
        }
        Ok(())
    }

    fn push(&mut self, param: &Param<E>, gradient: Tensor<E>) {
        self.params.push((param.clone(), self.gradients.len()));
        self.gradients.push(gradient);
    }
}
