//! One table and the values that it is read over.

use super::drawing::{Anchor, Drawing};

/// The readings of page 5.
pub(super) fn readings() -> String {
    let mut drawing = Drawing::new(
        740,
        310,
        "One table of rules, four kinds of value",
        "In the middle the table of rules. Tensors go in and gradients come out; variables give gradients that can be \
         differentiated again; formulas give the backward pass in writing; lists of terms give each step's share.",
    );
    drawing.rect((260.0, 80.0), (220.0, 150.0), "box");
    drawing.text((370.0, 68.0), Anchor::Middle, "dim", "the table of rules");
    let rules =
        [("Add", "g, g"), ("Mul", "g ⊙ x1, g ⊙ x0"), ("MatMul", "g·x1ᵀ, x0ᵀ·g"), ("Tanh", "g ⊙ (1 - y²)")];
    for (i, (op, rule)) in rules.into_iter().enumerate() {
        let y = 114.0 + 32.0 * i as f64;
        drawing.text((276.0, y), Anchor::Start, "", op);
        drawing.text((346.0, y), Anchor::Start, "", rule);
    }
    let readings = [
        ("tensors", "gradients"),
        ("variables", "gradients on a tape"),
        ("formulas", "dt = dh ⊙ (1 - h²)"),
        ("lists of terms", "each step's share"),
    ];
    for (i, (kind, result)) in readings.into_iter().enumerate() {
        let y = 56.0 + 66.0 * i as f64;
        drawing.rect((30.0, y - 20.0), (150.0, 40.0), "mark");
        drawing.text((105.0, y + 5.0), Anchor::Middle, "", kind);
        drawing.rect((550.0, y - 20.0), (165.0, 40.0), "rest");
        drawing.text((632.0, y + 5.0), Anchor::Middle, "", result);
        let inner = 110.0 + 30.0 * i as f64;
        drawing.arrow((182.0, y), (256.0, inner), "f");
        drawing.arrow((482.0, inner), (546.0, y), "b");
    }
    drawing.finish()
}
