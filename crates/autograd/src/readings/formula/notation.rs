//! How formulas are laid out, once for text and for LaTeX: what is written where, and where parentheses are needed.

use retrograde_tensor::Shape;

use super::{Expr, Term};
use crate::op::{Comparison, Op, Unary};
use crate::value::Value;

/// A way to write the pieces of a formula.
pub(super) trait Style {
    fn name(&self, name: &str) -> String;
    fn matmul(&self) -> &'static str;
    fn times(&self) -> &'static str;
    fn divided(&self) -> &'static str;
    fn transposed(&self, x: String) -> String;
    fn squared(&self, x: String) -> String;
    fn grouped(&self, x: String) -> String;
    /// The sum over the axes named by `axes`.
    fn sum(&self, axes: &[&'static str], x: String) -> String;
    fn function(&self, name: &str, x: &[String]) -> String;
    fn indexed(&self, x: String, index: &str) -> String {
        format!("{x}[{index}]")
    }
    fn relation(&self, comparison: Comparison) -> &'static str;
}

/// How tightly a formula holds together, from loosely to tightly.
#[derive(Clone, Copy, PartialEq)]
enum Binding {
    Sum,
    /// `Σ x`, which would take in what follows it in a product.
    BigSum,
    /// A product by one of several signs, which do not mix without parentheses.
    Product(char),
    Prefix,
    /// `x²` and `xᵀ`, which do not follow one another without parentheses.
    Postfix,
    Atom,
}

impl Binding {
    fn level(self) -> u8 {
        match self {
            Binding::Sum => 0,
            Binding::BigSum => 1,
            Binding::Product(_) => 2,
            Binding::Prefix => 3,
            Binding::Postfix => 4,
            Binding::Atom => 5,
        }
    }
}

/// The formula in a style.
pub(super) fn write(x: &Expr, style: &dyn Style) -> String {
    lay_out(x, style).0
}

fn lay_out(x: &Expr, style: &dyn Style) -> (String, Binding) {
    use Binding::{Atom, BigSum, Postfix, Prefix, Product, Sum};
    let (op, x) = match x.term() {
        Term::Name(name) => return (style.name(name), Atom),
        Term::Number(c) => return (c.to_string(), if *c < 0.0 { Prefix } else { Atom }),
        Term::Apply(op, x) => (op, x),
    };
    let within = |i: usize, outer: Binding| within(&x[i], outer, style);
    let product = |sign: char, glue: &str| {
        let right = if sign == '/' { Prefix } else { Product(sign) };
        let left = match negated(&x[0]) {
            Some(x0) => format!("-{}", self::within(x0, Prefix, style)),
            None => within(0, Product(sign)),
        };
        (format!("{left}{glue}{}", within(1, right)), Product(sign))
    };
    let difference = |left: String, right: &Expr| (format!("{left} - {}", subtracted(right, style)), Sum);
    let call = |attributes: &[String]| {
        let operands = x.iter().map(|x| lay_out(x, style).0);
        let arguments: Vec<String> = operands.chain(attributes.iter().cloned()).collect();
        (style.function(op.name(), &arguments), Atom)
    };
    match op {
        Op::Add => match negated(&x[1]) {
            Some(x1) => difference(within(0, Sum), x1),
            None => match within(1, Sum).strip_prefix('-') {
                Some(x1) => (format!("{} - {x1}", within(0, Sum)), Sum),
                None => (format!("{} + {}", within(0, Sum), within(1, Sum)), Sum),
            },
        },
        Op::Sub => difference(within(0, Sum), &x[1]),
        Op::Shift(c) => match negated(&x[0]) {
            Some(x0) => difference(c.to_string(), x0),
            None if *c < 0.0 => (format!("{} - {}", within(0, Sum), -c), Sum),
            None => (format!("{} + {c}", within(0, Sum)), Sum),
        },
        Op::Unary(Unary::Neg) => (format!("-{}", within(0, Prefix)), Prefix),
        Op::Mul => product('*', style.times()),
        Op::Div => product('/', style.divided()),
        Op::MatMul => product('.', style.matmul()),
        Op::Scale(c) => (format!("{c} {}", within(0, Prefix)), Product('*')),
        Op::Masked { when } => {
            // An Iverson bracket: K. Iverson (1962).
            let mask = match x[0].term() {
                Term::Apply(Op::Compare(_), _) => lay_out(&x[0], style).0,
                _ => bracket(&lay_out(&x[0], style).0, style.relation(Comparison::Ne), "0"),
            };
            let mask = if *when { mask } else { style.grouped(format!("1 - {mask}")) };
            (format!("{}{}{mask}", within(1, Product('*')), style.times()), Product('*'))
        }
        Op::Compare(comparison) => {
            let [left, right] = [0, 1].map(|i| lay_out(&x[i], style).0);
            (bracket(&left, style.relation(*comparison), &right), Atom)
        }
        Op::Unary(Unary::Square) => (style.squared(within(0, Atom)), Postfix),
        Op::Permute(axes) if swaps_last_two(axes) => (style.transposed(within(0, Atom)), Postfix),
        Op::SumTo(to) => (style.sum(&summed(x[0].shape(), **to), within(0, Prefix)), BigSum),
        Op::Select { axis, index } => {
            (style.indexed(within(0, Atom), &slots(*axis, &index.to_string())), Atom)
        }
        Op::Narrow { axis, start, length } => {
            (style.indexed(within(0, Atom), &slots(*axis, &range(*start, *length))), Atom)
        }
        Op::Pad { axis, start, .. } => {
            let (part, place) = match x[0].term() {
                // What was selected goes back as an axis of size 1.
                Term::Apply(Op::Reshape(_), row) if x[0].shape()[*axis] == 1 => (&row[0], start.to_string()),
                _ => (&x[0], range(*start, x[0].shape()[*axis])),
            };
            let place = style.indexed(String::new(), &slots(*axis, &place));
            (style.function("place", &[lay_out(part, style).0, place]), Atom)
        }
        Op::Clamp { lo, hi } => call(&[lo.to_string(), hi.to_string()]),
        Op::Maximum
        | Op::Minimum
        | Op::Where
        | Op::Unary(_)
        | Op::Softmax { .. }
        | Op::LogSoftmax { .. }
        | Op::LogSumExp { .. }
        | Op::Max { .. }
        | Op::BroadcastTo(_)
        | Op::Reshape(_)
        | Op::Permute(_)
        | Op::Concat { .. }
        | Op::Stack { .. }
        | Op::Gather(_)
        | Op::Scatter { .. } => call(&[]),
    }
}

/// The formula as part of one that holds together as tightly as `outer`.
fn within(x: &Expr, outer: Binding, style: &dyn Style) -> String {
    let (text, inner) = lay_out(x, style);
    let mixed = matches!((inner, outer), (Binding::Product(a), Binding::Product(b)) if a != b);
    let signs = text.starts_with('-') && outer.level() > Binding::BigSum.level();
    if inner.level() < outer.level() || mixed || signs { style.grouped(text) } else { text }
}

/// The formula where a minus sign is in front of it.
fn subtracted(x: &Expr, style: &dyn Style) -> String {
    let (text, binding) = lay_out(x, style);
    if binding == Binding::Sum || text.starts_with('-') { style.grouped(text) } else { text }
}

fn bracket(left: &str, relation: &str, right: &str) -> String {
    format!("[{left} {relation} {right}]")
}

/// What is negated, if the formula is a negation.
fn negated(x: &Expr) -> Option<&Expr> {
    match x.term() {
        Term::Apply(Op::Unary(Unary::Neg), x) => Some(&x[0]),
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

/// `2:5` for 3 entries from the third on.
fn range(start: usize, length: usize) -> String {
    format!("{start}:{}", start + length)
}
