//! The forward reading of a tape: Jacobian-vector products by replaying it over dual numbers.

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::dual::Dual;
use crate::replay::ids;
use crate::tape::Tape;
use crate::var::Var;

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
        let directions = self.at_leaves("jvp", outputs, tangents)?;
        let values = self.record.borrow().replay(&ids(outputs), |id, x| match directions[id as usize] {
            Some(u) => x.zip(u, Dual::new),
            None => x.map(|x| Dual::new(x, E::default())),
        });
        Ok(values.iter().map(|y| y.map(|y| y.derivative)).collect())
    }
}
