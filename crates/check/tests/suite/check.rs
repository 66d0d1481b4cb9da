//! The gradient checker: right layers are verified, and what cannot be verified, or only so far, is said.

use crate::layers::{Activation, Rnn, normal};
use rand::SeedableRng;
use rand::rngs::StdRng;
use retrograde_autograd::{Param, Var};
use retrograde_check::{Check, Oracle, Pattern, Report, Verdict};
use retrograde_tensor::Tensor;

fn worst(report: &Report, oracle: Oracle) -> f64 {
    let measures = report.rows().iter().flat_map(|row| &row.measures);
    measures.filter(|(of, _)| *of == oracle).map(|(_, measure)| measure.relative).fold(0.0, f64::max)
}

#[test]
fn a_layer_is_checked_in_one_line() {
    Check::new().layer(&mut Rnn::new([2, 3, 4, 3], 0.9)).unwrap().assert_ok();
}

#[test]
fn a_tanh_rnn_agrees_over_odd_sizes() {
    for sizes in [[2, 3, 4, 3], [1, 4, 2, 3], [3, 1, 2, 2], [1, 1, 1, 1], [2, 20, 3, 5]] {
        let report = Check::new().layer(&mut Rnn::new(sizes, 0.9)).unwrap();
        report.assert_ok();
        assert!(report.kinks().is_empty(), "{report}");
        assert!(worst(&report, Oracle::Differences) <= 1e-8, "{report}");
        assert!(worst(&report, Oracle::Adjoint) <= 1e-12, "{report}");
        assert!(report.jacobian().is_some());
        assert!(report.not_verifiable().iter().all(|found| found.adjoint), "{report}");
    }
}

#[test]
fn other_activations_agree() {
    let activations: [Activation; 4] =
        [|t| t.relu(), |t| t.sigmoid(), |t| t.abs(), |t| (t.square() + 1.0).sqrt().ln()];
    for activation in activations {
        let mut rnn = Rnn { activation, ..Rnn::new([2, 4, 3, 4], 0.8) };
        let report = Check::new().layer(&mut rnn).unwrap();
        report.assert_ok();
        assert!(report.kinks().is_empty(), "{report}");
        // Of relu, all units may be off at some step: that nothing was tested there is said, but of nothing else.
        assert!(report.not_verifiable().iter().all(|found| found.floor == 0.0), "{report}");
    }
}

#[test]
fn deep_and_gated_layers_agree() {
    let mut rng = StdRng::seed_from_u64(4);
    let lower = Rnn::new([2, 3, 4, 3], 0.9);
    let upper = Rnn::new([2, 3, 3, 2], 0.9);
    let report = Check::new()
        .input("xs", normal([2, 3, 4], 1.0, &mut rng))
        .input("h_prev", normal([2, 3], 0.5, &mut rng))
        .input("g0", normal([2, 2], 0.5, &mut rng))
        .params([&lower.wx, &lower.wh, &lower.b])
        .param("upper.Wx", &upper.wx)
        .param("upper.Wh", &upper.wh)
        .param("upper.b", &upper.b)
        .time_axis("xs", 1)
        .time_axis("gs", 1)
        .run(|tape, x| {
            let [hs, h] = lower.unroll(tape, &x["xs"], &x["h_prev"]);
            let [gs, g] = upper.unroll(tape, &hs, &x["g0"]);
            Ok([("gs", gs), ("h", h), ("g", g)].into())
        })
        .unwrap();
    report.assert_ok();

    let w = Param::new("W", normal([5, 8], 0.5, &mut rng)); // [D + H, 4 H], gates f, g, i, o
    let report = Check::new()
        .input("xs", normal([2, 4, 3], 1.0, &mut rng))
        .input("h_prev", normal([2, 2], 0.5, &mut rng))
        .input("c_prev", normal([2, 2], 0.5, &mut rng))
        .params([&w])
        .time_axis("xs", 1)
        .second_order(true)
        .run(|_, x| {
            let (mut h, mut c) = (x["h_prev"].clone(), x["c_prev"].clone());
            for step in 0..4 {
                let gates = Var::concat(&[x["xs"].select(1, step), h], 1).matmul(&w);
                let [f, g, i, o] = [0, 1, 2, 3].map(|gate| gates.narrow(1, 2 * gate, 2));
                c = f.sigmoid() * &c + i.sigmoid() * g.tanh();
                h = o.sigmoid() * c.tanh();
            }
            Ok([("h", h), ("c", c)].into())
        })
        .unwrap();
    report.assert_ok();
    assert!(worst(&report, Oracle::SecondOrder) > 0.0);
}

#[test]
fn parameters_are_set_back() {
    let mut rnn = Rnn::new([1, 2, 2, 2], 0.9);
    let before = rnn.wh.value();
    Check::new().layer(&mut rnn).unwrap().assert_ok();
    assert_eq!(rnn.wh.value(), before);
    rnn.listed().run(|_, _| Err("out of luck".into())).unwrap_err();
    assert_eq!(rnn.wh.value(), before);
}

