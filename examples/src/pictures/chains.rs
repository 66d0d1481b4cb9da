//! Short chains of operations, with values and derivatives.

use retrograde::prelude::*;

use super::drawing::{Anchor, Drawing};
use crate::Result;

/// The neuron of page 1: values above the boxes, derivatives below them.
pub(super) fn neuron() -> Result<String> {
    let tape = Tape::new();
    let input = |value: f64| tape.var(Tensor::scalar(value));
    let (w, x, b) = (input(0.5), input(2.0), input(-0.4));
    let product = (&w * &x).retain_grad();
    let t = (&product + &b).retain_grad();
    let h = t.tanh().retain_grad();
    let gradients = h.backward()?;

    let mut drawing = Drawing::new(
        700,
        300,
        "A neuron as a chain of operations",
        "w times x, plus b, through tanh, gives h. Values stand above the boxes, derivatives of h below them; \
         solid arrows run forwards, dashed arrows backwards.",
    );
    let places = [
        ("w", &w, (80.0, 70.0)),
        ("x", &x, (80.0, 210.0)),
        ("w x", &product, (240.0, 140.0)),
        ("b", &b, (240.0, 250.0)),
        ("t", &t, (400.0, 140.0)),
        ("h", &h, (600.0, 140.0)),
    ];
    for (from, to) in [(0, 2), (1, 2), (2, 4), (3, 4), (4, 5)] {
        let ((x0, y0), (x1, y1)) = (places[from].2, places[to].2);
        drawing.arrow((x0 + 26.0, y0 - 4.0), (x1 - 28.0, y1 - 4.0), "f");
        drawing.arrow((x1 - 26.0, y1 + 4.0), (x0 + 28.0, y0 + 4.0), "b");
    }
    for (name, var, (x, y)) in places {
        drawing.node((x, y), name);
        drawing.text((x, y - 24.0), Anchor::Middle, "f", &format!("{:.3}", var.value().item()?));
        let d = gradients.get(var).map_or(Ok(0.0), Tensor::item)?;
        drawing.text((x, y + 36.0), Anchor::Middle, "b", &format!("{d:.3}"));
    }
    drawing.text((500.0, 122.0), Anchor::Middle, "dim", "tanh");
    drawing.text((500.0, 168.0), Anchor::Middle, "b", "dh (1 - h²)");
    drawing.text((670.0, 30.0), Anchor::End, "f", "above: value");
    drawing.text((670.0, 52.0), Anchor::End, "b", "below: derivative of h");
    Ok(drawing.finish())
}

/// The two uses of page 3: a copy forwards is a sum backwards.
pub(super) fn two_uses() -> String {
    let mut drawing = Drawing::new(
        640,
        280,
        "Two uses of one weight",
        "The weight w goes into two products, with a and with c, whose sum is y. Backwards, dy times a and dy times c \
         arrive at w and are added.",
    );
    let (w, upper, lower, y) = ((90.0, 140.0), (330.0, 70.0), (330.0, 210.0), (560.0, 140.0));
    for middle in [upper, lower] {
        drawing.arrow((w.0 + 26.0, w.1 - 4.0), (middle.0 - 32.0, middle.1 - 4.0), "f");
        drawing.arrow((middle.0 - 30.0, middle.1 + 5.0), (w.0 + 28.0, w.1 + 5.0), "b");
        drawing.arrow((middle.0 + 30.0, middle.1 - 4.0), (y.0 - 28.0, y.1 - 4.0), "f");
        drawing.arrow((y.0 - 26.0, y.1 + 5.0), (middle.0 + 32.0, middle.1 + 5.0), "b");
    }
    drawing.node(w, "w");
    drawing.node(upper, "a w");
    drawing.node(lower, "c w");
    drawing.node(y, "+");
    drawing.text((228.0, 86.0), Anchor::End, "b", "dy a");
    drawing.text((228.0, 210.0), Anchor::End, "b", "dy c");
    drawing.text((440.0, 138.0), Anchor::Middle, "b", "dy");
    drawing.text((440.0, 206.0), Anchor::Middle, "b", "dy");
    drawing.text((90.0, 200.0), Anchor::Middle, "b", "dw = dy a + dy c");
    drawing.text((560.0, 112.0), Anchor::Middle, "f", "y = a w + c w");
    drawing.finish()
}
