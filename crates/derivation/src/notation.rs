//! The layout of formulas, once for text and for LaTeX: the order of the pieces, and the parentheses.

use std::borrow::Cow;

use retrograde_tensor::Shape;

use crate::simplify::is_onehot;
use crate::{Expr, Term};
use retrograde_autograd::Value;
use retrograde_autograd::op::{Comparison, Op, Unary};

/// A way to write the pieces of a formula. Two pieces stand before and after an operand.
pub(crate) trait Style {
    fn name(&self, name: &str) -> String;
    fn matmul(&self) -> &'static str;
    fn times(&self) -> &'static str;
    fn divided(&self) -> &'static str;
    fn transposed(&self) -> [&'static str; 2];
    fn squared(&self) -> [&'static str; 2];
    fn grouped(&self) -> [&'static str; 2];
    /// The piece before a sum over the axes named by `axes`.
    fn sum(&self, axes: &[&'static str]) -> String;
    fn function(&self, name: &str) -> [String; 2];
    fn relation(&self, comparison: Comparison) -> &'static str;
}

/// The precedence of a formula, from loose to tight.
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

/// A piece of what is left to write.
enum Piece<'a> {
    Text(Cow<'a, str>),
    Formula(&'a Expr),
    /// Leaves out the minus sign that the next formula begins with.
    WithoutMinus,
}

impl<'a> From<&'a str> for Piece<'a> {
    fn from(text: &'a str) -> Self {
        Piece::Text(text.into())
    }
}

impl From<String> for Piece<'_> {
    fn from(text: String) -> Self {
        Piece::Text(text.into())
    }
}

/// Formulas of at most this many terms are written in full, whatever parts they repeat.
const TERMS: usize = 1 << 20;

/// The formula in a style, from left to right.
pub(crate) fn write(x: &Expr, style: &dyn Style) -> String {
    let mut text = String::new();
    let mut without_minus = false;
    let mut terms = match x.size() as usize {
        few if few <= TERMS => few,
        // Repeated parts can make the text far longer than the tape: it is cut off, but not for its own length.
        _ => TERMS.max(8 * x.in_order().len()),
    };
    let mut pending = vec![Piece::Formula(x)];
    while let Some(piece) = pending.pop() {
        match piece {
            Piece::WithoutMinus => without_minus = true,
            Piece::Formula(_) if terms == 0 => text.push('…'),
            Piece::Formula(x) => {
                terms -= 1;
                pending.extend(pieces(x, style).into_iter().rev());
            }
            Piece::Text(piece) => match piece.strip_prefix('-').filter(|_| without_minus) {
                Some(rest) => {
                    without_minus = false;
                    text.push_str(rest);
                }
                None => text.push_str(&piece),
            },
        }
    }
    text
}

/// Whether a formula begins with a minus sign when it is written.
pub(crate) fn starts_with_minus(term: &Term) -> bool {
    match term {
        Term::Name(name) => name.starts_with('-'),
        Term::Number(c) => is_negative(*c),
        Term::Apply(op, x) => match op {
            Op::Shift(c) if negated(&x[0]).is_some() => is_negative(*c),
            Op::Add | Op::Sub | Op::Shift(_) => x[0].minus(),
            Op::Unary(Unary::Neg) => true,
            Op::Mul | Op::Div | Op::MatMul => negated(&x[0]).is_some(),
            Op::Scale(c) => is_negative(*c),
            Op::Masked { .. } => masks_its_sign(op, x) && x[1].minus(),
            _ => false,
        },
    }
}

/// Whether a number is written with a minus sign.
fn is_negative(c: f64) -> bool {
    c.is_sign_negative() && !c.is_nan()
}

/// The precedence of a formula.
fn binding(x: &Expr) -> Binding {
    match x.term() {
        _ if is_onehot(x) => Binding::Atom,
        Term::Name(_) => Binding::Atom,
        Term::Number(c) => {
            if *c < 0.0 {
                Binding::Prefix
            } else {
                Binding::Atom
            }
        }
        Term::Apply(op, _) => match op {
            Op::Add | Op::Sub | Op::Shift(_) => Binding::Sum,
            Op::Unary(Unary::Neg) => Binding::Prefix,
            Op::Mul | Op::Scale(_) | Op::Masked { .. } => Binding::Product('*'),
            Op::Div => Binding::Product('/'),
            Op::MatMul => Binding::Product('.'),
            Op::Unary(Unary::Square) => Binding::Postfix,
            Op::Permute(axes) if swaps_last_two(axes) => Binding::Postfix,
            Op::SumTo(_) => Binding::BigSum,
            _ => Binding::Atom,
        },
    }
}

/// A formula as text and the formulas that it is made of.
fn pieces<'a>(x: &'a Expr, style: &dyn Style) -> Vec<Piece<'a>> {
    use Binding::{Atom, Prefix, Product, Sum};
    let (op, x) = match x.term() {
        _ if is_onehot(x) => return vec![style.name("onehot").into()],
        Term::Name(name) => return vec![style.name(name).into()],
        Term::Number(c) => return vec![c.to_string().into()],
        Term::Apply(op, x) => (op, x),
    };
    let join = |parts: [Vec<Piece<'a>>; 3]| parts.into_iter().flatten().collect();
    let text = |text: &str| vec![Piece::from(text.to_owned())];
    let around = |[before, after]: [&str; 2], x| join([text(before), x, text(after)]);
    let within = |i: usize, outer: Binding| within(&x[i], outer, style);
    let product = |sign: char, glue: &str| {
        let left = match negated(&x[0]) {
            Some(x0) => join([text("-"), self::within(x0, Prefix, style), Vec::new()]),
            None => within(0, Product(sign)),
        };
        let right = if sign == '/' { Prefix } else { Product(sign) };
        join([left, text(glue), within(1, right)])
    };
    let difference = |left, right: &'a Expr| {
        let grouped = binding(right) == Sum || right.minus();
        join([left, text(" - "), if grouped { group(right, style) } else { vec![Piece::Formula(right)] }])
    };
    let bracket = |left: &'a Expr, relation, right| {
        let middle = format!(" {} ", style.relation(relation));
        join([vec!["[".into(), Piece::Formula(left)], text(&middle), vec![right, "]".into()]])
    };
    let call = |name: &str, attributes: &[f64]| {
        let mut arguments = Vec::new();
        let attributes = attributes.iter().map(|c| Piece::from(c.to_string()));
        for argument in x.iter().map(Piece::Formula).chain(attributes) {
            if !arguments.is_empty() {
                arguments.push(", ".into());
            }
            arguments.push(argument);
        }
        let [before, after] = style.function(name);
        around([&before, &after], arguments)
    };
    let indexed = |x, place: &str| join([x, text(&format!("[{place}]")), Vec::new()]);
    match op {
        Op::Add => match negated(&x[1]) {
            Some(x1) => difference(within(0, Sum), x1),
            None if x[1].minus() => {
                join([within(0, Sum), text(" - "), vec![Piece::WithoutMinus, Piece::Formula(&x[1])]])
            }
            None => join([within(0, Sum), text(" + "), within(1, Sum)]),
        },
        Op::Sub => difference(within(0, Sum), &x[1]),
        Op::Shift(c) => match negated(&x[0]) {
            Some(x0) => difference(text(&c.to_string()), x0),
            None if *c < 0.0 => join([within(0, Sum), text(" - "), text(&(-c).to_string())]),
            None => join([within(0, Sum), text(" + "), text(&c.to_string())]),
        },
        Op::Unary(Unary::Neg) => join([text("-"), within(0, Prefix), Vec::new()]),
        Op::Mul => product('*', style.times()),
        Op::Div => product('/', style.divided()),
        Op::MatMul => product('.', style.matmul()),
        Op::Scale(c) => join([text(&format!("{c} ")), within(0, Prefix), Vec::new()]),
        Op::Masked { .. } if masks_its_sign(op, x) => vec![Piece::Formula(&x[1])],
        Op::Masked { when } => {
            // An Iverson bracket: K. Iverson (1962).
            let mask = match x[0].term() {
                Term::Apply(Op::Compare(_), _) => vec![Piece::Formula(&x[0])],
                _ => bracket(&x[0], Comparison::Ne, "0".into()),
            };
            let [open, close] = style.grouped();
            let mask = if *when { mask } else { around([&format!("{open}1 - "), close], mask) };
            join([within(1, Product('*')), text(style.times()), mask])
        }
        Op::Compare(comparison) => bracket(&x[0], *comparison, Piece::Formula(&x[1])),
        Op::Unary(Unary::Square) => around(style.squared(), within(0, Atom)),
        Op::Permute(axes) if swaps_last_two(axes) => around(style.transposed(), within(0, Atom)),
        Op::SumTo(to) => join([text(&style.sum(&summed(x[0].shape(), **to))), within(0, Prefix), Vec::new()]),
        Op::Select { axis, index } => indexed(within(0, Atom), &slots(*axis, &index.to_string())),
        Op::Narrow { axis, start, length } => {
            indexed(within(0, Atom), &slots(*axis, &range(*start, *length)))
        }
        Op::Pad { axis, start, .. } => {
            let (part, place) = match x[0].term() {
                // What was selected goes back as an axis of size 1.
                Term::Apply(Op::Reshape(_), row) if x[0].shape()[*axis] == 1 => (&row[0], start.to_string()),
                _ => (&x[0], range(*start, x[0].shape()[*axis])),
            };
            let place = format!(", [{}]", slots(*axis, &place));
            let [before, after] = style.function("place");
            around([&before, &after], vec![Piece::Formula(part), place.into()])
        }
        Op::Concat { axis: 1, .. } => call("hstack", &[]),
        _ => call(op.name(), &attributes(op)),
    }
}

/// The numbers that an operation is called with, as a function of its operands and of these.
pub(crate) fn attributes(op: &Op) -> Vec<f64> {
    match op {
        Op::Clamp { lo, hi } => vec![*lo, *hi],
        _ => Vec::new(),
    }
}

/// The formula as part of one that holds together as tightly as `outer`.
fn within<'a>(x: &'a Expr, outer: Binding, style: &dyn Style) -> Vec<Piece<'a>> {
    let inner = binding(x);
    let mixed = matches!((inner, outer), (Binding::Product(a), Binding::Product(b)) if a != b);
    let signs = x.minus() && outer.level() > Binding::BigSum.level();
    if inner.level() < outer.level() || mixed || signs { group(x, style) } else { vec![Piece::Formula(x)] }
}

