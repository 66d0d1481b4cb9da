//! A derived backward pass.

use std::cmp::Ordering;

use retrograde_tensor::Float;

use crate::graph::Graph;
use crate::lines::{explanations, lines};
use crate::loops::program;
use crate::names::Names;
use crate::program::{Part, Program};
use crate::{Expr, numpy, rust};
use retrograde_autograd::NodeId;
use retrograde_autograd::{Error, Result, Tape, Var};

/// A derived backward pass.
///
/// Each named variable has a line for its cotangent, in the order in which the reverse sweep completes them. A value or a
/// cotangent without a name gets a line where it is used more than once, or where its formula would be long: `v7` is the
/// value of node 7 of the tape, `dv7` its cotangent. So every line is short, except for sums over many uses, and the
/// number of lines is at most proportional to the length of the tape.
///
/// It displays as text in which time steps of the same operations are a loop, as textbooks write it. `{:#}` writes out all
/// steps instead: the [`lines`](Self::lines). [`latex`](Self::latex), [`numpy`](Self::numpy) and [`rust`](Self::rust)
/// write the same loop.
#[derive(Clone, Debug, PartialEq)]
pub struct Derivation {
    /// The lines of all steps.
    pub lines: Vec<Line>,
    /// The lines of values without a name that lines of cotangents read come first.
    program: Program,
}

/// `name = formula`.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// The name of the cotangent, `dWh`, or of a value without a name of its own, `v7`.
    pub name: String,
    /// The formula.
    pub formula: Expr,
}

/// A statement of a backward pass with loops.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Statement {
    /// `name = formula`
    Assign(Line),
    /// `name += formula`
    Add(Line),
    /// `for t = from .. to:`, over the time steps. `h_t` is the value of step t; a name without a step is one of the step
    /// itself.
    For {
        /// The first step of the loop, `T-1`.
        from: String,
        /// The last step of the loop, `0`.
        to: String,
        /// The statements of each step.
        body: Vec<Statement>,
    },
}

impl Derivation {
    /// The line of a cotangent by its name.
    #[must_use]
    pub fn line(&self, name: &str) -> Option<&Line> {
        self.lines.iter().find(|line| line.name == name)
    }

    /// The displayed backward pass, with a loop where time steps record the same operations.
    #[must_use]
    pub fn statements(&self) -> Vec<Statement> {
        self.program.parts.iter().rev().flat_map(statements).collect()
    }

    /// The forward and the backward pass as a class for NumPy, which needs nothing else.
    ///
    /// The class takes the parameters, matrices before vectors and else in the order in which the tape met them. Its `forward` takes the other inputs and
    /// returns the outputs; its `backward` takes the cotangents of the outputs, returns those of the inputs, and leaves
    /// those of the parameters in `self.grads`. It fits any size of batch and any number of steps: sizes of a reshape or a
    /// broadcast that equal those of the first two axes of an input are taken to be these, so record with sizes that
    /// differ. A size along another axis stays the number that was recorded.
    ///
    /// # Errors
    /// If something has no counterpart in operations, such as a [`Function`](retrograde_autograd::Function).
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::{Param, Tape};
    /// use retrograde_derivation::DeriveVar;
    /// use retrograde_tensor::Tensor;
    ///
    /// let w = Param::new("W", Tensor::<f64>::zeros([3, 4]));
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::zeros([2, 3])).named("x");
    /// let y = x.matmul(&w).tanh().named("y");
    /// let text = y.derivation()?.numpy("Layer")?;
    /// assert!(text.contains("y = np.tanh(x @ W)"));
    /// assert!(text.contains("dv2 = dy * (1.0 - y ** 2)"));
    /// assert!(text.contains("dW = x.T @ dv2"));
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    pub fn numpy(&self, class: &str) -> Result<String> {
        numpy::class(&self.program, class)
    }

    /// The forward and the backward pass as a struct for Rust, on plain tensors of `f64`, without a tape.
    ///
    /// It is used as the class of [`numpy`](Self::numpy) is; its `backward` returns the cotangents of the parameters and of
    /// the inputs in an array.
    ///
    /// # Errors
    /// As [`numpy`](Self::numpy).
    pub fn rust(&self, name: &str) -> Result<String> {
        rust::module(&self.program, name)
    }
}

