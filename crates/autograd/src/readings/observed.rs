//! The numeric reading with an observer: each cotangent in the order of the sweep, and the terms that it is the sum of.

use std::collections::HashMap;

use retrograde_tensor::{Element, Float, Tensor};

use crate::Result;
use crate::backward::{Observer, numbers};
use crate::gradients::Gradients;
use crate::readings::numbers::Adjoint;
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::Record;
use crate::tape::var::Var;

/// A node that the backward pass has reached, with its cotangent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Visit<'a, E: Element> {
    /// The node.
    pub node: NodeId,
    /// Its cotangent: the sum of the terms.
    pub cotangent: &'a Tensor<E>,
    /// The terms in the order in which they were added: one for each use of the node that something flows back from, one
    /// for each time that it is an output.
    pub terms: &'a [Term<E>],
}

/// One contribution to a cotangent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Term<E: Element> {
    /// The node that used the value, and as which of its operands; `None` for the cotangent given for an output.
    pub from: Option<(NodeId, usize)>,
    /// The contribution, in the shape of the value.
    pub value: Tensor<E>,
}

impl<E: Float> Tape<E> {
    /// As [`backward`](Self::backward), and shows each node that a cotangent reaches to an observer, in the order of the
    /// sweep: from the outputs down to the inputs.
    ///
    /// The contributions of the uses of an input are the terms at its visit. Terms that `backward` leaves unevaluated are
    /// evaluated here, so it takes longer; the gradients are the same.
    ///
    /// # Errors
    /// As [`backward`](Self::backward).
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::scalar(3.0_f64)).named("x");
    /// let y = x.square() + &x * 2.0;
    /// let mut seen = Vec::new();
    /// tape.backward_observed(&[(&y, &Tensor::scalar(1.0))], |visit| {
    ///     let terms: Vec<f64> = visit.terms.iter().map(|term| term.value.at(&[])).collect();
    ///     seen.push((tape.node(visit.node).unwrap().label(), terms));
    /// })?;
    /// let expected = [("v3", vec![1.0]), ("v2", vec![1.0]), ("v1", vec![1.0]), ("x", vec![2.0, 6.0])];
    /// assert_eq!(seen, expected.map(|(name, terms)| (name.to_owned(), terms)));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn backward_observed(
        &self,
        outputs: &[(&Var<'_, E>, &Tensor<E>)],
        observer: impl FnMut(&Visit<'_, E>),
    ) -> Result<Gradients<E>> {
        let seeds = outputs.iter().map(|&(y, g)| (y, Adjoint::Dense(g.clone())));
        let seeds = self.seeds("backward", seeds)?;
        // A snapshot: the observer may record on this tape.
        let record = self.record.borrow().clone();
        let mut terms: HashMap<NodeId, Vec<Term<E>>> = HashMap::new();
        for (id, seed) in &seeds {
            terms.entry(*id).or_default().push(Term { from: None, value: seed.clone().into_dense() });
        }
        let swept = numbers(&record, seeds, Observed { terms, observer })?;
        Ok(Gradients::new(&record, self, swept))
    }
}

struct Observed<E: Element, F> {
    /// Of the nodes that were not visited yet.
    terms: HashMap<NodeId, Vec<Term<E>>>,
    observer: F,
}

impl<E: Float, F: FnMut(&Visit<'_, E>)> Observer<E> for Observed<E, F> {
    fn term(&mut self, record: &Record<E>, id: NodeId, i: usize, term: &Adjoint<'_, E>) -> Result<()> {
        let term = Term { from: Some((id, i)), value: term.clone().into_dense() };
        self.terms.entry(record.operands(id)[i]).or_default().push(term);
        Ok(())
    }

    fn visit(&mut self, _: &Record<E>, id: NodeId, g: &Adjoint<'_, E>) -> Result<()> {
        let terms = self.terms.remove(&id).unwrap_or_default();
        (self.observer)(&Visit { node: id, cotangent: &g.clone().into_dense(), terms: &terms });
        Ok(())
    }
}
