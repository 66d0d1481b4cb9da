//! The derivatives that a check asks of a tape.

use retrograde_autograd::op::Unary;
use retrograde_autograd::{Error as TapeError, Gradients, Node, NodeKind, Op, Var};
use retrograde_tensor::Tensor;

use crate::Error;
use crate::problem::Recorded;
use crate::rounded::Rounded;

/// Derivatives of a recorded run.
///
/// Only the generic functions that begin a check name the type that has them. So the operations and their rules, for three
/// kinds of numbers, are compiled into programs that check something, and not into all that this crate is linked with.
pub(crate) trait Derivatives {
    /// The gradient of `⟨v, outputs⟩`, end to end; zero where nothing flowed.
    fn gradient(&self, run: &Recorded<'_>, v: &[Tensor<f64>]) -> Result<Vec<f64>, Error>;

    /// The same in random rounding.
    fn rounded_gradient(&self, run: &Recorded<'_>, v: &[Tensor<f64>], salt: u64) -> Result<Vec<f64>, Error>;

    /// The Jacobian-vector product `J u`, by dual numbers.
    fn jvp(&self, run: &Recorded<'_>, u: &[Tensor<f64>]) -> Result<Vec<f64>, Error>;

    /// The Hessian of `⟨v, outputs⟩` times `w`: the gradient of `⟨gradient, w⟩`, end to end.
    fn hessian_product(
        &self,
        run: &Recorded<'_>,
        v: &[Tensor<f64>],
        w: &[Tensor<f64>],
    ) -> Result<Vec<f64>, Error>;

    /// The gradient of `⟨v, outputs⟩` with respect to an input before it is summed over the uses of that, in order of
    /// execution, and the functions among these.
    fn contributions(
        &self,
        run: &Recorded<'_>,
        input: usize,
        v: &[Tensor<f64>],
    ) -> Result<(Vec<Vec<f64>>, Vec<Reader>), Error>;
}

/// A function of each element, and the cotangents of its values.
pub(crate) type Reader = (&'static str, Vec<f64>);

/// The derivatives of the tape itself.
pub(crate) struct OfTape;

// Inlined, which is compiled where it is used. In builds of little optimisation that would be in each test.
impl Derivatives for OfTape {
    #[cfg_attr(not(debug_assertions), inline)]
    fn gradient(&self, run: &Recorded<'_>, v: &[Tensor<f64>]) -> Result<Vec<f64>, Error> {
        let outputs: Vec<_> = run.y.iter().zip(v).collect();
        match run.tape.backward(&outputs) {
            Err(TapeError::Untracked { .. }) => Ok(run.zeros()),
            gradients => {
                let gradients = gradients?;
                Ok(run.dense(|x| gradients.get(x).map(Tensor::to_vec)))
            }
        }
    }

    #[cfg_attr(not(debug_assertions), inline)]
    fn rounded_gradient(&self, run: &Recorded<'_>, v: &[Tensor<f64>], salt: u64) -> Result<Vec<f64>, Error> {
        let outputs: Vec<_> = run.y.iter().zip(v).collect();
        match run.tape.backward_in(&outputs, |x| Rounded::new(x, salt)) {
            Err(TapeError::Untracked { .. }) => self.gradient(run, v),
            gradients => {
                let gradients = gradients?;
                Ok(run.dense(|x| Some(gradients.get(x)?.iter().map(|g| g.value).collect())))
            }
        }
    }

    #[cfg_attr(not(debug_assertions), inline)]
    fn jvp(&self, run: &Recorded<'_>, u: &[Tensor<f64>]) -> Result<Vec<f64>, Error> {
        let y: Vec<_> = run.y.iter().collect();
        let tangents: Vec<_> = run.x.iter().zip(u).collect();
        Ok(run.tape.jvp(&y, &tangents)?.iter().flat_map(Tensor::to_vec).collect())
    }

    #[cfg_attr(not(debug_assertions), inline)]
    fn hessian_product(
        &self,
        run: &Recorded<'_>,
        v: &[Tensor<f64>],
        w: &[Tensor<f64>],
    ) -> Result<Vec<f64>, Error> {
        let v: Vec<_> = v.iter().map(|v| run.tape.constant(v.clone())).collect();
        let gradients = run.tape.backward_recorded(&run.y.iter().zip(&v).collect::<Vec<_>>())?;
        let terms = run.x.iter().zip(w).filter_map(|(x, w)| Some((gradients.get(x)? * w).sum()));
        // A gradient that depends on nothing does not move.
        let product: Option<Gradients<f64>> =
            match terms.reduce(|sum, term| sum + term).map(|along| along.backward()) {
                None | Some(Err(TapeError::Untracked { .. })) => None,
                Some(product) => Some(product?),
            };
        Ok(run.dense(|x| product.as_ref()?.get(x).map(Tensor::to_vec)))
    }

    #[cfg_attr(not(debug_assertions), inline)]
    fn contributions(
        &self,
        run: &Recorded<'_>,
        input: usize,
        v: &[Tensor<f64>],
    ) -> Result<(Vec<Vec<f64>>, Vec<Reader>), Error> {
        let (x, tape) = (&run.x[input], run.tape);
        let (mut contributions, mut readers) = (Vec::new(), Vec::new());
        let outputs: Vec<_> = run.y.iter().zip(v).collect();
        tape.backward_observed(&outputs, |visit| {
            let node = tape.node(visit.node);
            let reads = |node: &&Node<f64>| x.id().is_some_and(|x| node.operands == [x]);
            if let Some(NodeKind::Op(Op::Unary(function))) =
                node.as_ref().filter(reads).map(|node| &node.kind)
            {
                readers.push((Unary::name(*function), visit.cotangent.to_vec()));
            }
            if Some(visit.node) == x.id() {
                contributions = visit.terms.iter().map(|term| term.value.to_vec()).collect();
            }
        })?;
        contributions.reverse();
        Ok((contributions, readers))
    }
}

impl Recorded<'_> {
    /// The numbers of each variable of the inputs, end to end; zeros where there are none.
    fn dense(&self, of: impl Fn(&Var<'_, f64>) -> Option<Vec<f64>>) -> Vec<f64> {
        let dense = |x: &Var<'_, f64>| of(x).unwrap_or_else(|| vec![0.0; x.value().numel()]);
        self.x.iter().flat_map(dense).collect()
    }

    fn zeros(&self) -> Vec<f64> {
        self.dense(|_| None)
    }
}