/// The backward pass of a part.
fn statements(part: &Part) -> Vec<Statement> {
    let explained = explanations(&part.values, part.cotangents.iter().map(|x| &x.line));
    let own = part.cotangents.iter().map(|x| {
        let line = x.line.clone();
        if x.add { Statement::Add(line) } else { Statement::Assign(line) }
    });
    let body: Vec<Statement> = explained.into_iter().map(Statement::Assign).chain(own).collect();
    let Some(repeat) = &part.repeat else { return body };

    let assign = |name: &str, value: &str| {
        let (name, formula) = (name.to_owned(), Expr::name(value, []));
        Statement::Assign(Line { name, formula })
    };
    // The number of the step `back` before the end, `first + T - back`.
    let step = |back: usize| match repeat.first.cmp(&back) {
        Ordering::Less => format!("T-{}", back - repeat.first),
        Ordering::Equal => "T".to_owned(),
        Ordering::Greater => format!("T+{}", repeat.first - back),
    };
    let (earliest, latest) = (repeat.first.to_string(), step(1));
    let (from, to) = if repeat.reversed { (earliest, latest) } else { (latest, earliest) };
    let mut text = Vec::new();
    for (before, initial) in repeat.states.iter().filter_map(|state| state.before.as_ref()) {
        let number = match (repeat.reversed, repeat.first) {
            (true, _) => step(0),
            (false, 0) => "-1".to_owned(),
            (false, first) => (first - 1).to_string(),
        };
        let stem = before.rsplit_once("_{").map_or(before.as_str(), |(stem, _)| stem);
        let first =
            if number.len() > 1 { format!("{stem}_{{{number}}}") } else { format!("{stem}_{number}") };
        if reads(&body, before) {
            text.push(assign(&first, initial));
        }
    }
    let carried = || repeat.states.iter().filter(|state| reads(&body, &state.carried));
    text.extend(carried().map(|state| assign(&state.carried, state.from.as_deref().unwrap_or("0"))));
    let entries = repeat.entries.iter().filter(|entry| reads(&body, &entry.name));
    let entries = entries.map(|entry| assign(&entry.name, &(entry.of.clone() + &repeat.slots(entry.axis))));
    let mut whole: Vec<Statement> = entries.chain(body.iter().cloned()).collect();
    whole.extend(carried().filter(|state| !state.flows).map(|state| assign(&state.carried, "0")));
    text.push(Statement::For { from, to, body: whole });
    for state in &repeat.states {
        if let Some((name, add)) = &state.into {
            let line = Line { name: name.clone(), formula: Expr::name(state.carried.clone(), []) };
            text.push(if *add { Statement::Add(line) } else { Statement::Assign(line) });
        }
    }
    text
}

/// Whether a statement reads a name.
fn reads(body: &[Statement], name: &str) -> bool {
    body.iter().any(|statement| match statement {
        Statement::Assign(line) | Statement::Add(line) => {
            crate::lines::names(&line.formula).any(|read| read == name)
        }
        Statement::For { body, .. } => reads(body, name),
    })
}

/// The derivation from one variable.
pub trait DeriveVar {
    /// The backward pass from this variable as formulas; its own cotangent is named after it, `h_next` to `dh_next`. That
    /// of a scalar is 1, as in [`backward`](Var::backward): the variable is a loss.
    ///
    /// # Errors
    /// If the tape does not record, or where a [`Function`](retrograde_autograd::Function) is met
    /// that does not say what it stands for.
    ///
    /// # Example
    /// ```
    /// use retrograde_autograd::Tape;
    /// use retrograde_derivation::DeriveVar;
    /// use retrograde_tensor::Tensor;
    ///
    /// let tape = Tape::new();
    /// let x = tape.var(Tensor::<f64>::zeros([2, 3])).named("x");
    /// let w = tape.var(Tensor::zeros([3, 4])).named("W");
    /// let t = x.matmul(&w).named("t");
    /// let y = t.tanh().named("y");
    /// let lines = y.derivation()?.to_string();
    /// assert_eq!(lines, "dt = dy ⊙ (1 - y²)\ndW = xᵀ·dt\ndx = dt·Wᵀ\n");
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    fn derivation(&self) -> Result<Derivation>;
}

