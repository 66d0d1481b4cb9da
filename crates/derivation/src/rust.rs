//! A derivation as a struct for Rust, on plain tensors.

use std::collections::HashSet;
use std::fmt::Write;

use retrograde_tensor::Tensor;

use crate::Expr;
use crate::code::{Code, Count, Do, Identifiers, Init, Language, Level, Passes, passes, steps};
use crate::notation::{attributes, summed_axes, swaps_last_two};
use crate::program::Program;
use retrograde_autograd::Result;
use retrograde_autograd::Value;
use retrograde_autograd::op::{Op, Unary};

/// The struct of a program.
pub(crate) fn module(program: &Program, name: &str) -> Result<String> {
    let passes = passes(program, "rust")?;
    let reserved = "as async await break const continue crate dyn else enum extern false fn for if impl in let loop \
                    match mod move mut pub ref return self static struct super trait true type unsafe use where while \
                    abstract become box do final gen macro override priv try typeof unsized virtual yield step tensor \
                    place";
    let mut rust = Rust {
        identifiers: Identifiers::new(&reserved.split(' ').collect::<Vec<_>>(), true),
        loops: Vec::new(),
        open: HashSet::new(),
        text: String::new(),
    };
    rust.module(&passes, name);
    Ok(rust.text)
}

struct Rust {
    identifiers: Identifiers,
    loops: Vec<Option<usize>>,
    /// The variables that a loop changes.
    open: HashSet<String>,
    text: String,
}

impl Rust {
    fn of(&mut self, name: &str) -> String {
        match name.parse::<f64>() {
            Ok(number) => format!("Tensor::scalar({number:?})"),
            Err(_) => self.identifiers.of(name),
        }
    }

