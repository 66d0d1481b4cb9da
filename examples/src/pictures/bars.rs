//! Numbers as bars.

use rand::SeedableRng;
use retrograde::prelude::*;

use super::drawing::{Anchor, Drawing};
use crate::Result;

fn norm(x: &Tensor<f64>) -> f64 {
    x.square().sum().at(&[]).sqrt()
}

/// The terms of page 6, from its own program: one bar for each step, and the norm of their sum.
pub(super) fn ledger() -> Result<String> {
    let (n, steps, d, h) = (4, 16, 3, 8);
    let mut rng = StdRng::seed_from_u64(1);
    let wh = Param::new("Wh", Tensor::<f64>::normal([h, h], 0.0, 0.35, &mut rng)?);
    let wx = Param::new("Wx", Tensor::normal([d, h], 0.0, 0.6, &mut rng)?);
    let tape = Tape::new();
    let mut state = tape.constant(Tensor::normal([n, h], 0.0, 0.5, &mut rng)?);
    for _ in 0..steps {
        let x = tape.constant(Tensor::normal([n, d], 0.0, 1.0, &mut rng)?);
        state = (state.matmul(&wh) + x.matmul(&wx)).tanh();
    }
    let dh = Tensor::normal([n, h], 0.0, 1.0, &mut rng)?;
    let node = tape.param(&wh).id();
    let mut terms = Vec::new();
    let gradients = tape.backward_observed(&[(&state, &dh)], |visit| {
        if Some(visit.node) == node {
            terms = visit.terms.iter().rev().map(|term| norm(&term.value)).collect();
        }
    })?;
    let whole = gradients.get(&wh).map_or(0.0, norm);

    let mut drawing = Drawing::new(
        740,
        340,
        "The gradient of Wh, itemised by step",
        "Sixteen bars, the norm of each step's term of the gradient of Wh. They grow towards the last step, where the \
         cotangent enters. A line shows the norm of their sum.",
    );
    let (left, bottom, width) = (60.0, 270.0, 40.0);
    let scale = 210.0 / terms.iter().copied().fold(whole, f64::max);
    for (t, &term) in terms.iter().enumerate() {
        let (x, height) = (left + width * t as f64, term * scale);
        drawing.rect((x, bottom - height), (28.0, height), "mark");
        drawing.text((x + 14.0, bottom + 20.0), Anchor::Middle, "dim", &t.to_string());
    }
    drawing.line(&[(left, bottom), (left + width * 16.0, bottom)], "line");
    let level = bottom - whole * scale;
    drawing.line(&[(left, level), (left + width * 16.0, level)], "b");
    drawing.text((left, level - 8.0), Anchor::Start, "b", &format!("norm of the sum, dWh: {whole:.2}"));
    drawing.text((380.0, 322.0), Anchor::Middle, "", "step t; height: norm of its term h_{t-1}ᵀ·dt_t");
    Ok(drawing.finish())
}

/// Scores, probabilities and their difference to the target, for page 9.
pub(super) fn softmax() -> Result<String> {
    let tape = Tape::new();
    let z = tape.var(Tensor::from([[1.2_f64, -0.4, 2.0, 0.3, -1.1]]));
    let gradients = cross_entropy(&z, &Tensor::from([0usize]))?.backward()?;
    let dz = gradients.get(&z).map_or(Vec::new(), Tensor::to_vec);
    let p = z.value().softmax(1).to_vec();

    let mut drawing = Drawing::new(
        740,
        300,
        "Scores, probabilities, and the derivative of the loss",
        "Five classes, of which the first is the right one. The derivative of each score is its probability, less 1 for \
         the right class: one bar points down, four point up, and they add up to 0.",
    );
    let groups = [
        ("scores z", z.value().to_vec(), 45.0, 1),
        ("p = softmax(z)", p, 100.0, 2),
        ("dz = p - onehot(0)", dz, 100.0, 2),
    ];
    for (i, (title, values, scale, digits)) in groups.into_iter().enumerate() {
        let (left, base) = (40.0 + 235.0 * i as f64, 160.0);
        drawing.text((left + 95.0, 30.0), Anchor::Middle, "big", title);
        for (k, value) in values.into_iter().enumerate() {
            let (x, height) = (left + 38.0 * k as f64, value * scale);
            drawing.rect(
                (x, base - height.max(0.0)),
                (28.0, height.abs()),
                if k == 0 { "rest" } else { "mark" },
            );
            let y = if value < 0.0 { base - height + 16.0 } else { base - height - 6.0 };
            drawing.text((x + 14.0, y), Anchor::Middle, "dim", &format!("{value:.digits$}"));
        }
        drawing.line(&[(left - 6.0, base), (left + 188.0, base)], "line");
    }
    drawing.text(
        (370.0, 284.0),
        Anchor::Middle,
        "b",
        "class 0, the first bar of each group, is the one that came",
    );
    Ok(drawing.finish())
}
