//! How formulas are laid out, once for text and for LaTeX: what is written where, and where parentheses are needed.

use retrograde_tensor::Shape;

use super::{Expr, Term};
use crate::op::{Comparison, Op};
use crate::value::Value;

/// A way to write the pieces of a formula.
pub(super) trait Style {
    fn name(&self, name: &str) -> String;
    fn number(&self, c: f64) -> String {
        c.to_string()
    }
    fn matmul(&self) -> &'static str;
    fn times(&self) -> &'static str;
    fn divided(&self) -> &'static str;
    fn transposed(&self, x: String) -> String;
    fn squared(&self, x: String) -> String;
    fn grouped(&self, x: String) -> String;
    /// The sum over the axes named by `axes`.
    fn sum(&self, axes: &[&'static str], x: String) -> String;
    fn function(&self, name: &str, x: &[String]) -> String;
    fn indexed(&self, x: String, index: &str) -> String;
}

/// How tightly a formula holds together.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
enum Binding {
    Sum,
    /// A product by one of several signs, which do not mix without parentheses.
    Product(char),
    Prefix,
    Atom,
}

impl Binding {
    fn level(self) -> u8 {
        match self {
            Binding::Sum => 0,
            Binding::Product(_) => 1,
            Binding::Prefix => 2,
            Binding::Atom => 3,
        }
    }
}

/// The formula in a style.
pub(super) fn write(x: &Expr, style: &dyn Style) -> String {
    lay_out(x, style).0
}

fn lay_out(x: &Expr, style: &dyn Style) -> (String, Binding) {
    use Binding::{Atom, Prefix, Product, Sum};
    let (op, x) = match x.term() {
        Term::Name(name) => return (style.name(name), Atom),
        Term::Apply(op, x) => (op, x),
    };
    let within = |i: usize, outer: Binding| {
        let (text, inner) = lay_out(&x[i], style);
        let loose =
            inner.level() < outer.level() || matches!((inner, outer), (Product(a), Product(b)) if a != b);
        if loose { style.grouped(text) } else { text }
    };
    let product = |sign: char, glue: &str| {
        let right = if sign == '/' { Prefix } else { Product(sign) };
        (format!("{}{glue}{}", within(0, Product(sign)), within(1, right)), Product(sign))
    };
    let call = |name: &str| {
        let arguments: Vec<String> = x.iter().map(|x| lay_out(x, style).0).collect();
        (style.function(name, &arguments), Atom)
    };
    match op {
        Op::Add => match negated(&x[1]) {
            Some(x1) => (format!("{} - {}", within(0, Sum), tightly(x1, style)), Sum),
            None => (format!("{} + {}", within(0, Sum), within(1, Sum)), Sum),
        },
        Op::Sub => (format!("{} - {}", within(0, Sum), tightly(&x[1], style)), Sum),
        Op::Shift(c) => match negated(&x[0]) {
            Some(x0) => (format!("{} - {}", style.number(*c), tightly(x0, style)), Sum),
            None if *c < 0.0 => (format!("{} - {}", within(0, Sum), style.number(-c)), Sum),
            None => (format!("{} + {}", within(0, Sum), style.number(*c)), Sum),
        },
        Op::Neg => (format!("-{}", within(0, Prefix)), Prefix),
        Op::Mul => product('*', style.times()),
        Op::Div => product('/', style.divided()),
        Op::MatMul => product('.', style.matmul()),
        Op::Scale(c) => (format!("{} {}", style.number(*c), within(0, Prefix)), Product('*')),
        Op::Square => (style.squared(within(0, Atom)), Atom),
        Op::Permute(axes) if swaps_last_two(axes) => (style.transposed(within(0, Atom)), Atom),
        Op::SumTo(to) => (style.sum(&summed(x[0].shape(), *to), within(0, Prefix)), Prefix),
        Op::Select { axis, index } => {
            (style.indexed(within(0, Atom), &slots(*axis, &index.to_string())), Atom)
        }
        Op::Narrow { axis, start, length } => {
            (style.indexed(within(0, Atom), &slots(*axis, &format!("{start}:{}", start + length))), Atom)
        }
        Op::Pad { axis, start, .. } => {
            let part = match x[0].term() {
                Term::Apply(Op::Reshape(_), row) => &row[0],
                _ => &x[0],
            };
            let place = style.indexed(String::new(), &slots(*axis, &start.to_string()));
            (style.function("place", &[lay_out(part, style).0, place]), Atom)
        }
        Op::Compare(comparison) => {
            let sign = match comparison {
                Comparison::Gt => ">",
                Comparison::Ge => "≥",
                Comparison::Lt => "<",
                Comparison::Le => "≤",
                Comparison::Eq => "=",
                Comparison::Ne => "≠",
            };
            (format!("[{} {sign} {}]", lay_out(&x[0], style).0, lay_out(&x[1], style).0), Atom)
        }
        op => call(op.name()),
    }
}

/// The formula where a minus sign is in front of it.
fn tightly(x: &Expr, style: &dyn Style) -> String {
    let (text, binding) = lay_out(x, style);
    if binding == Binding::Sum { style.grouped(text) } else { text }
}

/// What is negated, if the formula is a negation.
fn negated(x: &Expr) -> Option<&Expr> {
    match x.term() {
        Term::Apply(Op::Neg, x) => Some(&x[0]),
        _ => None,
    }
}

fn swaps_last_two(axes: &[usize]) -> bool {
    let rank = axes.len();
    rank >= 2 && axes[..rank - 2].iter().copied().eq(0..rank - 2) && axes[rank - 2..] == [rank - 1, rank - 2]
}

/// The axes that a sum runs over, by the letters of a batch of sequences `[n, t, ..]`.
fn summed(from: Shape, to: Shape) -> Vec<&'static str> {
    const LETTERS: [[&str; 6]; 2] = [["n", "i", "j", "k", "l", "m"], ["n", "t", "i", "j", "k", "l"]];
    let letters = &LETTERS[usize::from(from.rank() > 2)];
    let lead = from.rank() - to.rank();
    (0..from.rank()).filter(|&i| i < lead || from[i] != to[i - lead]).map(|i| letters[i]).collect()
}

/// `:, 3` for entry 3 of axis 1.
fn slots(axis: usize, entry: &str) -> String {
    format!("{}{entry}", ":, ".repeat(axis))
}
