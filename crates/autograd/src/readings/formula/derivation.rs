//! A derived backward pass, line by line.

use std::collections::{HashMap, HashSet};

use retrograde_tensor::{Float, Tensor};

use super::{Expr, Term};
use crate::Result;
use crate::recompute::Saved;
use crate::sweep::{Reading, sweep};
use crate::tape::Tape;
use crate::tape::id::NodeId;
use crate::tape::record::{Kind, Record};
use crate::tape::var::Var;
use crate::value::Value;

/// A derived backward pass.
///
/// Each named variable has a line for its cotangent, in the order in which the reverse sweep completes them. A value
/// without a name gets a line where it is used more than once, or where its formula would be long: `v7` is the value of
/// node 7 of the tape, `dv7` its cotangent. The lines of such values come first, in the order of execution. So every line
/// is short, except for sums over many uses, and the number of lines is at most proportional to the length of the tape.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// The lines.
    pub lines: Vec<Line>,
}

/// `name = formula`.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The name of the cotangent, `dWh`, or of a value without a name of its own, `v7`.
    pub name: String,
    /// The formula.
    pub formula: Expr,
}

impl Derivation {
    /// The line of a cotangent by its name.
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }
}

/// The largest number of terms of a formula without a line of its own.
const LONG: u32 = 32;

impl<'t, E: Float> Var<'t, E> {
    /// The backward pass from this variable as formulas; its own cotangent is named after it, `h_next` to `dh_next`.
    ///
    /// # Errors
    /// If the tape does not record, or where a [`Function`](crate::Function) is met
    /// that does not say what it stands for.
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
    /// If an output lives on another tape, if this one does not record, or where a [`Function`](crate::Function) is met
    /// that does not say what it stands for.
    pub fn derivation(&self, outputs: &[&Var<'_, E>]) -> Result<Derivation> {
        let ids = outputs.iter().map(|y| self.recorded_id("derivation", y)).collect::<Result<Vec<_>>>()?;
        let record = self.record.borrow();
        let mut formulas = Formulas { values: Values::of(&record, &ids), lines: Vec::new() };
        let seed = |id| (id, Expr::name(formulas.values.cotangent(id), *record.shape(id)));
        let seeds: Vec<_> = ids.iter().copied().map(seed).collect();
        sweep(&record, seeds, &mut formulas)?;
        let mut lines = formulas.values.read_by(&formulas.lines);
        lines.append(&mut formulas.lines);
        Ok(Derivation { lines })
    }
}

/// The reading over formulas.
struct Formulas<'r, E> {
    values: Values<'r, E>,
    /// The lines of cotangents.
    lines: Vec<Line>,
}

impl<E: Float> Reading<E> for Formulas<'_, E> {
    type Value = Expr;

    fn name(&self) -> &'static str {
        "derivation"
    }

    fn read(&mut self, id: NodeId, _: &mut Saved<'_, E>, x: &mut Vec<Expr>) -> Result<()> {
        x.push(self.values.formulas[id.index()].clone());
        Ok(())
    }

    fn constant(&mut self, value: &Tensor<E>) -> Expr {
        match value.rank() {
            0 => Expr::number(value.at(&[]).to_f64()),
            _ => Expr::name("constant", value.shape()),
        }
    }

    fn visit(&mut self, id: NodeId, g: &mut Expr) -> Result<()> {
        if self.values.is_named(id) || self.values.is_cut(id, g) {
            let name = self.values.cotangent(id);
            let formula = std::mem::replace(g, Expr::name(name.clone(), g.shape()));
            if formula != *g {
                self.lines.push(Line { name, formula });
            }
        }
        Ok(())
    }
}

/// The values of a forward pass as formulas.
struct Values<'r, E> {
    record: &'r Record<E>,
    /// By node: its name where it has a name or a line, else its operation on the formulas of its operands.
    formulas: Vec<Expr>,
    /// By node, how often the outputs use it.
    uses: Vec<u32>,
    /// Names that were given.
    given: HashSet<String>,
    /// The lines of values without a name, in the order of execution.
    lines: Vec<Line>,
}

impl<'r, E: Float> Values<'r, E> {
    fn of(record: &'r Record<E>, outputs: &[NodeId]) -> Self {
        let count = outputs.iter().map(|y| y.index() + 1).max().unwrap_or(0);
        let mut uses = vec![0; count];
        let mut reached = vec![false; count];
        outputs.iter().for_each(|y| reached[y.index()] = true);
        for id in (0..count).rev() {
            let operands = if reached[id] { record.operands(NodeId::new(id)) } else { &[] };
            for x in operands {
                reached[x.index()] = true;
                uses[x.index()] += 1;
            }
        }
        let given = (0..count).map(NodeId::new).filter_map(|id| record.name(id)).collect();
        let mut values =
            Values { record, formulas: Vec::with_capacity(count), uses, given, lines: Vec::new() };
        for id in (0..count).map(NodeId::new) {
            let formula = values.formula(id);
            values.formulas.push(formula);
        }
        values
    }

    fn formula(&mut self, id: NodeId) -> Expr {
        let shape = *self.record.shape(id);
        let name = || Expr::name(self.label(id), shape);
        match self.record.kind(id) {
            _ if self.record.name(id).is_some() => name(),
            Kind::Op(op) => {
                let operands = self.record.operands(id).iter();
                let x: Vec<&Expr> = operands.map(|x| &self.formulas[x.index()]).collect();
                let formula = Expr::apply(op.clone(), &x);
                if !self.is_cut(id, &formula) {
                    return formula;
                }
                self.lines.push(Line { name: self.label(id), formula });
                Expr::name(self.label(id), shape)
            }
            Kind::Constant if shape.rank() == 0 => Expr::number(self.record.leaf(id).at(&[]).to_f64()),
            _ => name(),
        }
    }

    /// The name of a node, or one made of its index that nothing else has: `v3`.
    fn label(&self, id: NodeId) -> String {
        self.record.name(id).unwrap_or_else(|| {
            let mut label = id.to_string();
            while self.given.contains(&label) {
                label.push('\'');
            }
            label
        })
    }

    /// The name of the cotangent of a node: `dWx` for `Wx`.
    fn cotangent(&self, id: NodeId) -> String {
        format!("d{}", self.label(id))
    }

    /// Whether a node has a name, or is an input.
    fn is_named(&self, id: NodeId) -> bool {
        self.record.name(id).is_some() || self.record.kind(id).is_leaf()
    }

    /// Whether a formula that stands for a node without a name gets a line.
    fn is_cut(&self, id: NodeId, formula: &Expr) -> bool {
        formula.size() > 1 && (self.uses[id.index()] > 1 || formula.size() > LONG)
    }

    /// The lines of values that some line reads.
    fn read_by(self, lines: &[Line]) -> Vec<Line> {
        let places: HashMap<&str, usize> =
            self.lines.iter().enumerate().map(|(i, line)| (line.name.as_str(), i)).collect();
        let mut read = vec![false; self.lines.len()];
        let mut pending: Vec<&Line> = lines.iter().collect();
        while let Some(line) = pending.pop() {
            for x in line.formula.in_order() {
                if let Term::Name(name) = x.term()
                    && let Some(&place) = places.get(name.as_str())
                    && !std::mem::replace(&mut read[place], true)
                {
                    pending.push(&self.lines[place]);
                }
            }
        }
        let mut read = read.into_iter();
        self.lines.iter().filter(|_| read.next() == Some(true)).cloned().collect()
    }
}
