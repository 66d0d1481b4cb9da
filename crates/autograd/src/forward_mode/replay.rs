//! A tape read forwards: its operations computed again, over any scalar.

use std::collections::HashMap;

use retrograde_tensor::{Float, Scalar, Tensor};

use crate::function::Function;
use crate::tape::Tape;
use crate::tape::node::Origin;
use crate::tape::record::Record;
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
        let record = self.record.borrow();
        let given = self.at_leaves("replay", outputs, inputs)?;
        record.replay(&ids(outputs), |id, x| given[id as usize].unwrap_or(x).clone(), |f, x| f.forward(x))
    }

    /// What is given for each leaf, by node, if it can be given.
    pub(crate) fn at_leaves<'a>(
        &self,
        op: &'static str,
        outputs: &[&Var<'_, E>],
        inputs: &[(&Var<'_, E>, &'a Tensor<E>)],
    ) -> Result<Vec<Option<&'a Tensor<E>>>> {
        if outputs.iter().chain(inputs.iter().map(|(x, _)| x)).any(|x| !std::ptr::eq(x.tape(), self)) {
            return Err(Error::ForeignVariable { op });
        }
        if !self.is_recording() {
            return Err(Error::NotRecorded { op });
        }
        let record = self.record.borrow();
        let mut given = vec![None; record.nodes.len()];
        for (x, value) in inputs {
            if !record.nodes[x.id() as usize].origin.is_leaf() {
                return Err(Error::NotALeaf { op });
            }
            if x.shape() != value.shape() {
                let (expected, found) = (Box::new(x.shape()), Box::new(value.shape()));
                return Err(Error::InputShape { op, expected, found });
            }
            given[x.id() as usize] = Some(*value);
        }
        Ok(given)
    }
}

pub(crate) fn ids<E: Float>(vars: &[&Var<'_, E>]) -> Vec<u32> {
    vars.iter().map(|x| x.id()).collect()
}

impl<E: Float> Record<E> {
    /// The values of the wanted nodes, from what `leaf` makes of the values of the leaves and `call` of functions with
    /// a backward pass of their own.
    pub(crate) fn replay<S: Scalar>(
        &self,
        wanted: &[u32],
        leaf: impl Fn(u32, &Tensor<E>) -> Tensor<S>,
        call: impl Fn(&dyn Function<E>, &[&Tensor<S>]) -> Result<Tensor<S>>,
    ) -> Result<Vec<Tensor<S>>> {
        let mut held: HashMap<u32, Option<Tensor<S>>> = wanted.iter().map(|&id| (id, None)).collect();
        self.replay_through(wanted, leaf, call, |id, value| {
            if let Some(place) = held.get_mut(&id) {
                *place = Some(value.clone());
            }
            Ok(())
        })?;
        let value = |id| held[id].clone().expect("all that is wanted is computed");
        Ok(wanted.iter().map(value).collect())
    }

    /// Computes all that the wanted nodes depend on, in the order of recording, and lets `look` look at each value.
    ///
    /// A value is dropped after its last use, so memory stays that of a forward pass that keeps nothing.
    pub(crate) fn replay_through<S: Scalar>(
        &self,
        wanted: &[u32],
        leaf: impl Fn(u32, &Tensor<E>) -> Tensor<S>,
        call: impl Fn(&dyn Function<E>, &[&Tensor<S>]) -> Result<Tensor<S>>,
        mut look: impl FnMut(u32, &Tensor<S>) -> Result<()>,
    ) -> Result<()> {
        let end = wanted.iter().map(|&id| id + 1).max().unwrap_or(0);
        let mut needed_until = vec![0; end as usize];
        wanted.iter().for_each(|&id| needed_until[id as usize] = end);
        for id in (0..end).rev() {
            // Operands precede their node, so whether a node is needed is known before its operands are asked for.
            if needed_until[id as usize] > 0 {
                for &operand in self.operands(id) {
                    let until = &mut needed_until[operand as usize];
                    *until = id.max(*until);
                }
            }
        }
        let mut values: Vec<Option<Tensor<S>>> = vec![None; end as usize];
        for id in (0..end).filter(|&id| needed_until[id as usize] > 0) {
            let node = &self.nodes[id as usize];
            let operands = self.operands(id);
            let x: Vec<_> =
                operands.iter().map(|&x| values[x as usize].as_ref().expect("still needed")).collect();
            let value = match &node.origin {
                Origin::Computed(op) => op.compute(&x),
                Origin::Called(function) => call(&**function, &x)?,
                Origin::Variable | Origin::Parameter | Origin::Constant => leaf(id, self.leaf(id)),
            };
            for &operand in operands {
                if needed_until[operand as usize] == id {
                    values[operand as usize] = None;
                }
            }
            look(id, &value)?;
            values[id as usize] = Some(value);
        }
        Ok(())
    }
}
