//! The lines of a record: values forwards, cotangents backwards.

use std::collections::HashMap;

use crate::graph::{Graph, Kind};
use crate::simplify::tiled;
use crate::{Expr, Line, Term};
use retrograde_autograd::NodeId;
use retrograde_autograd::Value;
use retrograde_autograd::op::Op;
use retrograde_autograd::sweep::{Reading, sweep};
use retrograde_autograd::{Error, Result};

/// The largest number of terms of a formula without a line of its own.
const LONG: u32 = 32;
/// The number of terms of one operation on two names, which is as short as a line for it.
const SHORT: u32 = 3;

/// The lines of a forward and a backward pass.
pub(crate) struct Lines {
    /// Of values, in the order of execution.
    pub(crate) values: Vec<ValueLine>,
    /// Of cotangents, in the order of the sweep.
    pub(crate) cotangents: Vec<Line>,
}

/// The line of a value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ValueLine {
    pub(crate) line: Line,
    /// Whether a reader needs it to know what its name stands for: the user gave none.
    pub(crate) explains: bool,
}

/// The lines of a record whose nodes have these labels, swept from the seeds.
pub(crate) fn lines(record: &Graph, labels: &[String], seeds: Vec<(NodeId, Expr)>) -> Result<Lines> {
    let mut values = Values::of(record, labels, seeds.iter().map(|&(id, _)| id));
    let mut formulas = Formulas { values: &values, lines: Vec::new() };
    sweep(record, seeds, &mut formulas)?;
    let cotangents = formulas.lines;
    Ok(Lines { values: std::mem::take(&mut values.lines), cotangents })
}

/// The lines that explain names which some of the lines read, in order.
pub(crate) fn explanations<'a>(values: &[ValueLine], lines: impl IntoIterator<Item = &'a Line>) -> Vec<Line> {
    let explains = values.iter().filter(|value| value.explains).map(|value| &value.line);
    let explaining: Vec<&Line> = explains.collect();
    let places: HashMap<&str, usize> =
        explaining.iter().enumerate().map(|(i, line)| (line.name.as_str(), i)).collect();
    let mut read = vec![false; explaining.len()];
    let mut pending: Vec<&Line> = lines.into_iter().collect();
    while let Some(line) = pending.pop() {
        for name in names(&line.formula) {
            if let Some(&place) = places.get(name)
                && !std::mem::replace(&mut read[place], true)
            {
                pending.push(explaining[place]);
            }
        }
    }
    explaining.into_iter().zip(read).filter(|(_, read)| *read).map(|(line, _)| line.clone()).collect()
}

/// The names that a formula reads.
pub(crate) fn names(formula: &Expr) -> impl Iterator<Item = &str> {
    formula.in_order().into_iter().filter_map(|x| match x.term() {
        Term::Name(name) => Some(name.as_str()),
        _ => None,
    })
}

/// The reading over formulas.
struct Formulas<'a, 'r> {
    values: &'a Values<'r>,
    /// The lines of cotangents.
    lines: Vec<Line>,
}

impl Reading for Formulas<'_, '_> {
    type Value = Expr;

    fn read(&mut self, id: NodeId, values: &mut Vec<Expr>) -> Result<()> {
        let ids = self.values.record.operands(id).iter().chain([&id]);
        values.extend(ids.map(|x| self.values.formulas[x.index()].clone()));
        Ok(())
    }

    fn function(&mut self, id: NodeId, _: &[Expr], _: &Expr, _: &Expr) -> Result<Vec<Option<Expr>>> {
        match self.values.record.kind(id) {
            Kind::Function(function) => Err(Error::NoRule { op: "derivation", function }),
            _ => Ok(Vec::new()),
        }
    }

    fn visit(&mut self, id: NodeId, g: &mut Expr) -> Result<()> {
        if let Some(tiled) = tiled(g) {
            *g = tiled;
        }
        // That of a loss is 1: there is nothing to say.
        let one = matches!(g.term(), Term::Number(_)) && !self.values.record.kind(id).is_leaf();
        if !one && (self.values.is_named(id) || self.values.cuts_cotangent(id, g)) {
            let name = format!("d{}", self.values.label(id));
            let formula = std::mem::replace(g, Expr::name(name.clone(), g.shape()));
            if formula != *g {
                self.lines.push(Line { name, formula });
            }
        }
        Ok(())
    }
}

/// The values of a forward pass as formulas.
struct Values<'r> {
    record: &'r Graph,
    labels: &'r [String],
    /// By node: its name where it has a name or a line, else its operation on the formulas of its operands.
    formulas: Vec<Expr>,
    /// By node, how often the outputs use it.
    uses: Vec<u32>,
    lines: Vec<ValueLine>,
}

impl<'r> Values<'r> {
    fn of(record: &'r Graph, labels: &'r [String], outputs: impl Iterator<Item = NodeId> + Clone) -> Self {
        let count = outputs.clone().map(|y| y.index() + 1).max().unwrap_or(0);
        let mut uses = vec![0; count];
        let mut reached = vec![false; count];
        outputs.for_each(|y| reached[y.index()] = true);
        let output = reached.clone();
        for id in (0..count).rev() {
            let operands = if reached[id] { record.operands(NodeId::new(id)) } else { &[] };
            for x in operands {
                reached[x.index()] = true;
                uses[x.index()] += 1;
            }
        }
        let mut values =
            Values { record, labels, formulas: Vec::with_capacity(count), uses, lines: Vec::new() };
        for id in (0..count).map(NodeId::new) {
            let formula = values.formula(id, reached[id.index()], output[id.index()]);
            values.formulas.push(formula);
        }
        values
    }

    fn formula(&mut self, id: NodeId, reached: bool, output: bool) -> Expr {
        let name = Expr::name(self.label(id), self.record.shape(id));
        let named = self.record.name(id).is_some();
        match self.record.kind(id) {
            Kind::Op(op) => {
                let operands = self.record.operands(id).iter();
                let x: Vec<&Expr> = operands.map(|x| &self.formulas[x.index()]).collect();
                let formula = Expr::apply(op.clone(), &x);
                let cut = named || formula.size() > 1 && (self.uses[id.index()] > 1 || formula.size() > LONG);
                if reached && (cut || output) {
                    let line = Line { name: self.label(id).to_owned(), formula: formula.clone() };
                    self.lines.push(ValueLine { line, explains: !named && cut });
                }
                if cut { name } else { formula }
            }
            Kind::Number(c) => {
                let number = Expr::number(*c);
                if !named {
                    return number;
                }
                let line = Line { name: self.label(id).to_owned(), formula: number };
                self.lines.push(ValueLine { line, explains: true });
                name
            }
            _ => name,
        }
    }

    fn label(&self, id: NodeId) -> &str {
        &self.labels[id.index()]
    }

    /// Whether a node has a name, or is an input.
    fn is_named(&self, id: NodeId) -> bool {
        self.record.name(id).is_some() || self.record.kind(id).is_leaf()
    }

    /// Whether the cotangent of a node without a name gets a line: it is a sum, it is long, or more than one formula
    /// reads it.
    fn cuts_cotangent(&self, id: NodeId, formula: &Expr) -> bool {
        let readers = match self.record.kind(id) {
            Kind::Op(Op::Softmax { .. }) => 2,
            _ => self.record.operands(id).iter().filter(|&&x| self.record.is_tracked(x)).count(),
        };
        let size = formula.size();
        size > LONG || size > SHORT && readers > 1 || size > 1 && self.uses[id.index()] > 1
    }
}
