//! The derived backward pass beside the one by hand.

use retrograde::prelude::*;

use super::drawing::{Anchor, Drawing};
use crate::Result;

/// The textbook's loop, in the order of the sweep.
///
/// # Source
/// K. Saitoh, *Deep Learning from Scratch 2* (2018), section 5.3.2.
const BY_HAND: [&str; 12] = [
    "h_{-1} = h_prev",
    "dh = 0",
    "for t = T-1 .. 0:",
    "    x_t = xs[:, t]",
    "    dh_t = dhs[:, t] + dh",
    "    dt = dh_t ⊙ (1 - h_t²)",
    "    db += Σₙ dt",
    "    dWx += x_tᵀ·dt",
    "    dWh += h_{t-1}ᵀ·dt",
    "    dh = dt·Whᵀ",
    "    dxs[:, t] = dt·Wxᵀ",
    "dh_prev = dh",
];

/// Three lines of forward code, and the loop that is derived from the tape beside the textbook's.
pub(super) fn beside() -> Result<String> {
    let mut rng = StdRng::seed_from_u64(1);
    let cell = RnnCell::<f64>::new(3, 4, &mut rng);
    let tape = Tape::new();
    let xs = tape.var(Tensor::zeros([2, 5, 3])).named("xs");
    let mut h = tape.var(Tensor::zeros([2, 4])).named("h_prev");
    let mut hs = Vec::new();
    for step in 0..5 {
        tape.set_step(Some(step));
        let x = xs.select(1, step).named("x");
        let t = (h.matmul(&cell.wh) + x.matmul(&cell.wx) + &cell.b).named("t");
        h = t.tanh().named("h");
        hs.push(h.clone());
    }
    tape.set_step(None);
    let derived = Var::stack(&hs, 1).named("hs").derivation()?.to_string();

    let mut drawing = Drawing::new(
        740,
        430,
        "The derived and the hand-derived backward pass",
        "Above, two lines of forward code of a recurrent network. Below, on the left, the loop that is derived from its tape; \
         on the right, the textbook's. All twelve lines are equal.",
    );
    drawing.text((30.0, 34.0), Anchor::Start, "big", "You write:");
    drawing.text((150.0, 34.0), Anchor::Start, "f", "t = h.matmul(&wh) + x.matmul(&wx) + &b;");
    drawing.text((150.0, 58.0), Anchor::Start, "f", "h = t.tanh();      for each step of a sequence");
    drawing.text((30.0, 100.0), Anchor::Start, "big", "The tape derives:");
    drawing.text((400.0, 100.0), Anchor::Start, "big", "The textbook derives by hand:");
    drawing.line(&[(30.0, 112.0), (710.0, 112.0)], "line");
    for (i, (derived, by_hand)) in derived.lines().zip(BY_HAND).enumerate() {
        let y = 138.0 + 24.0 * i as f64;
        for (left, line) in [(30.0, derived), (400.0, by_hand)] {
            let indent = if line.starts_with(' ') { 28.0 } else { 0.0 };
            drawing.text((left + indent, y), Anchor::Start, "b", line.trim_start());
        }
        let sign = if derived == by_hand { "=" } else { "≠" };
        drawing.text((350.0, y), Anchor::Middle, "big", sign);
    }
    Ok(drawing.finish())
}
