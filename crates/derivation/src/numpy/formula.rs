//! Formulas in NumPy.

use retrograde_autograd::Value;
use retrograde_autograd::op::{Comparison, Op, Unary};
use retrograde_tensor::{Shape, Tensor};

use super::Python;
use crate::Expr;
use crate::language::{Code, Language, Level};
use crate::notation::{attributes, summed_axes, swaps_last_two};

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

impl Python {
    /// The sizes that a formula is brought to.
    fn sizes(&mut self, x: &Expr, to: Shape, reshaped: bool) -> String {
        let sizes = self.scope.sizes(x, to, reshaped);
        let texts: Vec<String> = sizes
            .iter()
            .map(|size| size.text(|(of, axis)| format!("{}.shape[{axis}]", self.of(of))))
            .collect();
        if texts.len() == 1 { format!("({},)", texts[0]) } else { format!("({})", texts.join(", ")) }
    }
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
            Op::BroadcastTo(to) => {
                call(format!("np.broadcast_to({}, {})", first(), self.sizes(&operands[0], **to, false)))
            }
            Op::Reshape(to) => {
                call(format!("np.reshape({}, {})", first(), self.sizes(&operands[0], **to, true)))
            }
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
