//! Numbers at the edges: confident and infinite logits, low scores, rows whose squares overflow.

use crate::common::{normal, seeded};
use retrograde_autograd::{Tape, Var};
use retrograde_check::Check;
use retrograde_nn::{
    Attention, CrossEntropy, DotAttention, LayerNorm, LayerNormLstmCell, Result, Sampler, SequenceOptions,
    Time, binary_cross_entropy, cross_entropy, mse,
};
use retrograde_tensor::{Float, Tensor, assert_close};

const INF: f64 = f64::INFINITY;

/// A loss of logits, and its gradient.
fn loss_of<E: Float>(x: &[f64], loss: impl for<'t> Fn(&Var<'t, E>) -> Result<Var<'t, E>>) -> (f64, Vec<f64>) {
    let tape = Tape::new();
    let x = tape.var(Tensor::from_fn([1, x.len()], |at| E::from_f64(x[at[1]])));
    let loss = loss(&x).unwrap();
    let gradient = loss.backward().unwrap().get(&x).unwrap().iter().map(E::to_f64).collect();
    (loss.value().item().unwrap().to_f64(), gradient)
}

fn near(found: f64, expected: f64, tolerance: f64) -> bool {
    found == expected || (found - expected).abs() <= tolerance * expected.abs()
}

/// `-ln σ(±x)` is `ln(1 + e^∓x)`, which is `e^-|x|` where that is small; the slope is `σ(x) - z`.
#[test]
fn confident_logits_keep_their_digits() {
    fn check<E: Float>(tolerance: f64) {
        for x in [0.0_f64, 1e-3, 0.5, 3.0, 17.0, 30.0, 37.0, 40.0, 80.0, 500.0] {
            let (right, wrong) = ((-x).exp().ln_1p(), x + (-x).exp().ln_1p());
            let p_wrong = (-x).exp() / (1.0_f64 + (-x).exp());
            for (sign, z) in [(1.0, 1.0), (-1.0, 0.0)] {
                let binary = |x: f64, z: f64| {
                    loss_of::<E>(&[x], |x| {
                        binary_cross_entropy(x, &Tensor::full([1, 1], E::from_f64(z)), None)
                    })
                };
                let softmax = |x: f64, right: usize| {
                    loss_of::<E>(&[x, 0.0], |x| cross_entropy(x, &Tensor::from([right])))
                };
                let right_class = usize::from(z == 0.0);
                for (name, (loss, slope), expected) in [
                    ("binary, right", binary(sign * x, z), (right, -sign * p_wrong)),
                    ("binary, wrong", binary(sign * x, 1.0 - z), (wrong, sign * (1.0 - p_wrong))),
                    ("softmax, right", softmax(sign * x, right_class), (right, -sign * p_wrong)),
                    ("softmax, wrong", softmax(sign * x, 1 - right_class), (wrong, sign * (1.0 - p_wrong))),
                ] {
                    // What is below the numbers of the type is 0.
                    let least = if E::DTYPE == "f32" { 1e-37 } else { 1e-300 };
                    assert!(
                        near(loss, expected.0, tolerance) || expected.0 < least,
                        "{name}: {x}: {loss:e}, expected {:e}",
                        expected.0
                    );
                    // Of a softmax, 1 - p is rounded as p is.
                    let slack = if name.starts_with("softmax") { E::EPSILON.to_f64() * 2.0 } else { least };
                    assert!(
                        near(slope[0], expected.1, tolerance) || (slope[0] - expected.1).abs() < slack,
                        "{name}: {x}: {:e}, expected {:e}",
                        slope[0],
                        expected.1
                    );
                }
            }
        }
    }
    check::<f64>(4e-16);
    check::<f32>(3e-7);
}

/// An infinite logit costs nothing where it is right, and an infinite loss where it is wrong; never NaN.
#[test]
fn infinite_logits_of_two_classes() {
    for (x, z, loss, slope) in [
        (INF, 1.0, 0.0, 0.0),
        (INF, 0.0, INF, 1.0),
        (-INF, 0.0, 0.0, 0.0),
        (-INF, 1.0, INF, -1.0),
        (INF, 0.25, INF, 0.75),
        (-INF, 0.25, INF, -0.25),
        (1e308, 1.0, 0.0, 0.0),
        (-1e308, 1.0, 1e308, -1.0),
    ] {
        let found = loss_of::<f64>(&[x], |x| binary_cross_entropy(x, &Tensor::from([[z]]), None));
        assert_eq!(found, (loss, vec![slope]), "{x}, {z}");
    }
}