    fn list<'n>(&mut self, names: impl IntoIterator<Item = &'n String>) -> String {
        names.into_iter().map(|name| self.of(name)).collect::<Vec<_>>().join(", ")
    }

    fn line(&mut self, indent: usize, line: &str) {
        let _ = writeln!(self.text, "{}{line}", "    ".repeat(indent));
    }

    fn module(&mut self, passes: &Passes, name: &str) {
        let loops: Vec<(usize, usize)> =
            passes.loops.iter().enumerate().filter_map(|(i, kept)| Some((i, (*kept)?))).collect();
        let of_loops = |f: &dyn Fn(&str, usize) -> String| -> String {
            loops.iter().map(|&(i, kept)| f(&steps(&passes.loops, i), kept)).collect()
        };
        self.loops.clone_from(&passes.loops);
        let params = self.list(&passes.params);
        let argument = |name: &String, rust: &mut Self| match passes.lists.contains(name) {
            true => format!("{}: &[Tensor<f64>]", rust.of(name)),
            false => format!("{}: &Tensor<f64>", rust.of(name)),
        };
        let arguments = |names: &[String], rust: &mut Self| {
            names.iter().map(|name| format!(", {}", argument(name, rust))).collect::<String>()
        };
        self.line(0, "use retrograde::tensor::Tensor;\n");
        self.line(0, &format!("pub struct {name} {{"));
        self.line(1, &format!("params: [Tensor<f64>; {}],", passes.params.len()));
        self.line(1, "kept: Vec<Tensor<f64>>,");
        self.text += &of_loops(&|steps, kept| format!("    {steps}: Vec<[Tensor<f64>; {kept}]>,\n"));
        self.line(0, "}\n");
        self.line(0, &format!("impl {name} {{"));
        let parameters: Vec<String> =
            passes.params.iter().map(|name| format!("{}: Tensor<f64>", self.of(name))).collect();
        self.line(1, &format!("pub fn new({}) -> Self {{", parameters.join(", ")));
        let empty = of_loops(&|steps, _| format!(", {steps}: Vec::new()"));
        self.line(2, &format!("{name} {{ params: [{params}], kept: Vec::new(){empty} }}"));
        self.line(1, "}\n");

        let inputs = arguments(&passes.inputs, self);
        let outputs = match passes.outputs.len() {
            1 => "Tensor<f64>".to_owned(),
            several => format!("[Tensor<f64>; {several}]"),
        };
        self.line(1, &format!("pub fn forward(&mut self{inputs}) -> {outputs} {{"));
        self.line(2, &format!("let [{params}] = self.params.clone();"));
        let whole: Vec<&String> = passes.inputs.iter().filter(|name| !passes.lists.contains(*name)).collect();
        for name in whole {
            let name = self.of(name);
            self.line(2, &format!("let {name} = {name}.clone();"));
        }
        self.text += &of_loops(&|steps, _| format!("        self.{steps}.clear();\n"));
        passes.forward.iter().for_each(|x| self.instruction(x, 2));
        let kept: Vec<String> = passes.kept.iter().map(|name| format!("{}.clone()", self.of(name))).collect();
        self.line(2, &format!("self.kept = vec![{}];", kept.join(", ")));
        let outputs = self.list(&passes.outputs);
        self.line(2, &if passes.outputs.len() == 1 { outputs } else { format!("[{outputs}]") });
        self.line(1, "}\n");

        self.open.clear();
        let given = arguments(&passes.given, self);
        let cotangents: Vec<String> =
            passes.params.iter().chain(&passes.tracked).map(|name| format!("d{name}")).collect();
        let returned = self.list(&cotangents);
        self.line(1, &format!("/// Returns [{returned}]."));
        self.line(1, &format!("pub fn backward(&self{given}) -> [Tensor<f64>; {}] {{", cotangents.len()));
        self.line(2, &format!("let [{params}] = self.params.clone();"));
        let kept = self.list(&passes.kept);
        let error = "panic!(\"expected a forward pass before the backward pass\")";
        self.line(
            2,
            &format!(
                "let Ok([{kept}]) = <[_; {}]>::try_from(self.kept.clone()) else {{ {error} }};",
                passes.kept.len()
            ),
        );
        for name in &passes.given {
            let name = self.of(name);
            self.line(2, &format!("let {name} = {name}.clone();"));
        }
        passes.backward.iter().for_each(|x| self.instruction(x, 2));
        for name in passes.tracked.iter().filter(|name| passes.lists.contains(*name)) {
            let d = self.of(&format!("d{name}"));
            self.line(2, &format!("let {d} = Tensor::stack(&{d}.iter().collect::<Vec<_>>(), 0);"));
        }
        self.line(2, &format!("[{returned}]"));
        self.line(1, "}");
        self.line(0, "}");
        if self.text.contains("place(") {
            self.text += "\nfn place(x: &Tensor<f64>, axis: usize, start: usize, size: usize) -> Tensor<f64> {\n    \
                          let mut sizes = x.dims().to_vec();\n    sizes[axis] = size;\n    \
                          let mut y = Tensor::zeros(&sizes[..]);\n    y.add_at(axis, start, x);\n    y\n}\n";
        }
    }

    /// `x = value;` where a loop changes the variable, else `let x = value;`.
    fn set(&mut self, x: &str, value: &str) -> String {
        let name = self.of(x);
        if self.open.contains(x) { format!("{name} = {value};") } else { format!("let {name} = {value};") }
    }

    fn instruction(&mut self, instruction: &Do, indent: usize) {
        let line = match instruction {
            Do::Let(x, formula) => {
                let value = self.formula(formula).owned();
                self.set(x, &value)
            }
            Do::Add(x, formula) => {
                let sum = format!("&{} + {}", self.of(x), self.formula(formula).operand(Level::Product));
                self.set(x, &sum)
            }
            Do::Var(x, init) => {
                let value = match init {
                    Init::Zeros(like) => format!("Tensor::zeros({}.shape())", self.of(like)),
                    Init::Copy(of) => format!("{}.clone()", self.of(of)),
                    Init::Same => self.of(x),
                };
                self.open.insert(x.clone());
                format!("let mut {} = {value};", self.of(x))
            }
            Do::Copy(x, of) => {
                let value = format!("{}.clone()", self.of(of));
                self.set(x, &value)
            }
            Do::Entry(x, of, axis) => {
                let value = format!("{}.select({axis}, step)", self.of(of));
                self.set(x, &value)
            }
            Do::AddEntry(of, axis, formula) => {
                let value = self.formula(formula).receiver();
                format!("{}.add_at({axis}, step, &{value}.unsqueeze({axis}));", self.of(of))
            }
            Do::Item(x, of) => {
                let value = format!("{}[step].clone()", self.of(of));
                self.set(x, &value)
            }
            Do::List(x) => format!("let mut {} = Vec::new();", self.of(x)),
            Do::Put(of, x) => format!("{}.push({}.clone());", self.of(of), self.of(x)),
            Do::Stack(x, axis) => {
                format!("let {0} = Tensor::stack(&{0}.iter().collect::<Vec<_>>(), {axis});", self.of(x))
            }
            Do::Keep(i, names) => {
                let values: Vec<String> =
                    names.iter().map(|name| format!("{}.clone()", self.of(name))).collect();
                format!("self.{}.push([{}]);", steps(&self.loops, *i), values.join(", "))
            }
            Do::Restore(i, names) => {
                let list = self.list(names);
                format!("let [{list}] = self.{}[step].clone();", steps(&self.loops, *i))
            }
            Do::For { count, reversed, body } => {
                let count = match count {
                    Count::Axis(of, axis) => format!("{}.dims()[{axis}]", self.of(of)),
                    Count::Length(of) => format!("{}.len()", self.of(of)),
                    Count::Kept(i) => format!("self.{}.len()", steps(&self.loops, *i)),
                    Count::Fixed(count) => count.to_string(),
                };
                let range = if *reversed { format!("(0..{count}).rev()") } else { format!("0..{count}") };
                self.line(indent, &format!("for step in {range} {{"));
                body.iter().for_each(|x| self.instruction(x, indent + 1));
                self.line(indent, "}");
                // What was pushed from the last step on comes into the order of the steps.
                for x in body.iter().filter(|_| *reversed) {
                    match x {
                        Do::Put(of, _) => {
                            let list = self.of(of);
                            self.line(indent, &format!("{list}.reverse();"));
                        }
                        Do::Keep(i, _) => {
                            let steps = steps(&self.loops, *i);
                            self.line(indent, &format!("self.{steps}.reverse();"));
                        }
                        _ => {}
                    }
                }
                return;
            }
        };
        self.line(indent, &line);
    }
}

