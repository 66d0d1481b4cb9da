//! A derivation as a struct for Rust, on plain tensors.

mod formula;

use std::collections::HashSet;
use std::fmt::Write;

use crate::code::{Count, Do, Init, Passes, steps};
use crate::language::{Identifiers, Language, Level, Scope};
use crate::passes::passes;
use crate::program::Program;
use retrograde_autograd::Result;

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
        scope: Scope::default(),
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
    scope: Scope,
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
        self.scope = passes.forward_scope();
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
        self.scope = passes.backward_scope();
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
