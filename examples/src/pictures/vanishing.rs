//! Cotangents on their way back.

use rand::SeedableRng;
use retrograde::prelude::*;

use super::drawing::{Anchor, Drawing};
use crate::Result;

const STEPS: usize = 30;

/// The share of a cotangent that is left after each number of steps backwards, for `Wh` of this gain (an orthogonal
/// matrix times it) and inputs of this size.
fn left(gain: f64, input: f64) -> Result<Vec<f64>> {
    let (n, h) = (1, 8);
    let mut rng = StdRng::seed_from_u64(4);
    let xs = Tensor::<f64>::normal([STEPS, n, h], 0.0, 1.0, &mut rng)?;
    let dh = Tensor::normal([n, h], 0.0, 1.0, &mut rng)?;
    let wh = Tensor::eye(h) * gain;
    let tape = Tape::new();
    let mut states = vec![tape.var(Tensor::zeros([n, h]))];
    for t in 0..STEPS {
        let t = states[t].matmul(&wh) + xs.select(0, t) * input;
        states.push(t.tanh().retain_grad());
    }
    let gradients = states[STEPS].backward_with(&dh)?;
    let norm = |x: &Tensor<f64>| x.square().sum().at(&[]).sqrt();
    Ok(states.iter().rev().map(|state| gradients.get(state).map_or(0.0, norm) / norm(&dh)).collect())
}

/// The figure of page 7, on a logarithmic axis.
pub(super) fn norms() -> Result<String> {
    let mut drawing = Drawing::new(
        740,
        420,
        "Cotangents vanish or explode on their way back",
        "The norm of a cotangent over 30 steps backwards, on a logarithmic axis. Dashed, for inputs of 0: straight lines \
         that fall for gain 0.8, stay for 1.0 and rise for 1.2. Solid, for inputs of size 1: all three fall.",
    );
    let x = |steps: usize| 80.0 + 18.0 * steps as f64;
    let y = |share: f64| 110.0 - 20.0 * share.max(1e-13).log10(); // 20 px for a factor of ten
    for power in [0, -4, -8, -12] {
        let height = y(10.0_f64.powi(power));
        drawing.line(&[(x(0), height), (x(STEPS), height)], "grid");
        drawing.text((72.0, height + 5.0), Anchor::End, "dim", &format!("1e{power}"));
    }
    for steps in [0, 10, 20, 30] {
        drawing.text((x(steps), 386.0), Anchor::Middle, "dim", &steps.to_string());
    }
    drawing.text(
        (350.0, 410.0),
        Anchor::Middle,
        "",
        "steps backwards from the cotangent that is given, of norm 1",
    );
    // The labels of the two upper solid curves are moved apart.
    for (gain, moved) in [(0.8, 0.0), (1.0, 7.0), (1.2, -5.0)] {
        for (input, class) in [(0.0, "b"), (1.0, "f")] {
            let shares = left(gain, input)?;
            let points: Vec<_> = shares.iter().enumerate().map(|(k, &share)| (x(k), y(share))).collect();
            drawing.line(&points, class);
            let (end_x, end_y) = points[STEPS];
            let moved = moved * input;
            drawing.text(
                (end_x + 8.0, end_y + 5.0 + moved),
                Anchor::Start,
                class,
                &format!("gain {gain:.1}"),
            );
        }
    }
    drawing.text((100.0, 300.0), Anchor::Start, "b", "dashed: inputs of 0, exactly gain^k");
    drawing.text((100.0, 324.0), Anchor::Start, "f", "solid: inputs of size 1, saturated states");
    Ok(drawing.finish())
}