/// Also where the loss of it is infinite.
#[test]
fn a_label_without_weight_has_no_part() {
    let weighted = CrossEntropy::new().weights(Tensor::from([2.0, 0.0, 1.0])).unwrap();
    let tape = Tape::new();
    let logits = tape.var(Tensor::from([[0.0, -INF, 0.0], [0.0, 0.5, 1.0]]));
    let mean = weighted.forward(&logits, &Tensor::from([1, 0]), None).unwrap();
    let expected = (1.0 + 0.5_f64.exp() + 1.0_f64.exp()).ln();
    assert!(near(mean.loss.value().item().unwrap(), expected, 1e-15));
    let gradient = mean.loss.backward().unwrap().get(&logits).unwrap().clone();
    assert_eq!(gradient.select(0, 0), Tensor::zeros([3]));
    // Equal weights change nothing.
    let logits = normal::<f64>([49, 3], 1.0, &mut seeded(1));
    let targets = Tensor::from_fn([49], |at| at[0] % 3);
    let tape = Tape::new();
    let logits = tape.var(logits);
    let plain = cross_entropy(&logits, &targets).unwrap();
    let same =
        CrossEntropy::new().weights(Tensor::ones([3])).unwrap().forward(&logits, &targets, None).unwrap();
    assert_close!(same.loss.value(), plain.value(), 1e-15, 0.0);
}

/// The squared error is an infinite number where it overflows, not a wrong one.
#[test]
fn squares_that_overflow_are_infinite() {
    let (loss, _) = loss_of::<f64>(&[1e200, 0.0], |y| mse(y, &Tensor::zeros([1, 2]), None));
    assert_eq!(loss, INF);
}

/// Scores as low as the type allows: only what counts has a weight, by its distance from the others that count.
#[test]
fn low_scores_that_count_are_not_beaten() {
    fn check<E: Float>(levels: &[f64]) {
        for &level in levels {
            let tape = Tape::<E>::new();
            let e = E::from_f64;
            // Scores are inner products with a query of 1: [level, level + ln 3, 5, NaN].
            let shift = if level.abs() < 1e6 { 3.0_f64.ln() } else { 0.0 };
            let states = [level, level + shift, 5.0, f64::NAN];
            let states = tape.var(Tensor::from_fn([1, 4, 1], |at| e(states[at[1]])));
            let query = tape.var(Tensor::ones([1, 1]));
            let attended =
                DotAttention::new().attend(&states, &query, &SequenceOptions::new().lengths(&[2])).unwrap();
            let share = shift.exp();
            let expected = [1.0 / (1.0 + share), share / (1.0 + share), 0.0, 0.0];
            let tolerance =
                E::EPSILON.to_f64() * if level.abs() < 1e6 { 4.0 * level.abs().max(1.0) } else { 1.0 };
            let expected = Tensor::from_fn([1, 4], |at| e(expected[at[1]]));
            assert_close!(attended.weights.value(), expected, tolerance, 0.0);
            let gradients =
                attended.weights.backward_with(&Tensor::from_fn([1, 4], |at| e(at[1] as f64 - 0.3))).unwrap();
            let gradient = gradients.get(&states).unwrap();
            assert!(gradient.iter().all(|dh| dh.to_f64().is_finite()));
            assert_eq!(gradient.narrow(1, 2, 2), Tensor::zeros([1, 2, 1]));
        }
    }
    check::<f64>(&[0.0, -7.0, 1e5, -1e5, -1e29, -1e30, -1e31, -1e200, f64::MIN, f64::MAX]);
    check::<f32>(&[0.0, -7.0, 1e3, -1e29, -1e30, -1e35, f64::from(f32::MIN), f64::from(f32::MAX)]);
}

/// A row where nothing counts: weights and context of 0, and no gradient, beside rows where something does.
#[test]
fn rows_without_a_position_are_zero() {
    let mut rng = seeded(3);
    let tape = Tape::<f64>::new();
    let states = tape.var(normal([3, 4, 2], 1.0, &mut rng));
    let queries = tape.var(normal([3, 5, 2], 1.0, &mut rng));
    let attended =
        DotAttention::new().attend(&states, &queries, &SequenceOptions::new().lengths(&[0, 4, 1])).unwrap();
    assert_eq!(attended.weights.value().select(0, 0), Tensor::zeros([5, 4]));
    assert_eq!(attended.context.value().select(0, 0), Tensor::zeros([5, 2]));
    for row in [1, 2] {
        assert_close!(
            attended.weights.value().select(0, row).sum_axis(1, false),
            Tensor::ones([5]),
            1e-15,
            0.0
        );
    }
    let gradients = attended.context.backward_with(&normal([3, 5, 2], 1.0, &mut rng)).unwrap();
    assert_eq!(gradients.get(&states).unwrap().select(0, 0), Tensor::zeros([4, 2]));
    assert_eq!(gradients.get(&queries).unwrap().select(0, 0), Tensor::zeros([5, 2]));
    let masked = |weights: bool| {
        let check = Check::new().input("states", normal([2, 4, 2], 1.0, &mut seeded(4)));
        let check = check.input("queries", normal([2, 3, 2], 1.0, &mut seeded(5)));
        check.run(|_, x| {
            let options = SequenceOptions::new().lengths(&[2, 3]);
            let attended = DotAttention::new().attend(&x["states"], &x["queries"], &options)?;
            Ok([("out", if weights { attended.weights } else { attended.context })].into())
        })
    };
    masked(true).unwrap().assert_ok();
    masked(false).unwrap().assert_ok();
}

