//! The symbolic reading of the rules: the backward pass as formulas, in the names that the user gave.

mod latex;
mod notation;
mod text;

use std::sync::Arc;

use retrograde_tensor::{Float, Shape, Tensor};

use crate::function::no_rule;
use crate::op::Op;
use crate::sweep::sweep;
use crate::tape::Tape;
use crate::tape::node::Origin;
use crate::tape::record::Record;
use crate::tape::var::Var;
use crate::value::Value;
use crate::{Error, Result};

/// A formula: a name, or an operation on formulas.
///
/// Displays as text, `dt·Whᵀ`; [`latex`](Expr::latex) gives the same for LaTeX.
#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    term: Arc<Term>,
    shape: Shape,
}

/// What a formula is at its outermost.
#[derive(Clone, Debug, PartialEq)]
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
    pub fn name(name: impl Into<String>, shape: impl Into<Shape>) -> Self {
        Expr { term: Arc::new(Term::Name(name.into())), shape: shape.into() }
    }

    /// A number, as a formula without axes.
    pub fn number(c: f64) -> Self {
        Expr { term: Arc::new(Term::Number(c)), shape: Shape::from([]) }
    }

    /// What the formula is at its outermost.
    pub fn term(&self) -> &Term {
        &self.term
    }

    /// The number that the formula stands for, given those of its names.
    ///
    /// # Errors
    /// What `names` returns for a name that it does not know.
    pub fn evaluate<E: Float>(&self, names: &impl Fn(&str) -> Result<Tensor<E>>) -> Result<Tensor<E>> {
        match self.term() {
            Term::Name(name) => names(name),
            Term::Number(c) => Ok(Tensor::scalar(E::from_f64(*c))),
            Term::Apply(op, x) => {
                let x = x.iter().map(|x| x.evaluate(names)).collect::<Result<Vec<_>>>()?;
                Ok(op.eval(&x.iter().collect::<Vec<_>>()))
            }
        }
    }
}

impl Value for Expr {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn apply(op: Op, x: &[&Self]) -> Self {
        let shapes: Vec<Shape> = x.iter().map(|x| x.shape).collect();
        let shape = op.shape(&shapes).expect("rules fit the shapes that were recorded");
        Expr { term: Arc::new(Term::Apply(op, x.iter().map(|&x| x.clone()).collect())), shape }
    }
}

/// One formula after the other: a formula can be as deep as a tape is long, and a stack is not.
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

/// A derived backward pass: one line for each named variable, in the order in which the reverse sweep completes them.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// The lines.
    pub lines: Vec<Line>,
}

/// `name = formula`.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The name of the cotangent, `dWh`.
    pub name: String,
    /// What it is.
    pub formula: Expr,
}

impl Derivation {
    /// The line of a cotangent by its name.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }
}

impl<'t, E: Float> Var<'t, E> {
    /// The backward pass from this variable as formulas; its own cotangent is named after it, `h_next` to `dh_next`.
    ///
    /// # Errors
    /// If the tape does not record, or where a [`Function`](crate::Function) is met.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::<f64>::zeros([2, 3])).named("x");
    /// let w = tape.var(Tensor::zeros([3, 4])).named("W");
    /// let y = x.matmul(&w).tanh().named("y");
    /// let lines = y.derivation()?.to_string();
    /// assert_eq!(lines, "dW = xᵀ·(dy ⊙ (1 - y²))\ndx = (dy ⊙ (1 - y²))·Wᵀ\n");
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn derivation(&self) -> Result<Derivation> {
        self.tape().derivation(&[self])
    }
}

impl<E: Float> Tape<E> {
    /// The backward pass from several outputs as formulas: the same table of rules and the same sweep as for numbers,
    /// read over [`Expr`].
    ///
    /// # Errors
    /// If an output lives on another tape, if this one does not record, or where a [`Function`](crate::Function) is met.
    pub fn derivation(&self, outputs: &[&Var<'_, E>]) -> Result<Derivation> {
        if !self.is_recording() {
            return Err(Error::NotRecorded { op: "derivation" });
        }
        if outputs.iter().any(|y| !std::ptr::eq(y.tape(), self)) {
            return Err(Error::ForeignVariable { op: "derivation" });
        }
        let record = self.record.borrow();
        let formulas = record.formulas();
        let seeds = outputs.iter().map(|y| (y.id(), Expr::name(cotangent_name(&record, y.id()), y.shape())));
        let mut lines = Vec::new();
        sweep(
            &record,
            seeds,
            |id, _| formulas[id as usize].clone(),
            |id, g, _| {
                if record.name(id).is_none() && !record.nodes[id as usize].origin.is_leaf() {
                    return;
                }
                let name = cotangent_name(&record, id);
                let formula = std::mem::replace(g, Expr::name(name.clone(), g.shape));
                if formula != *g {
                    lines.push(Line { name, formula });
                }
            },
            |function, _, _, _| no_rule("derivation", function),
        )?;
        Ok(Derivation { lines })
    }
}

/// `dWx` for `Wx`.
fn cotangent_name<E: Float>(record: &Record<E>, id: u32) -> String {
    format!("d{}", record.label(id))
}

impl<E: Float> Record<E> {
    /// The name of a node, or one made of its index: `v3`.
    pub(crate) fn label(&self, id: u32) -> String {
        self.name(id).unwrap_or_else(|| format!("v{id}"))
    }

    /// The formula of each node: its name where it has one, else its operation on those of its operands.
    fn formulas(&self) -> Vec<Expr> {
        let mut formulas: Vec<Expr> = Vec::with_capacity(self.nodes.len());
        for (id, node) in (0..).zip(&self.nodes) {
            let formula = match (self.name(id), &node.origin) {
                (None, Origin::Computed(op)) => {
                    let x: Vec<&Expr> = self.operands(id).iter().map(|&x| &formulas[x as usize]).collect();
                    Expr::apply(op.clone(), &x)
                }
                (None, Origin::Constant) if self.shape(id).rank() == 0 => {
                    let value = self.leaf(id);
                    Expr::number(value.at(&[]).to_f64())
                }
                _ => Expr::name(self.label(id), self.shape(id)),
            };
            formulas.push(formula);
        }
        formulas
    }
}
