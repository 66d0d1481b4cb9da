//! Steps side by side.

use super::drawing::{Anchor, Drawing};

const X: [f64; 3] = [150.0, 370.0, 590.0];

/// Three steps of page 4: each state adds the cotangent from above to that from the next step.
pub(super) fn time() -> String {
    let mut drawing = Drawing::new(
        760,
        360,
        "Cotangents flow from the last step to the first",
        "Three steps of a recurrent network. Each state gets a cotangent from above and one from the next step, adds \
         them, and sends one to the step before and one to the shared weights, which add up over the steps.",
    );
    for (t, x) in X.into_iter().enumerate() {
        drawing.node((x, 170.0), &format!("step {t}"));
        drawing.text((x + 82.0, 160.0), Anchor::Middle, "f", &format!("h_{t}"));
        drawing.arrow((x + 46.0, 166.0), (x + 174.0 - if t == 2 { 60.0 } else { 0.0 }, 166.0), "f");
        drawing.arrow((x, 70.0), (x, 150.0), "b");
        drawing.text((x, 58.0), Anchor::Middle, "b", &format!("dhs[:, {t}]"));
        drawing.text((x + 16.0, 140.0), Anchor::Middle, "big", "+");
        drawing.arrow((x, 190.0), (x, 272.0), "b");
        drawing.text((x + 8.0, 236.0), Anchor::Start, "b", &format!("h_{}ᵀ·dt_{t}", ["prev", "0", "1"][t]));
    }
    for (t, pair) in X.windows(2).enumerate() {
        drawing.arrow((pair[1] - 44.0, 180.0), (pair[0] + 48.0, 180.0), "b");
        let middle = (pair[0] + pair[1]) / 2.0;
        drawing.text((middle, 202.0), Anchor::Middle, "b", &format!("dt_{}·Whᵀ", t + 1));
    }
    drawing.arrow((20.0, 166.0), (X[0] - 46.0, 166.0), "f");
    drawing.arrow((X[0] - 44.0, 180.0), (22.0, 180.0), "b");
    drawing.text((56.0, 158.0), Anchor::Middle, "f", "h_prev");
    drawing.text((56.0, 202.0), Anchor::Middle, "b", "dh_prev");
    drawing.rect((60.0, 276.0), (620.0, 36.0), "box");
    drawing.text((370.0, 299.0), Anchor::Middle, "big", "Wh, used by every step");
    drawing.text((370.0, 338.0), Anchor::Middle, "b", "dWh = h_prevᵀ·dt_0 + h_0ᵀ·dt_1 + h_1ᵀ·dt_2");
    drawing.finish()
}

/// The straight way of page 8: along `c`, a cotangent is multiplied by `f` alone.
pub(super) fn cell_state() -> String {
    let mut drawing = Drawing::new(
        760,
        300,
        "The cell state of an LSTM is a straight way",
        "Along c, each step multiplies by f and adds g times i; h is read off it. Backwards along c a cotangent is \
         multiplied by f alone.",
    );
    for (t, x) in X.into_iter().enumerate() {
        let end = x + if t == 2 { 130.0 } else { 170.0 };
        drawing.node((x, 120.0), "⊙ f");
        drawing.node((x + 84.0, 120.0), "+");
        drawing.arrow((x + 26.0, 116.0), (x + 58.0, 116.0), "f");
        drawing.arrow((x + 58.0, 126.0), (x + 28.0, 126.0), "b");
        drawing.arrow((x + 110.0, 116.0), (end + 22.0, 116.0), "f");
        drawing.arrow((end + 22.0, 126.0), (x + 112.0, 126.0), "b");
        drawing.arrow((x + 84.0, 206.0), (x + 84.0, 140.0), "f");
        drawing.text((x + 84.0, 226.0), Anchor::Middle, "f", &format!("g_{t} ⊙ i_{t}"));
        drawing.text((x, 92.0), Anchor::Middle, "f", &format!("f_{t}"));
        drawing.text((x + 132.0, 104.0), Anchor::Middle, "f", &format!("c_{t}"));
    }
    drawing.arrow((60.0, 116.0), (X[0] - 28.0, 116.0), "f");
    drawing.arrow((X[0] - 26.0, 126.0), (62.0, 126.0), "b");
    drawing.text((90.0, 104.0), Anchor::Middle, "f", "c_prev");
    drawing.text((380.0, 40.0), Anchor::Middle, "f", "c_t = f_t ⊙ c_{t-1} + g_t ⊙ i_t");
    drawing.text(
        (380.0, 270.0),
        Anchor::Middle,
        "b",
        "dc_prev = dc_2 ⊙ f_2 ⊙ f_1 ⊙ f_0: no matrix, no tanh on this way",
    );
    drawing.finish()
}
