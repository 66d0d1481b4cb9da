//! Matrices as rectangles whose sides fit.

use super::drawing::{Anchor, Drawing};

/// Pixels per element.
const SCALE: f64 = 16.0;
const SIZES: [(char, f64); 3] = [('N', 2.0), ('D', 3.0), ('H', 4.0)];

fn size(of: char) -> f64 {
    SIZES.iter().find(|(name, _)| *name == of).map_or(1.0, |(_, size)| *size) * SCALE
}

/// A rectangle of `rows` by `columns` around a height, with its name and its shape; returns its right side.
fn matrix(
    drawing: &mut Drawing,
    (x, y): (f64, f64),
    name: &str,
    [rows, columns]: [char; 2],
    class: &str,
) -> f64 {
    let (width, height) = (size(columns), size(rows));
    drawing.rect((x, y - height / 2.0), (width, height), class);
    drawing.text((x + width / 2.0, y - 48.0), Anchor::Middle, "", name);
    drawing.text((x + width / 2.0, y + 54.0), Anchor::Middle, "dim", &format!("[{rows}, {columns}]"));
    x + width
}

/// The four products of page 2.
pub(super) fn six_lines() -> String {
    let mut drawing = Drawing::new(
        740,
        330,
        "The four products of a recurrent step's backward pass",
        "dWh is h_prev transposed times dt, dh_prev is dt times Wh transposed, dWx is x transposed times dt, dx is dt \
         times Wx transposed. Each matrix is a rectangle; the inner sides of each product are equal.",
    );
    let products = [
        (("h_prevᵀ", ['H', 'N']), ("dt", ['N', 'H']), ("dWh", ['H', 'H'])),
        (("dt", ['N', 'H']), ("Whᵀ", ['H', 'H']), ("dh_prev", ['N', 'H'])),
        (("xᵀ", ['D', 'N']), ("dt", ['N', 'H']), ("dWx", ['D', 'H'])),
        (("dt", ['N', 'H']), ("Wxᵀ", ['H', 'D']), ("dx", ['N', 'D'])),
    ];
    for (i, (a, b, result)) in products.into_iter().enumerate() {
        let (x, y) = (40.0 + 370.0 * (i % 2) as f64, 85.0 + 160.0 * (i / 2) as f64);
        let x = matrix(&mut drawing, (x, y), a.0, a.1, "mark");
        drawing.text((x + 20.0, y + 5.0), Anchor::Middle, "big", "·");
        let x = matrix(&mut drawing, (x + 40.0, y), b.0, b.1, "rest");
        drawing.text((x + 22.0, y + 5.0), Anchor::Middle, "big", "=");
        matrix(&mut drawing, (x + 46.0, y), result.0, result.1, "box");
    }
    drawing.finish()
}

/// The two orders of page 10: the same factors, multiplied from the right or from the left.
pub(super) fn two_orders() -> String {
    let mut drawing = Drawing::new(
        740,
        350,
        "One product, two orders",
        "The gradient is dh times the derivative of h_3 by h_2, times that of h_2 by h_1, times that of h_1 by W. \
         Backpropagation multiplies from the side of dh and keeps a row of H numbers. RTRL multiplies from the side of W \
         and keeps a matrix of H by H squared.",
    );
    let (x, y) = ([60.0, 200.0, 340.0, 480.0], 70.0);
    let factors = [
        ("dh_3", 70.0, 14.0),
        ("∂h_3/∂h_2", 70.0, 70.0),
        ("∂h_2/∂h_1", 70.0, 70.0),
        ("∂h_1/∂W", 200.0, 70.0),
    ];
    for (x, (name, width, height)) in x.into_iter().zip(factors) {
        drawing.rect((x, y - height / 2.0), (width, height), "box");
        drawing.text((x + width / 2.0, y - 44.0), Anchor::Middle, "", name);
    }
    for x in [165.0, 305.0, 445.0] {
        drawing.text((x, y + 5.0), Anchor::Middle, "big", "·");
    }
    let mut row = |y: f64, class: &str, title: &str, kept: &str, spans: [(f64, f64); 3]| {
        drawing.text((60.0, y), Anchor::Start, class, title);
        for (i, (from, to)) in spans.into_iter().enumerate() {
            let y = y + 16.0 + 14.0 * i as f64;
            drawing.line(&[(from, y - 5.0), (from, y), (to, y), (to, y - 5.0)], class);
        }
        drawing.text((60.0, y + 78.0), Anchor::Start, "dim", kept);
    };
    let spans = [(60.0, 270.0), (60.0, 410.0), (60.0, 680.0)];
    row(
        150.0,
        "b",
        "backpropagation: from the side of dh",
        "keeps 1 × H at each product, and all states",
        spans,
    );
    let spans = [(340.0, 680.0), (200.0, 680.0), (60.0, 680.0)];
    row(260.0, "f", "RTRL: from the side of W", "keeps H × H² at each product, and no past state", spans);
    drawing.finish()
}
