//! The forward reading of a tape: Jacobian-vector products by replaying it over dual numbers.

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::forward_mode::dual::Dual;
use crate::forward_mode::replay::ids;
use crate::function::{Function, no_rule};
use crate::tape::Tape;
use crate::tape::var::Var;

impl<E: Float> Tape<E> {
    /// The Jacobian-vector product `J u`: how each output moves when the inputs move along their tangents `u`.
    ///
    /// The recorded operations are replayed forwards over tensors of [`Dual`] numbers. Nothing here looks at the table
    /// of rules, so `⟨v, J u⟩ = ⟨Jᵀ v, u⟩` checks the table. Inputs without a tangent stand still. The tangent of a
    /// parameter is given for `tape.param(&p)`.
    ///
    /// # Errors
    /// If a tangent has another shape than its input, if it is given for the result of an operation, if a variable
    /// lives on another tape, if this one does not record, or where a [`Function`] moves with the inputs.
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
        let directions = self.at_leaves("jvp", outputs, tangents)?;
        let leaf = |id: u32, x: &Tensor<E>| match directions[id as usize] {
            Some(u) => x.zip(u, Dual::new),
            None => at_rest(x),
        };
        let values = self.record.borrow().replay(&ids(outputs), leaf, call)?;
        Ok(values.iter().map(|y| y.map(|y| y.derivative)).collect())
    }
}

/// A point that does not move.
fn at_rest<E: Float>(x: &Tensor<E>) -> Tensor<Dual<E>> {
    x.map(|x| Dual::new(x, E::default()))
}

/// The value of a function that has no rule, where its inputs do not move.
fn call<E: Float>(function: &dyn Function<E>, x: &[&Tensor<Dual<E>>]) -> Result<Tensor<Dual<E>>> {
    if x.iter().any(|x| x.iter().any(|x| x.derivative != E::default())) {
        return no_rule("jvp", function);
    }
    let values: Vec<Tensor<E>> = x.iter().map(|x| x.map(|x| x.value)).collect();
    Ok(at_rest(&function.forward(&values.iter().collect::<Vec<_>>())?))
}