/// Ways to use a tensor.
impl Code {
    /// On one side of an operator.
    fn operand(&self, level: Level) -> String {
        if self.level == Level::Name { format!("&{}", self.text) } else { self.within(level) }
    }

    /// Before a method.
    fn receiver(&self) -> String {
        if self.level == Level::Number {
            format!("Tensor::scalar({})", self.text)
        } else {
            self.within(Level::Call)
        }
    }

    /// As an argument.
    fn reference(&self) -> String {
        format!("&{}", self.receiver())
    }

    /// As a value.
    fn owned(&self) -> String {
        match self.level {
            Level::Name => format!("{}.clone()", self.text),
            Level::Number => self.receiver(),
            _ => self.text.clone(),
        }
    }
}

fn sizes(sizes: &[usize]) -> String {
    format!("[{}]", sizes.iter().map(usize::to_string).collect::<Vec<_>>().join(", "))
}

fn array(indices: &Tensor<usize>) -> String {
    let list: Vec<String> = indices.iter().map(|i| i.to_string()).collect();
    format!("&Tensor::from_vec(vec![{}], {}).unwrap()", list.join(", "), sizes(indices.dims()))
}

impl Language for Rust {
    fn name(&mut self, name: &str) -> Code {
        Code::new(self.of(name), Level::Name)
    }

    fn number(&mut self, c: f64) -> Code {
        let text = match c {
            c if c.is_nan() => "f64::NAN".to_owned(),
            f64::INFINITY => "f64::INFINITY".to_owned(),
            f64::NEG_INFINITY => "f64::NEG_INFINITY".to_owned(),
            c => format!("{c:?}_f64"),
        };
        Code::new(text, Level::Number)
    }

