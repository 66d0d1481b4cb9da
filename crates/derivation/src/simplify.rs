//! The algebra that textbooks do in passing.

use crate::{Expr, Term};
use retrograde_autograd::Value;
use retrograde_autograd::op::{Op, Unary};

/// A formula that is equal to an operation on formulas and shorter, if one is known.
pub(crate) fn simplified(op: &Op, x: &[&Expr]) -> Option<Expr> {
    match (op, x) {
        (Op::Unary(Unary::Neg), [x]) => number(x).map(|c| Expr::number(-c)),
        // exp(ln softmax(z)) = softmax(z)
        (Op::Unary(Unary::Exp), [y]) => match y.term() {
            Term::Apply(Op::LogSoftmax { axis }, z) => Some(z[0].softmax(*axis)),
            _ => None,
        },
        // Arithmetic broadcasts by itself.
        (Op::Mul | Op::Add | Op::Sub | Op::Div, [a, b]) => {
            if let Some(a) = stretched(a, b) {
                Some(Expr::apply(op.clone(), &[a, b]))
            } else if let Some(b) = stretched(b, a) {
                Some(Expr::apply(op.clone(), &[a, b]))
            } else {
                (*op == Op::Mul).then(|| product(a, b)).flatten()
            }
        }
        _ => None,
    }
}

fn number(x: &Expr) -> Option<f64> {
    if let Term::Number(c) = x.term() { Some(*c) } else { None }
}

/// The operand of a broadcast to the shape of another operand.
fn stretched<'a>(x: &'a Expr, other: &Expr) -> Option<&'a Expr> {
    match x.term() {
        Term::Apply(Op::BroadcastTo(to), x) if **to == other.shape() && !is_stretched(other) => Some(&x[0]),
        _ => None,
    }
}

fn is_stretched(x: &Expr) -> bool {
    matches!(x.term(), Term::Apply(Op::BroadcastTo(_), _))
}

/// `1 ⊙ x = x`, and `(±1 / n) ⊙ x = ±x / n` for a number n.
fn product(a: &Expr, b: &Expr) -> Option<Expr> {
    for (factor, x) in [(a, b), (b, a)] {
        if number(factor) == Some(1.0) {
            return Some(x.clone());
        }
        if let Term::Apply(Op::Div, of) = factor.term()
            && of[1].shape().rank() == 0
            && let Some(sign) = number(&of[0]).filter(|sign| sign.abs() == 1.0)
        {
            let quotient = x.div(&of[1]);
            return Some(if sign < 0.0 { quotient.neg() } else { quotient });
        }
    }
    None
}

/// `(softmax(z) - onehot) / n`, for the cotangent of `y = log_softmax(z)` that the mean of `-y[target]` sends back:
/// `c ⊙ onehot` with `c = -1 / n`.
pub(crate) fn cross_entropy(g: &Expr, y: &Expr, axis: usize) -> Option<Expr> {
    let (spread, shape) = match g.term() {
        Term::Apply(Op::Reshape(_), x) => (&x[0], g.shape()),
        _ => return None,
    };
    let Term::Apply(Op::Scatter { rows, indices }, x) = spread.term() else { return None };
    let (Term::Apply(Op::BroadcastTo(to), c), [.., classes]) = (x[0].term(), &shape[..]) else { return None };
    let mut targets = indices.to_vec();
    let one_of_each = targets.iter().enumerate().all(|(row, place)| place / classes == row);
    targets.dedup();
    if c[0].shape().rank() > 0 || axis + 1 != shape.rank() || !one_of_each || targets.len() * classes != *rows
    {
        return None;
    }
    let ones = Expr::apply(Op::BroadcastTo(to.clone()), &[&Expr::number(1.0)]);
    let onehot = ones.scatter(*rows, indices).reshape(shape);
    let p = Expr::apply(Op::Unary(Unary::Exp), &[y]);
    Some(match c[0].term() {
        Term::Apply(Op::Div, of) if number(&of[0]) == Some(-1.0) => p.sub(&onehot).div(&of[1]),
        _ => onehot.sub(&p).mul(&c[0]),
    })
}

/// `hstack(a, b)`, for `place(a, ..) + place(b, ..)` that fill an axis side by side.
pub(crate) fn tiled(sum: &Expr) -> Option<Expr> {
    let (mut parts, mut along) = (Vec::new(), None);
    let mut rest = Some(sum);
    while let Some(x) = rest {
        let part = match x.term() {
            Term::Apply(Op::Add, x) => {
                rest = Some(&x[0]);
                &x[1]
            }
            _ => {
                rest = None;
                x
            }
        };
        let Term::Apply(Op::Pad { axis, start, .. }, x) = part.term() else { return None };
        // What was selected goes back as an axis of size 1, and is written as an entry.
        let entry = matches!(x[0].term(), Term::Apply(Op::Reshape(_), _));
        if entry || along.is_some_and(|along| along != *axis) {
            return None;
        }
        along = Some(*axis);
        parts.push((*start, &x[0]));
    }
    let axis = along.filter(|_| parts.len() > 1)?;
    parts.sort_by_key(|&(start, _)| start);
    let mut end = 0;
    for (start, part) in &parts {
        if *start != end {
            return None;
        }
        end += part.shape()[axis];
    }
    let starts = parts.iter().map(|&(start, _)| start).collect();
    let parts: Vec<&Expr> = parts.into_iter().map(|(_, part)| part).collect();
    (end == sum.shape()[axis]).then(|| Expr::apply(Op::Concat { axis, starts }, &parts))
}

/// Whether a formula is a mask with a single 1 for each position.
pub(crate) fn is_onehot(x: &Expr) -> bool {
    let Term::Apply(Op::Reshape(_), x) = x.term() else { return false };
    let Term::Apply(Op::Scatter { .. }, x) = x[0].term() else { return false };
    matches!(x[0].term(), Term::Apply(Op::BroadcastTo(_), x) if number(&x[0]) == Some(1.0))
}
