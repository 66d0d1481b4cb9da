//! A derivation as a class for NumPy.

mod formula;

use std::fmt::Write;

use crate::code::{Count, Do, Init, Passes, steps};
use crate::language::{Identifiers, Language, Level, Scope};
use crate::passes::passes;
use crate::program::Program;
use retrograde_autograd::Result;

/// Functions that NumPy does not have.
const FUNCTIONS: [(&str, &str); 4] = [
    ("sigmoid", "def sigmoid(x):\n    return 0.5 * (1.0 + np.tanh(0.5 * x))\n"),
    (
        "logsumexp",
        "def logsumexp(x, axis):\n    m = np.max(x, axis=axis, keepdims=True)\n    \
         return m + np.log(np.sum(np.exp(x - m), axis=axis, keepdims=True))\n",
    ),
    (
        "place",
        "def place(x, axis, start, size):\n    shape = list(x.shape)\n    shape[axis] = size\n    \
         y = np.zeros(shape, x.dtype)\n    \
         y[(slice(None),) * axis + (slice(start, start + x.shape[axis]),)] = x\n    return y\n",
    ),
    (
        "scatter",
        "def scatter(x, rows, indices):\n    y = np.zeros((rows,) + x.shape[indices.ndim:])\n    \
         np.add.at(y, indices, x)\n    return y\n",
    ),
];

/// The class of a program.
pub(crate) fn class(program: &Program, name: &str) -> Result<String> {
    let passes = passes(program, "numpy")?;
    let reserved = "False None True and as assert async await break class continue def del elif else except finally for \
                    from global if import in is lambda nonlocal not or pass raise return try while with yield np self \
                    step range reversed len sigmoid logsumexp place scatter";
    let mut python = Python {
        identifiers: Identifiers::new(&reserved.split(' ').collect::<Vec<_>>(), false),
        loops: Vec::new(),
        scope: Scope::default(),
        text: String::new(),
    };
    python.class(&passes, name);
    let mut text = "import numpy as np\n\n\n".to_owned();
    for (function, definition) in FUNCTIONS {
        if python.text.contains(&format!("{function}(")) {
            text += definition;
            text += "\n\n";
        }
    }
    Ok(text + &python.text)
}

struct Python {
    identifiers: Identifiers,
    loops: Vec<Option<usize>>,
    scope: Scope,
    text: String,
}

impl Python {
    fn of(&mut self, name: &str) -> String {
        match name.parse::<f64>() {
            Ok(number) => format!("{number:?}"),
            Err(_) => self.identifiers.of(name),
        }
    }

