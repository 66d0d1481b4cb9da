//! Formulas as values. A formula can be as deep as a tape is long, and a stack is not: nothing here recurses.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::simplify::{cross_entropy, simplified};
use retrograde_autograd::Result;
use retrograde_autograd::Value;
use retrograde_autograd::op::{Op, Unary};

/// A formula: a name, or an operation on formulas.
///
/// Displays as text, `dt·Whᵀ`; [`latex`](Expr::latex) gives the same for LaTeX.
#[derive(Clone)]
pub struct Expr {
    term: Arc<Term>,
    shape: Shape,
    size: u32,
    minus: bool,
}

/// The outermost term of a formula.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Term {
    /// A variable, parameter or cotangent by its name.
    Name(String),
    /// A constant without a name or axes, such as the 2 of `x / 2`.
    Number(f64),
    /// An operation on formulas.
    Apply(Op, Vec<Expr>),
}

impl Expr {
    /// A name of a given shape.
    #[must_use]
    pub fn name(name: impl Into<String>, shape: impl Into<Shape>) -> Self {
        Expr::new(Term::Name(name.into()), shape.into())
    }

    /// A number, as a formula without axes.
    #[must_use]
    pub fn number(c: f64) -> Self {
        Expr::new(Term::Number(c), Shape::from([]))
    }

    fn new(term: Term, shape: Shape) -> Self {
        let size = match &term {
            Term::Apply(_, x) => x.iter().fold(1_u32, |size, x| size.saturating_add(x.size)),
            _ => 1,
        };
        let minus = crate::notation::starts_with_minus(&term);
        Expr { term: Arc::new(term), shape, size, minus }
    }

    /// The outermost term.
    #[must_use]
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// The number of terms that are written, where those that are shared are written each time.
    pub(crate) fn size(&self) -> u32 {
        self.size
    }

    /// Whether it begins with a minus sign when it is written.
    pub(crate) fn minus(&self) -> bool {
        self.minus
    }

    /// The formulas that the operation is on.
    fn operands(&self) -> &[Expr] {
        match self.term() {
            Term::Apply(_, x) => x,
            _ => &[],
        }
    }

    fn place(&self) -> *const Term {
        Arc::as_ptr(&self.term)
    }

    /// All formulas in this one, each once and after its operands.
    pub(crate) fn in_order(&self) -> Vec<&Expr> {
        let (mut order, mut seen) = (Vec::new(), HashSet::new());
        let mut pending = vec![(self, false)];
        while let Some((x, operands_done)) = pending.pop() {
            if operands_done {
                order.push(x);
            } else if seen.insert(x.place()) {
                pending.push((x, true));
                pending.extend(x.operands().iter().map(|x| (x, false)));
            }
        }
        order
    }

    /// Returns the value of the formula, given the values of its names. A shared part is computed once.
    ///
    /// # Errors
    /// The error of `names` for an unknown name; an error of an operation if a tensor does not fit the formula.
    pub fn evaluate<E: Float>(&self, names: &impl Fn(&str) -> Result<Tensor<E>>) -> Result<Tensor<E>> {
        let order = self.in_order();
        let mut uses: HashMap<*const Term, usize> = HashMap::new();
        for operand in order.iter().flat_map(|x| x.operands()) {
            *uses.entry(operand.place()).or_default() += 1;
        }
        let mut values: HashMap<*const Term, Tensor<E>> = HashMap::new();
        for x in order {
            let value = match x.term() {
                Term::Name(name) => names(name)?,
                Term::Number(c) => Tensor::scalar(E::from_f64(*c)),
                Term::Apply(op, x) => op.eval(&x.iter().map(|x| &values[&x.place()]).collect::<Vec<_>>())?,
            };
            for operand in x.operands() {
                let left = uses.entry(operand.place()).or_default();
                *left -= 1;
                if *left == 0 {
                    values.remove(&operand.place());
                }
            }
            values.insert(x.place(), value);
        }
        Ok(values.remove(&self.place()).expect("the formula itself comes last"))
    }
}

impl Value for Expr {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn apply(op: Op, x: &[&Self]) -> Self {
        if let Some(simple) = simplified(&op, x) {
            return simple;
        }
        let shapes: Vec<Shape> = x.iter().map(|x| x.shape).collect();
        let shape = op.shape(&shapes).expect("rules fit the shapes that were recorded");
        Expr::new(Term::Apply(op, x.iter().map(|&x| x.clone()).collect()), shape)
    }

    fn log_softmax_grad(&self, y: &Self, axis: usize) -> Self {
        cross_entropy(self, y, axis)
            .unwrap_or_else(|| self.sub(&Self::apply(Op::Unary(Unary::Exp), &[y]).mul(&self.sum_axis(axis))))
    }
}

impl PartialEq for Expr {
    fn eq(&self, other: &Self) -> bool {
        let mut compared = HashSet::new();
        let mut pending = vec![(self, other)];
        while let Some((a, b)) = pending.pop() {
            if a.shape != b.shape || a.size != b.size {
                return false;
            }
            match (a.term(), b.term()) {
                _ if Arc::ptr_eq(&a.term, &b.term) => {}
                (Term::Apply(f, x), Term::Apply(g, z)) if f == g && x.len() == z.len() => {
                    if compared.insert((a.place(), b.place())) {
                        pending.extend(x.iter().zip(z));
                    }
                }
                (Term::Name(a), Term::Name(b)) if a == b => {}
                (Term::Number(a), Term::Number(b)) if a == b => {}
                _ => return false,
            }
        }
        true
    }
}

impl std::fmt::Debug for Expr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Expr({self})")
    }
}

/// One formula after the other.
impl Drop for Expr {
    fn drop(&mut self) {
        let mut inner = Vec::new();
        let take_inner = |x: &mut Expr, inner: &mut Vec<Expr>| {
            if let Some(Term::Apply(_, x)) = Arc::get_mut(&mut x.term) {
                inner.append(x);
            }
        };
        take_inner(self, &mut inner);
        while let Some(mut x) = inner.pop() {
            take_inner(&mut x, &mut inner);
        }
    }
}
