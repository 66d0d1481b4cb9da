//! The forward reading of a tape: Jacobian-vector products by replaying it over dual numbers.

use retrograde_tensor::{Float, Shape, Tensor};

use crate::forward_mode::dual::Dual;
use crate::recompute::forward_again;
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::Opaque;
use crate::tape::var::Var;
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
    /// lives on another tape, if this one does not record, or where a [`Function`](crate::Function) moves
    /// with the inputs that does not say what it stands for.
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
        let (wanted, directions) = self.at_leaves("jvp", outputs, tangents)?;
        let leaf = |id: NodeId, x: &Tensor<E>| match directions.get(&id) {
            Some(u) => x.zip(u, Dual::new),
            None => at_rest(x),
        };
        let values = self.record.borrow().replay(&wanted, leaf, function)?;
        Ok(values.iter().map(|y| y.map(|y| y.derivative)).collect())
    }
}

/// A point that does not move.
fn at_rest<E: Float>(x: &Tensor<E>) -> Tensor<Dual<E>> {
    x.map(|x| Dual::new(x, E::default()))
}

/// The value of a function that is not in the table: where its inputs move, through the operations it stands for.
fn function<E: Float>(
    function: &dyn Opaque<E>,
    x: &[&Tensor<Dual<E>>],
    expected: Shape,
) -> Result<Tensor<Dual<E>>> {
    let values: Vec<Tensor<E>> = x.iter().map(|x| x.map(|x| x.value)).collect();
    let values: Vec<&Tensor<E>> = values.iter().collect();
    if x.iter().all(|x| x.iter().all(|x| x.derivative == E::default())) {
        return Ok(at_rest(&forward_again(function, &values, expected)?));
    }
    let Some((record, output)) = function.expansion(&values)? else {
        return Err(Error::NoRule { op: "jvp", function: function.name() });
    };
    let leaf = |id: NodeId, value: &Tensor<E>| match x.get(id.index()) {
        Some(&x) => x.clone(),
        None => at_rest(value),
    };
    Ok(record.replay(&[output], leaf, self::function)?.remove(0))
}