    fn list<'n>(&mut self, names: impl IntoIterator<Item = &'n String>) -> String {
        names.into_iter().map(|name| self.of(name)).collect::<Vec<_>>().join(", ")
    }

    /// The names as a tuple, also of one.
    fn tuple(&mut self, names: &[String]) -> String {
        let list = self.list(names);
        if names.len() == 1 { format!("({list},)") } else { format!("({list})") }
    }

    fn unpack(&mut self, names: &[String], from: &str) {
        let list = self.list(names);
        match names.len() {
            0 => {}
            1 => self.line(2, &format!("{list}, = {from}")),
            _ => self.line(2, &format!("{list} = {from}")),
        }
    }

    fn line(&mut self, indent: usize, line: &str) {
        let _ = writeln!(self.text, "{}{line}", "    ".repeat(indent));
    }

    fn class(&mut self, passes: &Passes, name: &str) {
        let loops: Vec<usize> = (0..passes.loops.len()).filter(|&i| passes.loops[i].is_some()).collect();
        let mut kept = passes.kept.clone();
        self.loops.clone_from(&passes.loops);
        kept.extend(loops.iter().map(|&i| steps(&self.loops, i)));
        self.line(0, &format!("class {name}:"));
        let arguments = |list: String| if list.is_empty() { String::new() } else { format!(", {list}") };
        let params = self.list(&passes.params);
        self.line(1, &format!("def __init__(self{}):", arguments(params.clone())));
        self.line(2, &format!("self.params = [{params}]"));
        self.line(2, "self.grads = [np.zeros_like(x) for x in self.params]\n");

        let inputs = self.list(&passes.inputs);
        self.line(1, &format!("def forward(self{}):", arguments(inputs)));
        self.unpack(&passes.params, "self.params");
        for &i in &loops {
            let name = steps(&self.loops, i);
            self.line(2, &format!("{name} = {{}}"));
        }
        self.scope = passes.forward_scope();
        passes.forward.iter().for_each(|x| self.instruction(x, 2));
        let cache = self.tuple(&kept);
        self.line(2, &format!("self.cache = {cache}"));
        let outputs = self.list(&passes.outputs);
        self.line(2, &format!("return {outputs}\n"));

        let given = self.list(&passes.given);
        self.line(1, &format!("def backward(self{}):", arguments(given)));
        self.unpack(&passes.params, "self.params");
        self.unpack(&kept, "self.cache");
        self.scope = passes.backward_scope();
        passes.backward.iter().for_each(|x| self.instruction(x, 2));
        let cotangents = |names: &[String]| names.iter().map(|name| format!("d{name}")).collect::<Vec<_>>();
        let grads = self.tuple(&cotangents(&passes.params));
        self.line(2, &format!("for grad, d in zip(self.grads, {grads}):"));
        self.line(3, "grad[...] = d");
        for name in passes.tracked.iter().filter(|name| passes.lists.contains(*name)) {
            let d = self.of(&format!("d{name}"));
            self.line(2, &format!("{d} = [{d}[step] for step in range(len({d}))]"));
        }
        let inputs = self.list(&cotangents(&passes.tracked));
        self.line(2, &format!("return {inputs}"));
    }

    fn instruction(&mut self, instruction: &Do, indent: usize) {
        let line = match instruction {
            Do::Let(x, formula) => format!("{} = {}", self.of(x), self.formula(formula).text),
            Do::Add(x, formula) => {
                format!("{0} = {0} + {1}", self.of(x), self.formula(formula).within(Level::Sum))
            }
            Do::Var(_, Init::Same) => return,
            Do::Var(x, Init::Zeros(like)) => format!("{} = np.zeros_like({})", self.of(x), self.of(like)),
            Do::Var(x, Init::Copy(of)) | Do::Copy(x, of) => format!("{} = {}", self.of(x), self.of(of)),
            Do::Entry(x, of, axis) => {
                format!("{} = {}[{}step]", self.of(x), self.of(of), ":, ".repeat(*axis))
            }
            Do::AddEntry(of, axis, formula) => {
                let formula = self.formula(formula).text;
                format!("{}[{}step] += {formula}", self.of(of), ":, ".repeat(*axis))
            }
            Do::Item(x, of) => format!("{} = {}[step]", self.of(x), self.of(of)),
            Do::List(x) => format!("{} = {{}}", self.of(x)),
            Do::Put(of, x) => format!("{}[step] = {}", self.of(of), self.of(x)),
            Do::Stack(x, axis) => {
                format!("{0} = np.stack([{0}[step] for step in range(len({0}))], axis={axis})", self.of(x))
            }
            Do::Keep(i, names) => {
                let tuple = self.tuple(names);
                format!("{}[step] = {tuple}", steps(&self.loops, *i))
            }
            Do::Restore(_, names) if names.is_empty() => return,
            Do::Restore(i, names) => {
                let list = self.list(names) + if names.len() == 1 { "," } else { "" };
                format!("{list} = {}[step]", steps(&self.loops, *i))
            }
            Do::For { count, reversed, body } => {
                let count = match count {
                    Count::Axis(of, axis) => format!("{}.shape[{axis}]", self.of(of)),
                    Count::Length(of) => format!("len({})", self.of(of)),
                    Count::Kept(i) => format!("len({})", steps(&self.loops, *i)),
                    Count::Fixed(count) => count.to_string(),
                };
                let range = format!("range({count})");
                let range = if *reversed { format!("reversed({range})") } else { range };
                self.line(indent, &format!("for step in {range}:"));
                body.iter().for_each(|x| self.instruction(x, indent + 1));
                return;
            }
        };
        self.line(indent, &line);
    }
}