/// The formula in parentheses.
fn group<'a>(x: &'a Expr, style: &dyn Style) -> Vec<Piece<'a>> {
    let [open, close] = style.grouped();
    vec![open.into(), Piece::Formula(x), close.into()]
}

/// Whether what is masked has the sign of the mask as a factor, so that it need not be written: `(g ⊙ sign(x)) ⊙ [x ≠ 0]`
/// is `g ⊙ sign(x)`.
fn masks_its_sign(op: &Op, x: &[Expr]) -> bool {
    let Term::Apply(Op::Mul, factors) = x[1].term() else { return false };
    let sign = matches!(factors[1].term(), Term::Apply(Op::Unary(Unary::Sign), of) if of[0] == x[0]);
    sign && *op == Op::Masked { when: true }
}

/// The negated formula, if this one is a negation.
fn negated(x: &Expr) -> Option<&Expr> {
    match x.term() {
        Term::Apply(Op::Unary(Unary::Neg), x) => Some(&x[0]),
        _ => None,
    }
}

pub(crate) fn swaps_last_two(axes: &[usize]) -> bool {
    let rank = axes.len();
    rank >= 2 && axes[..rank - 2].iter().copied().eq(0..rank - 2) && axes[rank - 2..] == [rank - 1, rank - 2]
}

/// The axes that a sum runs over, by the letters of a batch of sequences `[n, t, ..]`.
fn summed(from: Shape, to: Shape) -> Vec<&'static str> {
    const LETTERS: [[&str; 6]; 2] = [["n", "i", "j", "k", "l", "m"], ["n", "t", "i", "j", "k", "l"]];
    let letters = &LETTERS[usize::from(from.rank() > 2)];
    summed_axes(from, to).into_iter().map(|axis| letters[axis]).collect()
}

/// The axes that a sum runs over.
pub(crate) fn summed_axes(from: Shape, to: Shape) -> Vec<usize> {
    let lead = from.rank() - to.rank();
    (0..from.rank()).filter(|&i| i < lead || from[i] != to[i - lead]).collect()
}

/// `:, 3` for entry 3 of axis 1.
fn slots(axis: usize, entry: &str) -> String {
    format!("{}{entry}", ":, ".repeat(axis))
}

/// `2:5` for 3 entries from the third on.
fn range(start: usize, length: usize) -> String {
    format!("{start}:{}", start + length)
}
