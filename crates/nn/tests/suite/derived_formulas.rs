//! The backward pass that the tape derives, as text: the textbook's formulas.

use crate::common::{autodiff, normal, seeded, weights};
use retrograde_autograd::{Tape, Var};
use retrograde_derivation::DeriveVar;
use retrograde_nn::{Cell, RnnCell};
use retrograde_tensor::Tensor;

fn cell() -> RnnCell<f64> {
    autodiff(&weights(3, 4, &mut seeded(1))).cell
}

/// *Deep Learning from Scratch 2*, section 5.3.1, in its order.
const TEXTBOOK: [&str; 6] = [
    "dt = dh_next ⊙ (1 - h_next²)",
    "db = Σₙ dt",
    "dWh = h_prevᵀ·dt",
    "dh_prev = dt·Whᵀ",
    "dWx = xᵀ·dt",
    "dx = dt·Wxᵀ",
];

#[test]
fn of_one_step_are_the_six_lines_of_the_textbook() {
    let cell = cell();
    let mut rng = seeded(2);
    let tape = Tape::new();
    let x = tape.var(normal([2, 3], 1.0, &mut rng)).named("x");
    let h_prev = tape.var(normal([2, 4], 1.0, &mut rng)).named("h_prev");
    let h_next = cell.step(&cell.project(&x), &h_prev).named("h_next");
    let derivation = h_next.derivation().unwrap();
    assert_eq!(derivation.lines.len(), 6);
    for line in TEXTBOOK {
        let name = line.split(' ').next().unwrap();
        assert_eq!(derivation.line(name).unwrap().to_string(), line);
    }
    // The whole text, in the order in which the sweep completes the lines.
    let text = "dt = dh_next ⊙ (1 - h_next²)\n\
                dWh = h_prevᵀ·dt\n\
                db = Σₙ dt\n\
                dWx = xᵀ·dt\n\
                dh_prev = dt·Whᵀ\n\
                dx = dt·Wxᵀ\n";
    assert_eq!(derivation.to_string(), text);
}

#[test]
fn over_three_steps_show_the_sums_over_time() {
    let cell = cell();
    let mut rng = seeded(3);
    let tape = Tape::new();
    let mut h = tape.var(normal([2, 4], 1.0, &mut rng)).named("h_prev");
    for step in 0..3 {
        tape.set_step(Some(step));
        let x = tape.var(normal([2, 3], 1.0, &mut rng)).named("x");
        h = cell.step(&cell.project(&x), &h).named("h");
    }
    let derivation = h.derivation().unwrap();
    let line = |name| derivation.line(name).unwrap().to_string();
    assert_eq!(line("dWh"), "dWh = h_1ᵀ·dt_2 + h_0ᵀ·dt_1 + h_prevᵀ·dt_0");
    assert_eq!(line("dWx"), "dWx = x_2ᵀ·dt_2 + x_1ᵀ·dt_1 + x_0ᵀ·dt_0");
    assert_eq!(line("db"), "db = Σₙ dt_2 + Σₙ dt_1 + Σₙ dt_0");
    assert_eq!(line("dh_prev"), "dh_prev = dt_0·Whᵀ");
    assert_eq!(line("dt_1"), "dt_1 = dh_1 ⊙ (1 - h_1²)");
    assert_eq!(line("dh_1"), "dh_1 = dt_2·Whᵀ");
    assert_eq!(line("dx_1"), "dx_1 = dt_1·Wxᵀ");
}

#[test]
fn over_time_add_what_comes_from_the_next_step() {
    let mut rnn = retrograde_nn::TimeRnn::new(cell());
    let tape = Tape::new();
    let xs = tape.var(normal([2, 3, 3], 1.0, &mut seeded(4))).named("xs");
    let out = rnn.forward(&xs).unwrap();
    // The input is projected once for all steps, so its lines are those of whole sequences, [N, T, ..].
    let text = "dh_2 = dhs[:, 2]\n\
                dt_2 = dh_2 ⊙ (1 - h_2²)\n\
                dh_1 = dhs[:, 1] + dt_2·Whᵀ\n\
                dt_1 = dh_1 ⊙ (1 - h_1²)\n\
                dh_0 = dhs[:, 0] + dt_1·Whᵀ\n\
                dt_0 = dh_0 ⊙ (1 - h_0²)\n\
                dWh = h_1ᵀ·dt_2 + h_0ᵀ·dt_1 + h_prevᵀ·dt_0\n\
                dp = place(dt_2, [:, 2]) + place(dt_1, [:, 1]) + place(dt_0, [:, 0])\n\
                db = Σₙₜ dp\n\
                dWx = Σₙ (xsᵀ·dp)\n\
                dh_prev = dt_0·Whᵀ\n\
                dxs = dp·Wxᵀ\n";
    let derivation = out.hs.derivation().unwrap();
    assert_eq!(format!("{derivation:#}"), text);
    let text = "h_{-1} = h_prev\n\
                dh = 0\n\
                for t = T-1 .. 0:\n    \
                    dh_t = dhs[:, t] + dh\n    \
                    dt = dh_t ⊙ (1 - h_t²)\n    \
                    dWh += h_{t-1}ᵀ·dt\n    \
                    dh = dt·Whᵀ\n    \
                    dp[:, t] = dt\n\
                dh_prev = dh\n\
                db = Σₙₜ dp\n\
                dWx = Σₙ (xsᵀ·dp)\n\
                dxs = dp·Wxᵀ\n";
    assert_eq!(derivation.to_string(), text);
}

/// Whatever step is the first to use a parameter, it is named after none; and what follows the layer has no step.
#[test]
fn only_what_a_step_records_is_named_after_it() {
    let mut rnn = autodiff::<f64>(&weights(3, 4, &mut seeded(1)));
    let tape = Tape::new();
    let hs = rnn.forward(&tape.constant(Tensor::ones([1, 2, 3]))).unwrap().hs;
    let y: Var<'_, f64> = hs.square().named("y");
    let names: Vec<String> = y.derivation().unwrap().lines.into_iter().map(|line| line.name).collect();
    assert_eq!(names, ["dhs", "dh_1", "dt_1", "dh_0", "dt_0", "dWh", "dp", "db", "dWx", "dh_prev"]);
}
