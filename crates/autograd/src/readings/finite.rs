//! Finding the first value that is not finite, on the way forward or on the way back.

use std::fmt;
use std::panic::Location;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::function::by_hand;
use crate::gradients::adjoint;
use crate::readings::numbers::Adjoint;
use crate::recompute::Values;
use crate::sweep::{pull_back, sweep};
use crate::tape::Tape;
use crate::tape::record::Record;
use crate::tape::var::Var;
use crate::{Error, Result};

/// The first value that is not finite: where it is, and what made it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NonFinite {
    /// Which pass met it.
    pub pass: Pass,
    /// The variable or cotangent that holds it: `h_2`, `dh_2`, or `v7` for node 7 without a name.
    pub name: String,
    /// The index of its first element that is not finite.
    pub index: Vec<usize>,
    /// That element: infinite or NaN.
    pub element: f64,
    /// What was recorded: `h_2 = tanh(t_2)`, or `variable` and the like.
    pub source: String,
    /// The shapes of the operands.
    pub operands: Vec<Shape>,
    /// The shape of the result.
    pub shape: Shape,
    /// The time step that it belongs to, if any.
    pub step: Option<usize>,
    /// The source line that recorded it.
    pub location: &'static Location<'static>,
}

/// A direction in which a tape is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pass {
    /// From the inputs to the outputs: values.
    Forward,
    /// From the outputs to the inputs: cotangents.
    Backward,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let pass = match self.pass {
            Pass::Forward => "forward",
            Pass::Backward => "backward",
        };
        let Self { name, index, element, source, shape, .. } = self;
        write!(f, "{pass}: expected finite values, found {element} at {index:?} of {name} in {source}, ")?;
        for (i, operand) in self.operands.iter().enumerate() {
            write!(f, "{}{operand}", if i > 0 { ", " } else { "" })?;
        }
        let arrow = if self.operands.is_empty() { "" } else { " -> " };
        write!(f, "{arrow}{shape}")?;
        if let Some(step) = self.step {
            write!(f, ", at step {step}")?;
        }
        write!(f, ", recorded at {}", self.location)
    }
}

impl<E: Float> Var<'_, E> {
    /// Whether all values that this scalar was computed from, and then all cotangents of its backward pass, are
    /// finite: if not, the error says which is the first that is not.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for the first infinite or NaN value in the order of recording, else for the first such
    /// cotangent on the way back. As [`backward`](Var::backward) where that fails.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([4.0_f64, 0.0])).named("x");
    /// let y = x.sqrt().named("y");
    /// let error = y.sum().check_finite().unwrap_err().to_string();
    /// assert!(error.starts_with("backward: expected finite values, found inf at [1] of dx in y = sqrt(x), [2] -> [2]"));
    /// ```
    pub fn check_finite(&self) -> Result<()> {
        self.tape().check_finite(&[(self, &self.unit_cotangent()?)])
    }
}

impl<E: Float> Tape<E> {
    /// As [`Var::check_finite`], for outputs of any shape with their cotangents.
    ///
    /// The recorded operations are computed again, since values that no rule reads are not kept. It costs about two
    /// forward and three backward passes, and no lasting memory.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for the first infinite or NaN value, forwards and then backwards. As
    /// [`backward`](Tape::backward) where that fails.
    pub fn check_finite(&self, outputs: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<()> {
        for (y, cotangent) in outputs {
            self.check_output(y, cotangent.shape())?;
        }
        let record = self.record.borrow();
        record.check_values(outputs)?;
        record.check_cotangents(outputs)
    }
}

impl<E: Float> Record<E> {
    fn check_values(&self, outputs: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<()> {
        let wanted: Vec<u32> = outputs.iter().map(|(y, _)| y.id()).collect();
        self.replay_through(
            &wanted,
            |_, x| x.clone(),
            |function, x| function.forward(x),
            |id, value| match first(value) {
                Some(at) => Err(self.non_finite(Pass::Forward, id, self.label(id), at)),
                None => Ok(()),
            },
        )
    }

    /// Each cotangent is looked at as a rule hands it out, before it is added to others, so that the rule is known.
    fn check_cotangents(&self, outputs: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<()> {
        let mut found = Ok(());
        let seeds = outputs.iter().map(|(y, cotangent)| (y.id(), Adjoint::Dense((*cotangent).clone())));
        let look = |id, g: &mut Adjoint<'_, E>, values: &mut Values<'_, E>| {
            if found.is_ok() {
                found = self.check_rules(id, g, values);
            }
        };
        sweep(self, seeds, adjoint, look, by_hand)?;
        found
    }

    /// Checks the cotangent of a node, and what its rules make of it.
    fn check_rules(&self, id: u32, g: &Adjoint<'_, E>, values: &mut Values<'_, E>) -> Result<()> {
        if let Some(at) = first_of(g) {
            return Err(self.non_finite(Pass::Backward, id, format!("d{}", self.label(id)), at));
        }
        let operands = self.operands(id);
        let x: Vec<_> = operands.iter().map(|&x| adjoint(x, values)).collect();
        let y = adjoint(id, values);
        let tracked = |&i: &usize| self.nodes[operands[i] as usize].tracked;
        let wanted = (0..operands.len()).filter(tracked);
        let mut found = Ok(());
        pull_back(&self.nodes[id as usize].origin, wanted, (&x, &y, g), by_hand, |i, d| {
            if let Some(at) = first_of(&d).filter(|_| found.is_ok()) {
                let name = format!("d{}", self.label(operands[i]));
                found = Err(self.non_finite(Pass::Backward, id, name, at));
            }
        })?;
        found
    }

    fn non_finite(&self, pass: Pass, id: u32, name: String, (index, element): (Vec<usize>, f64)) -> Error {
        let node = &self.nodes[id as usize];
        let operands = self.operands(id);
        let source = match &node.origin {
            leaf if leaf.is_leaf() => format!("{} {}", leaf.name(), self.label(id)),
            result => {
                let operands: Vec<_> = operands.iter().map(|&x| self.label(x)).collect();
                format!("{} = {}({})", self.label(id), result.name(), operands.join(", "))
            }
        };
        Error::NonFinite(Box::new(NonFinite {
            pass,
            name,
            index,
            element,
            source,
            operands: operands.iter().map(|&x| self.shape(x)).collect(),
            shape: self.shape(id),
            step: node.step.map(|step| step as usize),
            location: node.location,
        }))
    }
}

/// The first element that is not finite, and its index.
fn first<E: Float>(x: &Tensor<E>) -> Option<(Vec<usize>, f64)> {
    let (mut rest, element) =
        x.iter().map(E::to_f64).enumerate().find(|(_, element)| !element.is_finite())?;
    let mut index = vec![0; x.rank()];
    for (i, &dim) in index.iter_mut().zip(x.dims()).rev() {
        (*i, rest) = (rest % dim, rest / dim);
    }
    Some((index, element))
}

/// As [`first`], without spreading out the cotangent of a slice.
fn first_of<E: Float>(g: &Adjoint<'_, E>) -> Option<(Vec<usize>, f64)> {
    match g {
        Adjoint::Placed(placed) => {
            let (mut index, element) = first(&placed.part)?;
            index[placed.axis] += placed.start;
            Some((index, element))
        }
        Adjoint::Dense(g) => first(g),
        pending => first(&pending.clone().into_dense()),
    }
}