/// `y` of a large row is that of the same row made small, and its gradient is as much smaller as the row is larger.
#[test]
fn layer_norm_of_rows_whose_squares_overflow() {
    fn check<E: Float>(exponents: &[i32]) {
        let row = normal::<f64>([3, 5], 1.0, &mut seeded(6)).map(|x| E::from_f64(x).to_f64());
        let cotangent = normal::<E>([3, 5], 1.0, &mut seeded(7));
        let run = |factor: f64| {
            let tape = Tape::<E>::new();
            // The other rows stay small: one scale for each.
            let x =
                Tensor::from_fn([3, 5], |at| E::from_f64(row.at(at) * if at[0] == 1 { factor } else { 1.0 }));
            let x = tape.var(x);
            let norm = LayerNorm::new(5);
            let y = norm.forward(&x).unwrap();
            let gradients = y.backward_with(&cotangent).unwrap();
            let dx = gradients.get(&x).unwrap().clone();
            let gain = gradients.get(&norm.gain).unwrap().clone();
            (y.detach(), dx, gain)
        };
        // Large enough that eps does not count, small enough that nothing overflows.
        let middle = 2.0_f64.powi(30);
        let (y, dx, dgain) = run(middle);
        for &exponent in exponents {
            let factor = 2.0_f64.powi(exponent);
            let (found_y, found_dx, found_dgain) = run(factor);
            let tolerance = E::EPSILON.to_f64() * 8.0;
            assert_close!(found_y, y, tolerance, tolerance);
            assert_close!(found_dgain, dgain, tolerance, tolerance * 4.0);
            for at in 0..5 {
                let expected = dx.at(&[1, at]).to_f64() * middle / factor;
                let found = found_dx.at(&[1, at]).to_f64();
                let least = if E::DTYPE == "f32" { 1e-37 } else { 1e-300 };
                assert!(
                    (found - expected).abs() <= 64.0 * tolerance * expected.abs() + least,
                    "2^{exponent}: {found:e}, expected {expected:e}"
                );
                assert_close!(found_dx.select(0, 0), dx.select(0, 0), tolerance, tolerance);
            }
        }
    }
    check::<f64>(&[100, 500, 512, 700, 1020]);
    check::<f32>(&[40, 60, 64, 90, 124]);
}

#[test]
fn layer_norm_of_large_constants_and_infinities() {
    for large in [1e160, 1e200, 1e308, -1e300] {
        let tape = Tape::<f64>::new();
        let x = tape.var(Tensor::full([2, 4], large));
        let y = LayerNorm::new(4).forward(&x).unwrap();
        assert_eq!(y.value(), &Tensor::zeros([2, 4]), "{large}");
    }
    // What is not finite does not become a number.
    let tape = Tape::<f64>::new();
    let x = tape.var(Tensor::from([[INF, 1.0, 1e300], [1e200, -1e200, 0.0]]));
    let y = LayerNorm::new(3).forward(&x).unwrap();
    assert!(y.value().select(0, 0).iter().all(f64::is_nan));
    let side = (3.0_f64 / 2.0).sqrt();
    assert_close!(y.value().select(0, 1), Tensor::from([side, -side, 0.0]), 1e-15, 1e-15);
    // Inside of a cell, too.
    let mut lstm = Time::new(LayerNormLstmCell::<f64>::new(3, 4, &mut seeded(8)));
    let run = |lstm: &mut Time<_, f64>, factor: f64| {
        let tape = Tape::new();
        lstm.forward(&tape.constant(normal::<f64>([2, 3, 3], 1.0, &mut seeded(9)) * factor))
            .unwrap()
            .hs
            .detach()
    };
    assert_close!(run(&mut lstm, 2.0_f64.powi(700)), run(&mut lstm, 2.0_f64.powi(40)), 1e-12, 1e-12);
}

#[test]
fn a_sampler_says_what_is_wrong_with_its_logits() {
    let said = |logits: Tensor<f64>| Sampler::default().probabilities(&logits).unwrap_err().to_string();
    assert_eq!(said(Tensor::zeros([0])), "sampler: expected at least 1 logit, found none");
    assert_eq!(
        said(Tensor::from([-INF, -INF])),
        "sampler: expected at least one logit to be above -inf, found -inf"
    );
    assert_eq!(
        said(Tensor::from([0.0, INF])),
        "sampler: expected logits to be numbers below infinity, found inf"
    );
    assert_eq!(
        said(Tensor::from([f64::NAN, 0.0])),
        "sampler: expected logits to be numbers below infinity, found NaN"
    );
    // Temperatures and logits as extreme as they may be.
    for temperature in [f64::MIN_POSITIVE, 5e-324, 1e-300, 1.0, 1e300, f64::MAX] {
        for logits in [[1.0, 0.0, -INF], [f64::MAX, f64::MIN, 0.0], [5e-324, 0.0, 0.0]] {
            let sampler = Sampler { temperature, ..Sampler::default() };
            let p = sampler.probabilities(&Tensor::from(logits)).unwrap();
            assert!(p.iter().all(|p| (0.0..=1.0).contains(p)), "{temperature:e}: {p:?}");
            assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-15);
        }
    }
}
