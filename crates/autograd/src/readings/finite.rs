//! Finding the first value that is not finite, on the way forward or on the way back.

use std::fmt;
use std::panic::Location;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::backward::{Observer, numbers};
use crate::readings::numbers::Adjoint;
use crate::recompute::forward_again;
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::Record;
use crate::tape::var::Var;
use crate::{Error, Result};

/// The first value that is not finite: where it is, and what made it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct NonFinite {
    /// The direction in which the tape was read.
    pub direction: Direction,
    /// The variable or cotangent that holds it: `h_2`, `dh_2`, or `v7` for node 7 without a name.
    pub name: String,
    /// The index of its first element that is not finite.
    pub index: Vec<usize>,
    /// That element: infinite or NaN.
    pub element: f64,
    /// The record: `h_2 = tanh(t_2)`, or `variable` and the like.
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
pub enum Direction {
    /// From the inputs to the outputs: values.
    Forward,
    /// From the outputs to the inputs: cotangents.
    Backward,
}

impl fmt::Display for NonFinite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let direction = match self.direction {
            Direction::Forward => "forward",
            Direction::Backward => "backward",
        };
        let Self { name, index, element, source, shape, .. } = self;
        write!(
            f,
            "{direction}: expected finite values, found {element} at {index:?} of {name} in {source}, "
        )?;
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
    /// Checks that all values that this scalar was computed from, and then all cotangents of its backward pass, are
    /// finite. The error names the first that is not.
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
    /// forward passes and one backward pass, and no lasting memory.
    ///
    /// # Errors
    /// [`Error::NonFinite`] for the first infinite or NaN value, forwards and then backwards. As
    /// [`backward`](Tape::backward) where that fails.
    pub fn check_finite(&self, outputs: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<()> {
        let op = "backward";
        let seeds = self.cotangents(op, outputs.iter().map(|&(y, g)| (y, Adjoint::Dense(g.clone()))))?;
        let ids: Vec<NodeId> = seeds.iter().map(|&(id, _)| id).collect();
        let record = self.record.borrow();
        record.check_values(&ids)?;
        self.require_tracked(op, &seeds)?;
        numbers(&record, seeds, Finite)?;
        Ok(())
    }
}

/// Stops at the first cotangent that is not finite. Each is looked at as a rule returns it, before it is added to others,
/// so that the rule is known.
struct Finite;

impl<E: Float> Observer<E> for Finite {
    fn term(&mut self, record: &Record<E>, id: NodeId, i: usize, term: &Adjoint<'_, E>) -> Result<()> {
        record.require_finite(id, record.operands(id)[i], first_of(term))
    }

    fn visit(&mut self, record: &Record<E>, id: NodeId, g: &Adjoint<'_, E>) -> Result<()> {
        record.require_finite(id, id, first_of(g))
    }
}

impl<E: Float> Record<E> {
    fn check_values(&self, wanted: &[NodeId]) -> Result<()> {
        self.replay_through(
            wanted,
            |_, x| x.clone(),
            forward_again,
            |id, value| match first(value) {
                Some(at) => Err(self.non_finite(Direction::Forward, id, self.label(id), at)),
                None => Ok(()),
            },
        )
    }

    /// Refuses a cotangent of `of`, met at `id`, that is not finite.
    fn require_finite(&self, id: NodeId, of: NodeId, at: Option<(Vec<usize>, f64)>) -> Result<()> {
        match at {
            Some(at) => Err(self.non_finite(Direction::Backward, id, format!("d{}", self.label(of)), at)),
            None => Ok(()),
        }
    }

    fn non_finite(
        &self,
        direction: Direction,
        id: NodeId,
        name: String,
        (index, element): (Vec<usize>, f64),
    ) -> Error {
        let operands = self.operands(id);
        let source = match self.kind(id) {
            leaf if leaf.is_leaf() => format!("{} {}", leaf.name(), self.label(id)),
            result => {
                let operands: Vec<_> = operands.iter().map(|&x| self.label(x)).collect();
                format!("{} = {}({})", self.label(id), result.name(), operands.join(", "))
            }
        };
        Error::NonFinite(Box::new(NonFinite {
            direction,
            name,
            index,
            element,
            source,
            operands: operands.iter().map(|&x| *self.shape(x)).collect(),
            shape: *self.shape(id),
            step: self.step(id),
            location: self.location(id),
        }))
    }
}

/// The first element that is not finite, and its index.
fn first<E: Float>(x: &Tensor<E>) -> Option<(Vec<usize>, f64)> {
    let (place, element) = x.iter().map(E::to_f64).enumerate().find(|(_, element)| !element.is_finite())?;
    Some((x.shape().unravel(place), element))
}

/// As [`first`]. A padded cotangent is that of a slice, which was finite when its node was met: it is not looked at again.
fn first_of<E: Float>(g: &Adjoint<'_, E>) -> Option<(Vec<usize>, f64)> {
    match g {
        Adjoint::Padded(_) => None,
        Adjoint::Dense(g) => first(g),
        pending => first(&pending.clone().into_dense()),
    }
}
