//! The operation whose derivative cancels most: where the digits of a gradient are lost.

use retrograde_autograd::op::Unary;
use retrograde_autograd::{NodeKind, Op, Tape};

/// Digits that are lost in differences of terms that are this many times as large are worth a name.
const LARGE: f64 = 100.0;

/// The difference in the derivative of an operation that cancels most, such as `1 - y² of tanh h_2`.
pub(crate) fn cancellation(tape: &Tape<f64>) -> String {
    let mut worst = (LARGE, "the sum of its terms".to_owned());
    for node in tape.nodes().into_iter().filter(|node| node.tracked) {
        let (NodeKind::Op(op), Some(y)) = (&node.kind, &node.value) else { continue };
        // The size of the terms, relative to their difference.
        let (difference, of): (_, fn(f64) -> f64) = match op {
            Op::Unary(Unary::Tanh) => ("1 - y²", |y| y * y / (1.0 - y * y)),
            Op::Unary(Unary::Sigmoid) => ("1 - y", |y| y / (1.0 - y)),
            Op::Softmax { .. } => ("g - Σ g y", |y| y / (1.0 - y)),
            Op::LogSoftmax { .. } => ("g - exp(y) Σ g", |y| y.exp() / (1.0 - y.exp())),
            _ => continue,
        };
        let factor = y.iter().map(of).fold(0.0, f64::max);
        if factor > worst.0 {
            worst = (factor, format!("{difference} of {} {}", op.name(), node.label()));
        }
    }
    worst.1
}
