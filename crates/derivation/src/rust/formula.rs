//! Formulas in Rust.

use retrograde_autograd::Value;
use retrograde_autograd::op::{Op, Unary};
use retrograde_tensor::{Shape, Tensor};

use super::Rust;
use crate::Expr;
use crate::language::{Code, Language, Level};
use crate::notation::{attributes, summed_axes, swaps_last_two};

/// Ways to use a tensor.
impl Code {
    /// On one side of an operator.
    pub(super) fn operand(&self, level: Level) -> String {
        if self.level == Level::Name { format!("&{}", self.text) } else { self.within(level) }
    }

    /// Before a method.
    pub(super) fn receiver(&self) -> String {
        if self.level == Level::Number {
            format!("Tensor::scalar({})", self.text)
        } else {
            self.within(Level::Call)
        }
    }

    /// As an argument.
    pub(super) fn reference(&self) -> String {
        format!("&{}", self.receiver())
    }

    /// As a value.
    pub(super) fn owned(&self) -> String {
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

impl Rust {
    /// The sizes that a formula is brought to.
    fn sizes(&mut self, x: &Expr, to: Shape, reshaped: bool) -> String {
        let sizes = self.scope.sizes(x, to, reshaped);
        let texts: Vec<String> = sizes
            .iter()
            .map(|size| size.text(|(of, axis)| format!("{}.dims()[{axis}]", self.of(of))))
            .collect();
        format!("[{}]", texts.join(", "))
    }
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
        let number = |rust: &mut Self, c: f64| rust.number(c).text;
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
                Code::new(format!("{} - {}", number(self, *c), x[0].negated().unwrap_or_default()), Sum)
            }
            Op::Shift(c) => Code::new(format!("{} + {}", x[0].operand(Sum), number(self, *c)), Sum),
            Op::Scale(c) => Code::new(format!("{} * {}", number(self, *c), x[0].operand(Prefix)), Product),
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
            Op::BroadcastTo(to) => method("broadcast_to", &self.sizes(&operands[0], **to, false)),
            Op::Reshape(to) => method("reshape", &self.sizes(&operands[0], **to, true)),
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
            _ => method(
                op.name(),
                &attributes(op).into_iter().map(|c| number(self, c)).collect::<Vec<_>>().join(", "),
            ),
        }
    }
}
