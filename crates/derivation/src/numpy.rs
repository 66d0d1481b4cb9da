//! A derivation as a class for NumPy.

use std::fmt::Write;

use retrograde_tensor::Tensor;

use crate::Expr;
use crate::code::{Code, Count, Do, Identifiers, Init, Language, Level, Passes, passes, steps};
use crate::notation::{attributes, summed_axes, swaps_last_two};
use crate::program::Program;
use retrograde_autograd::Result;
use retrograde_autograd::Value;
use retrograde_autograd::op::{Comparison, Op, Unary};

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
        passes.forward.iter().for_each(|x| self.instruction(x, 2));
        let cache = self.tuple(&kept);
        self.line(2, &format!("self.cache = {cache}"));
        let outputs = self.list(&passes.outputs);
        self.line(2, &format!("return {outputs}\n"));

        let given = self.list(&passes.given);
        self.line(1, &format!("def backward(self{}):", arguments(given)));
        self.unpack(&passes.params, "self.params");
        self.unpack(&kept, "self.cache");
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

fn axes(axes: &[usize]) -> String {
    match axes {
        [axis] => axis.to_string(),
        axes => format!("({})", axes.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")),
    }
}

fn tuple(sizes: &[usize]) -> String {
    match sizes {
        [size] => format!("({size},)"),
        sizes => axes(sizes),
    }
}

fn array(indices: &Tensor<usize>) -> String {
    let list: Vec<String> = indices.iter().map(|i| i.to_string()).collect();
    format!("np.array([{}], dtype=int).reshape({})", list.join(", "), tuple(indices.dims()))
}

impl Language for Python {
    fn name(&mut self, name: &str) -> Code {
        Code::new(self.of(name), Level::Name)
    }

    fn number(&mut self, c: f64) -> Code {
        let text = if c.is_nan() {
            "np.nan".to_owned()
        } else if c.is_infinite() {
            if c > 0.0 { "np.inf" } else { "(-np.inf)" }.to_owned()
        } else if c < 0.0 {
            format!("({c:?})")
        } else {
            format!("{c:?}")
        };
        Code::new(text, Level::Number)
    }

    fn apply(&mut self, op: &Op, x: &[Code], operands: &[Expr]) -> Code {
        use Level::{Call, Power, Prefix, Product, Sum};
        let call = |text: String| Code::new(text, Call);
        let shape = operands[0].shape();
        let first = || x[0].text.as_str();
        let function = |name: &str| call(format!("{name}({})", x[0].text));
        let infix = |sign: &str, level: Level, right: Level| {
            Code::new(format!("{} {sign} {}", x[0].within(level), x[1].within(right)), level)
        };
        let number = |python: &mut Self, c: f64| python.number(c).text;
        match op {
            Op::Add if x[1].negated().is_some() => {
                Code::new(format!("{} - {}", x[0].within(Sum), x[1].negated().unwrap_or_default()), Sum)
            }
            Op::Add => infix("+", Sum, Product),
            Op::Sub => infix("-", Sum, Product),
            Op::Mul => infix("*", Product, Prefix),
            Op::Div => infix("/", Product, Prefix),
            Op::MatMul => {
                // Products by different signs do not mix without parentheses.
                let text = format!("{} @ {}", x[0].within(Power), x[1].within(Power));
                Code::new(text, Product)
            }
            Op::Shift(c) if x[0].negated().is_some() => {
                Code::new(format!("{} - {}", number(self, *c), x[0].negated().unwrap_or_default()), Sum)
            }
            Op::Shift(c) => Code::new(format!("{} + {}", x[0].within(Sum), number(self, *c)), Sum),
            Op::Scale(c) => Code::new(format!("{} * {}", number(self, *c), x[0].within(Prefix)), Product),
            Op::Unary(Unary::Neg) => Code::new(format!("-{}", x[0].within(Power)), Prefix),
            Op::Unary(Unary::Square) => Code::new(format!("{} ** 2", x[0].within(Call)), Power),
            Op::Unary(Unary::Relu) => call(format!("np.maximum({}, 0.0)", first())),
            Op::Unary(Unary::Softplus) => call(format!("np.logaddexp(0.0, {})", first())),
            Op::Unary(Unary::Sigmoid) => function("sigmoid"),
            Op::Unary(Unary::Ln) => function("np.log"),
            Op::Unary(of) => function(&format!("np.{}", of.name())),
            Op::Maximum => call(format!("np.maximum({}, {})", x[0].text, x[1].text)),
            Op::Minimum => call(format!("np.minimum({}, {})", x[0].text, x[1].text)),
            Op::Compare(comparison) => {
                let sign = match comparison {
                    Comparison::Gt => ">",
                    Comparison::Ge => ">=",
                    Comparison::Lt => "<",
                    Comparison::Le => "<=",
                    Comparison::Eq => "==",
                    Comparison::Ne => "!=",
                };
                call(format!("np.where({} {sign} {}, 1.0, 0.0)", x[0].within(Sum), x[1].within(Sum)))
            }
            Op::Where => call(format!("np.where({} != 0.0, {}, {})", x[0].within(Sum), x[1].text, x[2].text)),
            Op::Masked { when } => {
                let sign = if *when { "!=" } else { "==" };
                call(format!("np.where({} {sign} 0.0, {}, 0.0)", x[0].within(Sum), x[1].text))
            }
            Op::Clamp { lo, hi } => {
                call(format!("np.clip({}, {}, {})", x[0].text, number(self, *lo), number(self, *hi)))
            }
            Op::Softmax { axis } => {
                call(format!("np.exp({} - logsumexp({}, {axis}))", x[0].within(Sum), x[0].text))
            }
            Op::LogSoftmax { axis } => {
                Code::new(format!("{} - logsumexp({}, {axis})", x[0].within(Sum), x[0].text), Sum)
            }
            Op::LogSumExp { axis } => call(format!("logsumexp({}, {axis})", first())),
            Op::Max { axes: over } => {
                call(format!("np.max({}, axis={}, keepdims=True)", first(), tuple(over)))
            }
            Op::SumTo(to) => {
                let (over, lead) = (summed_axes(shape, **to), shape.rank() - to.rank());
                let kept = over.iter().any(|&axis| axis >= lead);
                let keep = if kept { ", keepdims=True" } else { "" };
                let text = format!("np.sum({}, axis={}{keep})", first(), axes(&over));
                call(if kept { text + &"[0]".repeat(lead) } else { text })
            }
            Op::BroadcastTo(to) => call(format!("np.broadcast_to({}, {})", first(), tuple(to))),
            Op::Reshape(to) => call(format!("np.reshape({}, {})", first(), tuple(to))),
            Op::Permute(order) if order.len() == 2 && swaps_last_two(order) => {
                call(format!("{}.T", x[0].within(Call)))
            }
            Op::Permute(order) => call(format!("np.transpose({}, {})", first(), tuple(order))),
            Op::Narrow { axis, start, length } => {
                let end = start + length;
                call(format!("{}[{}{start}:{end}]", x[0].within(Call), ":, ".repeat(*axis)))
            }
            Op::Select { axis, index } => {
                call(format!("{}[{}{index}]", x[0].within(Call), ":, ".repeat(*axis)))
            }
            Op::Pad { axis, start, size } => call(format!("place({}, {axis}, {start}, {size})", first())),
            Op::Concat { axis, .. } | Op::Stack { axis } => {
                let parts: Vec<&str> = x.iter().map(|x| x.text.as_str()).collect();
                let name = if matches!(op, Op::Stack { .. }) { "stack" } else { "concatenate" };
                call(format!("np.{name}([{}], axis={axis})", parts.join(", ")))
            }
            Op::Gather(indices) => call(format!("{}[{}]", x[0].within(Call), array(indices))),
            Op::Scatter { rows, indices } => {
                call(format!("scatter({}, {rows}, {})", first(), array(indices)))
            }
            _ => {
                let attributes = attributes(op).into_iter().map(|c| number(self, c));
                let all: Vec<String> = x.iter().map(|x| x.text.clone()).chain(attributes).collect();
                call(format!("np.{}({})", op.name(), all.join(", ")))
            }
        }
    }
}
