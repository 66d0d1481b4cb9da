//! Products with the matrix of second derivatives, which is never formed.

use retrograde_tensor::{Float, Tensor};

use crate::Result;
use crate::gradients::Gradients;
use crate::tape::record::Record;
use crate::tape::var::Var;

impl<E: Float> Var<'_, E> {
    /// The Hessian-vector product of this scalar: how its gradient moves when inputs move along directions `v`.
    ///
    /// `H v` is the gradient of `⟨gradient, v⟩`, so it costs about two backward passes, whatever the number of inputs.
    /// Inputs without a direction stand still, but the gradient of each moves. The direction of a parameter is given
    /// for `tape.param(&p)`. The tape is left as it was.
    ///
    /// # Errors
    /// If this is not a scalar, if a direction has another shape than its input or is given for the result of an
    /// operation, if a variable lives on another tape, if this one does not record, or where a
    /// [`Function`](crate::Function) is met.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::from([2.0_f64, 3.0]));
    /// let y = (x.square() * &x).sum(); // Σ x³, whose second derivatives are 6 x
    /// let product = y.hvp(&[(&x, &Tensor::from([1.0, 10.0]))])?;
    /// assert_eq!(product.get(&x), Some(&Tensor::from([12.0, 180.0])));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    ///
    /// # Source
    /// B. Pearlmutter, *Fast exact multiplication by the Hessian* (1994); here by reverse over reverse, as in
    /// A. Griewank and A. Walther, *Evaluating Derivatives* (2008), section 5.
    pub fn hvp(&self, directions: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<Gradients<E>> {
        let tape = self.tape();
        self.unit_cotangent()?;
        tape.at_leaves("hvp", &[self], directions)?;
        let before = tape.len();
        let product = self.product(directions);
        tape.record.borrow_mut().truncate(before);
        product
    }

    /// The gradient of `⟨gradient, v⟩`, which leaves the gradient on the tape.
    fn product(&self, directions: &[(&Var<'_, E>, &Tensor<E>)]) -> Result<Gradients<E>> {
        let gradients = self.backward_recorded()?;
        let mut outputs = Vec::new();
        for &(x, v) in directions {
            outputs.extend(gradients.try_get(x)?.map(|g| (g, v)));
        }
        self.tape().backward(&outputs)
    }
}

impl<E: Float> Record<E> {
    /// Forgets the nodes from `len` on, which nothing names or refers to.
    fn truncate(&mut self, len: usize) {
        if let Some(node) = self.nodes.get(len) {
            self.operands.truncate(node.first_operand as usize);
            self.nodes.truncate(len);
        }
    }
}