impl<E: Float> DeriveVar for Var<'_, E> {
    fn derivation(&self) -> Result<Derivation> {
        derive(self.tape(), &[self], self.shape().rank() == 0)
    }
}

/// The derivation from several outputs of a tape.
pub trait DeriveTape<E> {
    /// The backward pass from several outputs as formulas: the same table of rules and the same sweep as for numbers,
    /// read over [`Expr`]. Each output has a cotangent of its name, also a scalar.
    ///
    /// # Errors
    /// If an output lives on another tape, if this one does not record, or where a [`Function`](retrograde_autograd::Function) is met
    /// that does not say what it stands for.
    ///
    /// # Example
    /// Time steps that record the same operations are a loop:
    /// ```
    /// use retrograde_autograd::{Param, Tape, Var};
    /// use retrograde_derivation::DeriveTape;
    /// use retrograde_tensor::Tensor;
    ///
    /// let wh = Param::new("Wh", Tensor::<f64>::zeros([4, 4]));
    /// let tape = Tape::new();
    /// let xs = tape.var(Tensor::zeros([2, 5, 4])).named("xs");
    /// let mut h = tape.var(Tensor::zeros([2, 4])).named("h_prev");
    /// let mut hs = Vec::new();
    /// for step in 0..5 {
    ///     tape.set_step(Some(step));
    ///     let t = (h.matmul(&wh) + xs.select(1, step)).named("t");
    ///     h = t.tanh().named("h");
    ///     hs.push(h.clone());
    /// }
    /// tape.set_step(None);
    /// let hs = Var::stack(&hs, 1).named("hs");
    /// let expected = "\
    /// h_{-1} = h_prev
    /// dh = 0
    /// for t = T-1 .. 0:
    ///     dh_t = dhs[:, t] + dh
    ///     dt = dh_t ⊙ (1 - h_t²)
    ///     dWh += h_{t-1}ᵀ·dt
    ///     dh = dt·Whᵀ
    ///     dxs[:, t] = dt
    /// dh_prev = dh
    /// ";
    /// assert_eq!(tape.derivation(&[&hs])?.to_string(), expected);
    /// # Ok::<(), retrograde_autograd::Error>(())
    /// ```
    fn derivation(&self, outputs: &[&Var<'_, E>]) -> Result<Derivation>;
}

impl<E: Float> DeriveTape<E> for Tape<E> {
    fn derivation(&self, outputs: &[&Var<'_, E>]) -> Result<Derivation> {
        derive(self, outputs, false)
    }
}

fn derive<E: Float>(tape: &Tape<E>, outputs: &[&Var<'_, E>], loss: bool) -> Result<Derivation> {
    let op = "derivation";
    let recorded = |y: &&Var<'_, E>| match y.id() {
        _ if !std::ptr::eq(y.tape(), tape) => Err(Error::ForeignVariable { op }),
        id => id.ok_or(Error::NotRecorded { op }),
    };
    let (graph, ids) = Graph::of(tape, &outputs.iter().map(recorded).collect::<Result<Vec<_>>>()?)?;
    let mut names = Names::default();
    let labels = names.labels(&graph, ids.iter().map(|y| y.index() + 1).max().unwrap_or(0));
    let seed = |&id: &NodeId| match loss {
        true => (id, Expr::number(1.0)),
        false => (id, Expr::name(format!("d{}", labels[id.index()]), graph.shape(id))),
    };
    let whole = lines(&graph, &labels, ids.iter().map(seed).collect())?;
    let mut all = explanations(&whole.values, &whole.cotangents);
    all.extend(whole.cotangents.iter().cloned());
    let outputs: Vec<(NodeId, bool)> = ids.iter().map(|&id| (id, !loss)).collect();
    let program = program(&graph, &outputs, (names, labels), &whole)?;
    Ok(Derivation { lines: all, program })
}