/// The first derivative of this is right, and the tape knows nothing of the second.
#[test]
fn second_order_is_checked_on_request() {
    let check = Check::new().input("x", Tensor::from([0.3, -0.7, 1.1]));
    let tangent = |x: &Var<'_, f64>| (x.value().sin(), x.value().cos(), x.value().clone());
    let [first, second] = [false, true].map(|second| {
        let check = check.clone().second_order(second);
        let report = check.run(|_, x| {
            let (sin, cos, at) = tangent(&x["x"]);
            Ok([("y", (&x["x"] - at) * cos + sin)].into())
        });
        report.unwrap()
    });
    first.assert_ok();
    assert_eq!(second.caught_by(), [Oracle::SecondOrder]);
    check.second_order(true).run(|_, x| Ok([("y", x["x"].sin())].into())).unwrap().assert_ok();
}

/// A gradient that vanishes over 12 steps: only the last state counts, and each step shrinks what passes by 1000.
#[test]
fn a_vanishing_gradient_is_not_passed() {
    let rnn = Rnn::new([2, 6, 3, 3], 1e-3);
    let report = rnn
        .listed()
        .run(|tape, x| {
            let [_, h] = rnn.unroll(tape, &x["xs"], &x["h_prev"]);
            Ok([("h", h)].into())
        })
        .unwrap();
    report.assert_ok();
    let first = report.rows().iter().find(|row| row.step == Some(0)).unwrap();
    assert!(first.magnitude > 0.0 && first.magnitude < 1e-12);
    assert_eq!(first.verdict, Verdict::AdjointOnly);
    let found = report.not_verifiable();
    assert!(
        found.iter().any(|found| found.name == "xs" && found.step == Some(0) && found.adjoint),
        "{report}"
    );
    assert!(report.to_string().contains("only; the adjoint agrees"), "{report}");
}

/// The same, truncated by hand: the steps cut off are some 1e-15 of the last one.
#[test]
fn a_truncation_cannot_hide_behind_a_vanishing_gradient() {
    let rnn = Rnn::new([2, 6, 3, 3], 1e-3);
    let report = rnn
        .listed()
        .compare(
            |tape, x| {
                let [_, h] = rnn.unroll(tape, &x["xs"], &x["h_prev"]);
                Ok([("h", h)].into())
            },
            |x, dy| {
                let mut h = vec![x["h_prev"].clone()];
                for step in 0..6 {
                    let t = h[step].matmul(&x["Wh"]) + x["xs"].select(1, step).matmul(&x["Wx"]) + &x["b"];
                    h.push(t.tanh());
                }
                let [mut dwx, mut dwh] = ["Wx", "Wh"].map(|name| Tensor::zeros(x[name].shape()));
                let (mut db, mut dh) = (Tensor::zeros([1, 3]), dy["h"].clone());
                let mut dxs = vec![Tensor::zeros([2, 3]); 6];
                for step in (0..6).rev() {
                    let dt = dh * (1.0 - h[step + 1].square());
                    db += &dt.sum_to([1, 3]);
                    dwh += &h[step].t().matmul(&dt);
                    dwx += &x["xs"].select(1, step).t().matmul(&dt);
                    dh = dt.matmul(&x["Wh"].t());
                    if step > 1 {
                        dxs[step] = dt.matmul(&x["Wx"].t());
                    }
                }
                let dxs = Tensor::stack(&dxs.iter().collect::<Vec<_>>(), 1);
                Ok([("xs", dxs), ("h_prev", dh), ("Wx", dwx), ("Wh", dwh), ("b", db.reshape([3]))].into())
            },
        )
        .unwrap();
    assert_eq!(report.wrong(), ["xs"]);
    assert_eq!(report.caught_by(), [Oracle::Adjoint, Oracle::Tape], "{report}");
    assert_eq!(report.pattern("xs"), Some(&Pattern::ZeroSteps { first: 0, last: 1 }));
}

#[test]
fn what_moves_no_output_is_not_passed() {
    let unused = Param::new("unused", Tensor::ones([2]));
    let check = Check::new().input("x", Tensor::from([1.0, 2.0])).params([&unused]);
    let report = check.run(|_, x| Ok([("y", x["x"].tanh())].into())).unwrap();
    report.assert_ok();
    let [found] = report.not_verifiable() else { panic!("expected one block\n{report}") };
    assert_eq!((found.name.as_str(), found.adjoint), ("unused", false));
    assert_eq!(report.rows()[1].verdict, Verdict::NotVerifiable);
    assert!(report.to_string().contains("no output moves: not tested"), "{report}");
}

#[test]
fn a_minimum_moves_outputs() {
    let report = Check::new().input("x", Tensor::from([0.0])).run(|_, x| Ok([("y", x["x"].square())].into()));
    let report = report.unwrap();
    report.assert_ok();
    assert_eq!(report.rows()[0].verdict, Verdict::Verified, "{report}");
}

