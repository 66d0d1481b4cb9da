//! A tape read forwards: its operations computed again, over any scalar.

use std::collections::HashMap;

use retrograde_tensor::{Float, Scalar, Shape, Tensor};

use crate::op::Op;
use crate::recompute::forward_again;
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::{Kind, Opaque, Record};
use crate::tape::var::Var;
use crate::{Error, Result};

impl<E: Float> Tape<E> {
    /// The values that the outputs have when some inputs take other values: the recorded operations, computed again.
    ///
    /// Inputs that are not given keep their values. Nothing is recorded.
    ///
    /// # Errors
    /// If a value has another shape than its input, if it is given for the result of an operation, if a variable lives
    /// on another tape, or if this one does not record.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([1.0_f64, 2.0]));
    /// let y = x.square();
    /// assert_eq!(tape.replay(&[&y], &[(&x, &Tensor::from([3.0, 4.0]))])?, [Tensor::from([9.0, 16.0])]);
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn replay(
        &self,
        outputs: &[&Var<'_, E>],
        inputs: &[(&Var<'_, E>, &Tensor<E>)],
    ) -> Result<Vec<Tensor<E>>> {
        let (wanted, given) = self.at_leaves("replay", outputs, inputs)?;
        self.record.borrow().replay(
            &wanted,
            |id, x| given.get(&id).copied().unwrap_or(x).clone(),
            forward_again,
        )
    }

    /// The nodes of the outputs, and what is given for each leaf, if it can be given.
    #[expect(clippy::type_complexity)]
    pub(crate) fn at_leaves<'a>(
        &self,
        op: &'static str,
        outputs: &[&Var<'_, E>],
        inputs: &[(&Var<'_, E>, &'a Tensor<E>)],
    ) -> Result<(Vec<NodeId>, HashMap<NodeId, &'a Tensor<E>>)> {
        let wanted = outputs.iter().map(|y| self.recorded_id(op, y)).collect::<Result<_>>()?;
        let mut given = HashMap::new();
        for &(x, value) in inputs {
            let id = self.recorded_id(op, x)?;
            if !self.record.borrow().kind(id).is_leaf() {
                return Err(Error::NotALeaf { op });
            }
            if x.shape() != value.shape() {
                let (expected, found) = (Box::new(x.shape()), Box::new(value.shape()));
                return Err(Error::InputShape { op, expected, found });
            }
            given.insert(id, value);
        }
        Ok((wanted, given))
    }
}

impl<E: Float> Record<E> {
    /// The values of the wanted nodes, from what `leaf` makes of the values of the leaves and `function` of functions
    /// that are not in the table.
    pub(crate) fn replay<S: Scalar>(
        &self,
        wanted: &[NodeId],
        leaf: impl Fn(NodeId, &Tensor<E>) -> Tensor<S>,
        function: impl Fn(&dyn Opaque<E>, &[&Tensor<S>], Shape) -> Result<Tensor<S>>,
    ) -> Result<Vec<Tensor<S>>> {
        let mut held: HashMap<NodeId, Option<Tensor<S>>> = wanted.iter().map(|&id| (id, None)).collect();
        self.replay_through(wanted, leaf, function, |id, value| {
            if let Some(place) = held.get_mut(&id) {
                *place = Some(value.clone());
            }
            Ok(())
        })?;
        let value = |id| held[id].clone().expect("all that is wanted is computed");
        Ok(wanted.iter().map(value).collect())
    }

    /// Computes all that the wanted nodes depend on, in the order of recording, and shows each value to `visit`.
    ///
    /// A value is dropped after its last use, so memory stays that of a forward pass that keeps nothing.
    pub(crate) fn replay_through<S: Scalar>(
        &self,
        wanted: &[NodeId],
        leaf: impl Fn(NodeId, &Tensor<E>) -> Tensor<S>,
        function: impl Fn(&dyn Opaque<E>, &[&Tensor<S>], Shape) -> Result<Tensor<S>>,
        mut visit: impl FnMut(NodeId, &Tensor<S>) -> Result<()>,
    ) -> Result<()> {
        let end = wanted.iter().map(|id| id.index() + 1).max().unwrap_or(0);
        // The last node that needs each node, if one does.
        let mut needed_until: Vec<Option<NodeId>> = vec![None; end];
        wanted.iter().for_each(|&id| needed_until[id.index()] = Some(NodeId::new(end)));
        for id in (0..end).rev().map(NodeId::new) {
            // Operands precede their node, so whether a node is needed is known before its operands are asked for.
            if needed_until[id.index()].is_some() {
                for operand in self.operands(id) {
                    let until = &mut needed_until[operand.index()];
                    *until = Some(id).max(*until);
                }
            }
        }
        let mut values: Vec<Option<Tensor<S>>> = vec![None; end];
        for id in (0..end).map(NodeId::new).filter(|id| needed_until[id.index()].is_some()) {
            let operands = self.operands(id);
            let x: Vec<_> =
                operands.iter().map(|x| values[x.index()].as_ref().expect("still needed")).collect();
            let value = match self.kind(id) {
                Kind::Op(Op::Max { axes }) => even_max(x[0], axes)?,
                Kind::Op(op) => op.eval(&x)?,
                Kind::Function(opaque) => function(&**opaque, &x, *self.shape(id))?,
                Kind::Variable | Kind::Parameter | Kind::Constant => leaf(id, self.leaf(id)),
            };
            for operand in operands {
                if needed_until[operand.index()] == Some(id) {
                    values[operand.index()] = None;
                }
            }
            visit(id, &value)?;
            values[id.index()] = Some(value);
        }
        Ok(())
    }
}

/// The largest elements over axes. Where several are equal, a number that carries a derivative takes the mean of theirs: a
/// comparison of two at a time would give the last of three a half.
fn even_max<S: Scalar>(x: &Tensor<S>, axes: &[usize]) -> Result<Tensor<S>> {
    let max = x.try_max_axes(axes, true)?;
    let tied = x.try_eq_mask(&max)?;
    let count = tied.try_sum_axes(axes, true)?;
    if count.iter().all(|count| count.to_f64() <= 1.0) {
        return Ok(max);
    }
    // Of value 0, with the derivative that an element has and the maximum has not; ∞ - ∞ is no 0.
    let zero = S::default();
    let apart = x.try_zip(&max.try_broadcast_to(x.shape())?, |x, max| {
        let apart = x - max;
        if x == max && apart == zero { apart } else { zero }
    })?;
    let mean = apart.try_sum_axes(axes, true)?.try_zip(&count, |apart, count| {
        if count.to_f64() > 1.0 { apart / S::from_f64(count.to_f64()) } else { zero }
    })?;
    Ok(max.try_add(&mean)?)
}