    fn apply(&mut self, op: &Op, x: &[Code], operands: &[Expr]) -> Code {
        use Level::{Call, Prefix, Product, Sum};
        let call = |text: String| Code::new(text, Call);
        let shape = operands[0].shape();
        let method = |name: &str, arguments: &str| call(format!("{}.{name}({arguments})", x[0].receiver()));
        let with = |name: &str| method(name, &x[1].reference());
        let infix = |sign: &str, level: Level, right: Level| {
            let numbers = x.iter().all(|x| x.level == Level::Number);
            let left = if numbers { x[0].receiver() } else { x[0].operand(level) };
            Code::new(format!("{left} {sign} {}", x[1].operand(right)), level)
        };
        let mut number = |c: f64| self.number(c).text;
        match op {
            Op::Add if x[1].negated().is_some() => {
                Code::new(format!("{} - {}", x[0].operand(Sum), x[1].negated().unwrap_or_default()), Sum)
            }
            Op::Add => infix("+", Sum, Product),
            Op::Sub => infix("-", Sum, Product),
            Op::Mul => infix("*", Product, Prefix),
            Op::Div => infix("/", Product, Prefix),
            Op::MatMul => with("matmul"),
            Op::Shift(c) if x[0].negated().is_some() => {
                Code::new(format!("{} - {}", number(*c), x[0].negated().unwrap_or_default()), Sum)
            }
            Op::Shift(c) => Code::new(format!("{} + {}", x[0].operand(Sum), number(*c)), Sum),
            Op::Scale(c) => Code::new(format!("{} * {}", number(*c), x[0].operand(Prefix)), Product),
            Op::Unary(Unary::Neg) => Code::new(format!("-{}", x[0].operand(Call)), Prefix),
            Op::Unary(of) => method(of.name(), ""),
            Op::Maximum => with("maximum"),
            Op::Minimum => with("minimum"),
            Op::Compare(comparison) => with(comparison.name()),
            Op::Where => call(format!(
                "Tensor::where_mask({}, {}, {})",
                x[0].reference(),
                x[1].reference(),
                x[2].reference()
            )),
            Op::Masked { when } => {
                let (taken, zero) = (x[1].reference(), "&Tensor::scalar(0.0)".to_owned());
                let (a, b) = if *when { (taken, zero) } else { (zero, taken) };
                call(format!("Tensor::where_mask({}, {a}, {b})", x[0].reference()))
            }
            Op::Softmax { axis } => method("softmax", &axis.to_string()),
            Op::LogSoftmax { axis } => method("log_softmax", &axis.to_string()),
            Op::LogSumExp { axis } => method("logsumexp", &format!("{axis}, true")),
            Op::Max { axes } => method("max_axes", &format!("&{}, true", sizes(axes))),
            Op::SumTo(to) => {
                let (over, lead) = (summed_axes(shape, **to), shape.rank() - to.rank());
                let kept = over.iter().any(|&axis| axis >= lead);
                if kept && lead > 0 {
                    method("sum_to", &sizes(to))
                } else {
                    method("sum_axes", &format!("&{}, {kept}", sizes(&over)))
                }
            }
            Op::BroadcastTo(to) => method("broadcast_to", &sizes(to)),
            Op::Reshape(to) => method("reshape", &sizes(to)),
            Op::Permute(axes) if swaps_last_two(axes) && axes.len() == 2 => method("t", ""),
            Op::Permute(axes) => method("permute", &format!("&{}", sizes(axes))),
            Op::Narrow { axis, start, length } => method("narrow", &format!("{axis}, {start}, {length}")),
            Op::Select { axis, index } => method("select", &format!("{axis}, {index}")),
            Op::Pad { axis, start, size } => {
                call(format!("place({}, {axis}, {start}, {size})", x[0].reference()))
            }
            Op::Concat { axis, .. } | Op::Stack { axis } => {
                let parts: Vec<String> = x.iter().map(Code::reference).collect();
                let name = if matches!(op, Op::Stack { .. }) { "stack" } else { "concat" };
                call(format!("Tensor::{name}(&[{}], {axis})", parts.join(", ")))
            }
            Op::Gather(indices) => method("gather_rows", &array(indices)),
            Op::Scatter { rows, indices } => {
                method("scatter_add_rows", &format!("{rows}, {}", array(indices)))
            }
            _ => method(op.name(), &attributes(op).into_iter().map(number).collect::<Vec<_>>().join(", ")),
        }
    }
}
