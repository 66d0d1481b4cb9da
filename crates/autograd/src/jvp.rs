//! The forward reading of a tape: Jacobian-vector products by replaying it over dual numbers.

use retrograde_tensor::{Float, Scalar, Tensor};

use crate::dual::Dual;
use crate::tape::{Origin, Record, Tape};
use crate::var::Var;
use crate::{Error, Result};

impl<E: Float> Tape<E> {
    /// The Jacobian-vector product `J u`: how each output moves when the inputs move along their tangents `u`.
    ///
    /// The recorded operations are replayed forwards over tensors of [`Dual`] numbers. Nothing here looks at the table
    /// of rules, so `⟨v, J u⟩ = ⟨Jᵀ v, u⟩` checks the table. Inputs without a tangent stand still. The tangent of a
    /// parameter is given for `tape.param(&p)`.
    ///
    /// # Errors
    /// If a tangent has another shape than its input, if it is given for the result of an operation, if a variable
    /// lives on another tape, or if this one does not record.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([3.0_f64, 4.0]));
    /// let y = x.square();
    /// let u = Tensor::from([1.0, 0.5]);
    /// assert_eq!(tape.jvp(&[&y], &[(&x, &u)])?, [Tensor::from([6.0, 4.0])]);
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    ///
    /// # Source
    /// A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 3.1.
    pub fn jvp(
        &self,
        outputs: &[&Var<'_, E>],
        tangents: &[(&Var<'_, E>, &Tensor<E>)],
    ) -> Result<Vec<Tensor<E>>> {
        if !self.is_recording() {
            return Err(Error::NotRecorded);
        }
        if outputs.iter().chain(tangents.iter().map(|(x, _)| x)).any(|x| !std::ptr::eq(x.tape(), self)) {
            return Err(Error::ForeignVariable { op: "jvp" });
        }
        let record = self.record.borrow();
        let mut directions = vec![None; record.nodes.len()];
        for (x, tangent) in tangents {
            if matches!(record.nodes[x.id() as usize].origin, Origin::Computed(_)) {
                return Err(Error::NotALeaf { op: "jvp" });
            }
            if x.shape() != tangent.shape() {
                return Err(Error::Tangent { expected: x.shape(), found: tangent.shape() });
            }
            directions[x.id() as usize] = Some(*tangent);
        }
        let wanted: Vec<u32> = outputs.iter().map(|y| y.id()).collect();
        let values = replay(&record, &wanted, |id, x| match directions[id as usize] {
            Some(u) => x.zip(u, Dual::new),
            None => x.map(|x| Dual::new(x, E::default())),
        });
        Ok(values.iter().map(|y| y.map(|y| y.derivative)).collect())
    }
}

/// Computes recorded nodes again, over any scalar, from what `leaf` makes of the values of the leaves.
///
/// A value is dropped after its last use, so memory stays that of a forward pass that keeps nothing.
pub(crate) fn replay<E: Float, S: Scalar>(
    record: &Record<E>,
    wanted: &[u32],
    leaf: impl Fn(u32, &Tensor<E>) -> Tensor<S>,
) -> Vec<Tensor<S>> {
    let end = wanted.iter().map(|&id| id + 1).max().unwrap_or(0);
    let mut needed_until = vec![0; end as usize];
    wanted.iter().for_each(|&id| needed_until[id as usize] = end);
    for id in (0..end).rev() {
        // Operands precede their node, so whether a node is needed is known before its operands are asked for.
        if needed_until[id as usize] > 0 {
            for &operand in record.operands(id) {
                let until = &mut needed_until[operand as usize];
                *until = id.max(*until);
            }
        }
    }
    let mut values: Vec<Option<Tensor<S>>> = vec![None; end as usize];
    for id in (0..end).filter(|&id| needed_until[id as usize] > 0) {
        let node = &record.nodes[id as usize];
        let value = match &node.origin {
            Origin::Computed(op) => {
                let operands = record.operands(id);
                let x: Vec<_> =
                    operands.iter().map(|&x| values[x as usize].as_ref().expect("still needed")).collect();
                let value = op.eval(&x);
                for &operand in operands {
                    if needed_until[operand as usize] == id {
                        values[operand as usize] = None;
                    }
                }
                value
            }
            _ => leaf(id, node.value.as_ref().expect("the value of a leaf is kept")),
        };
        values[id as usize] = Some(value);
    }
    wanted.iter().map(|&id| values[id as usize].clone().expect("wanted to the end")).collect()
}