#[test]
fn a_kink_is_not_a_failure() {
    let kinked: [(Activation, [f64; 2]); 3] =
        [(|x| x.relu(), [0.0, 1.0]), (|x| x.abs(), [-1.0, 1.0]), (|x| x.maximum(x * -3.0), [-3.0, 1.0])];
    for (f, slopes) in kinked {
        let check = Check::new().input("x", Tensor::from([0.4, 0.0, -1.3]));
        let report =
            check.run(|_, x| Ok([("y", f(&x["x"]) * &Tensor::from([1.0, 2.0, 3.0]))].into())).unwrap();
        report.assert_ok();
        let [kink] = report.kinks() else { panic!("expected one kink\n{report}") };
        assert_eq!((kink.name.as_str(), &kink.index[..]), ("x", &[1][..]));
        let ratio = (kink.left / kink.right, slopes[0] / slopes[1]);
        assert!((ratio.0 - ratio.1).abs() < 1e-6, "{report}");
        assert_eq!(report.rows()[0].verdict, Verdict::Kink);
    }
}

#[test]
fn a_kink_does_not_excuse_what_lies_outside_its_slopes() {
    for (slope, ok) in [(0.0, true), (0.5, true), (1.0, true), (1.5, false), (-0.1, false)] {
        let report = Check::new().input("x", Tensor::from([0.4, 0.0])).compare(
            |_, x| Ok([("y", x["x"].relu())].into()),
            |_, dy| Ok([("x", &dy["y"] * &Tensor::from([1.0, slope]))].into()),
        );
        let report = report.unwrap();
        assert_eq!(report.is_ok(), ok, "slope {slope}\n{report}");
    }
}

/// Within 1e-4 of a kink, finite differences have to come closer than usual.
#[test]
fn near_a_kink_the_slope_is_found() {
    let check = Check::new().input("x", Tensor::from([1e-4, -2e-4, 3.0]));
    let report = check.run(|_, x| Ok([("y", x["x"].relu().tanh())].into())).unwrap();
    report.assert_ok();
    assert!(report.kinks().is_empty() && report.not_verifiable().is_empty(), "{report}");
}

/// Where inputs are small and the function varies on their scale.
#[test]
fn steps_suit_the_element() {
    for scale in [1e-9, 1e-3, 1.0, 1e6] {
        let x = Tensor::from([0.7, 1.9, 3.1]) * scale;
        let report = Check::new().input("x", x).run(|_, x| Ok([("y", x["x"].ln())].into())).unwrap();
        report.assert_ok();
        assert!(report.not_verifiable().is_empty(), "scale {scale}\n{report}");
    }
}

#[test]
fn a_gradient_that_is_not_finite_is_wrong() {
    let report = Check::new().input("x", Tensor::from([0.4, 0.6])).compare(
        |_, x| Ok([("y", x["x"].tanh())].into()),
        |_, _| Ok([("x", Tensor::from([f64::NAN, f64::INFINITY]))].into()),
    );
    let report = report.unwrap();
    assert_eq!(report.mismatches().len(), 2);
    assert_eq!(report.pattern("x"), Some(&Pattern::NotFinite));
    assert!(report.mismatches().iter().all(|found| found.relative == f64::INFINITY));
}

#[test]
fn the_worst_comes_first_and_fits_80_columns() {
    let name = "a_rather_long_name_of_an_input";
    let x = normal([4, 5], 1.0, &mut StdRng::seed_from_u64(9));
    let check = Check::new().input(name, x).second_order(true).time_axis(name, 1);
    let report = check.compare(
        |_, x| Ok([("an_output_with_a_long_name", x[name].tanh())].into()),
        |x, dy| {
            let slope = 1.0 - x[name].tanh().square();
            let wrong = Tensor::from_fn([4, 5], |i| 1.0 + 0.1 * (i[0] * i[0] * i[1]) as f64);
            Ok([(name, &dy["an_output_with_a_long_name"] * &(slope * wrong))].into())
        },
    );
    let report = report.unwrap();
    let sizes: Vec<f64> = report.mismatches().iter().map(|found| found.relative).collect();
    assert!(sizes.len() == 12 && sizes.is_sorted_by(|a, b| a >= b), "{report}");
    let printed = format!("{report}{report:#}");
    assert!(printed.contains("and 2 more"), "{report}");
    assert!(printed.lines().all(|line| line.chars().count() <= 80), "{report}");
}

#[test]
#[should_panic(expected = "gradient check: MISMATCH")]
fn assert_ok_prints_the_report() {
    let report = Check::new()
        .input("x", Tensor::from([0.4, 0.6]))
        .compare(|_, x| Ok([("y", x["x"].tanh())].into()), |_, dy| Ok([("x", dy["y"].clone())].into()));
    report.unwrap().assert_ok();
}
