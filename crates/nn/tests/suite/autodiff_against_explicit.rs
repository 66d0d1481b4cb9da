//! Gradients from the tape equal those derived by hand, on random layers.

use crate::common::{assert_near, autodiff, by_hand, normal, seeded, weights};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use retrograde_autograd::Tape;
use retrograde_tensor::{Float, Tensor};

#[derive(Clone, Debug)]
struct Case {
    n: usize,
    steps: usize,
    d: usize,
    h: usize,
    stateful: bool,
    set_state: bool,
    seed: u64,
}

fn case() -> impl Strategy<Value = Case> {
    let sizes = (1..=5_usize, 1..=9_usize, 1..=7_usize, 1..=7_usize);
    (sizes, any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
        |((n, steps, d, h), stateful, set_state, seed)| Case { n, steps, d, h, stateful, set_state, seed },
    )
}

/// The measure of a difference.
#[derive(Clone, Copy)]
enum Scale {
    /// The greatest element of the result.
    Result,
    /// The greatest element of the same sums with every term made positive. It is what rounding errors are
    /// proportional to: a sum whose terms cancel, such as `db` of a single state over 45 rows, may be arbitrarily small.
    Terms,
}

/// Backpropagation through time with all terms positive: `dxs`, `dWx`, `dWh`, `db`, `dh0`.
fn terms<E: Float>(
    [wx, wh, b]: &[Tensor<E>; 3],
    xs: &Tensor<E>,
    hs: &Tensor<E>,
    h0: &Tensor<E>,
    [dhs, dh_last]: [&Tensor<E>; 2],
) -> [Tensor<E>; 5] {
    let [n, steps, d] = [xs.dims()[0], xs.dims()[1], xs.dims()[2]];
    let (mut dwx, mut dwh, mut db) =
        (Tensor::zeros(wx.shape()), Tensor::zeros(wh.shape()), Tensor::zeros(b.shape()));
    let mut dxs = Tensor::zeros([n, steps, d]);
    let mut dh = dh_last.abs();
    for step in (0..steps).rev() {
        let h_prev = if step == 0 { h0.abs() } else { hs.select(1, step - 1).abs() };
        let slope = hs.select(1, step).map(|h| E::from_f64(1.0) - h * h);
        let dt = (dhs.select(1, step).abs() + &dh) * slope;
        db += &dt.sum_axis(0, false);
        dwh += &h_prev.t().matmul(&dt);
        dwx += &xs.select(1, step).abs().t().matmul(&dt);
        dxs.add_at(1, step, &dt.matmul(&wx.abs().t()).unsqueeze(1));
        dh = dt.matmul(&wh.abs().t());
    }
    [dxs, dwx, dwh, db, dh]
}

/// Runs three windows through both layers and compares all outputs and gradients.
fn compare<E: Float>(case: &Case, scale: Scale, tolerance: f64) {
    let &Case { n, steps, d, h, stateful, set_state, seed } = case;
    let mut rng = seeded(seed);
    let weights = weights::<E>(d, h, &mut rng);
    let mut rnn = autodiff(&weights).stateful(stateful);
    let mut hand = by_hand(&weights).stateful(stateful);
    if set_state {
        let h0 = normal([n, h], 1.0, &mut rng);
        rnn.set_state(h0.clone());
        hand.set_state(h0);
    }
    for _window in 0..3 {
        let tape = Tape::new();
        let xs = tape.var(normal([n, steps, d], 1.0, &mut rng));
        let dhs = normal([n, steps, h], 1.0, &mut rng);
        let dh_last = normal([n, h], 1.0, &mut rng);

        let out = rnn.forward(&xs).unwrap();
        let grads = tape.backward(&[(&out.hs, &dhs), (&out.last, &dh_last)]).unwrap();
        let hs = hand.forward(xs.value()).unwrap();
        let dxs = hand.backward_with_last(&dhs, &dh_last).unwrap();

        assert_near("hs", out.hs.value(), &hs, tolerance);
        assert_near("h_last", rnn.state().unwrap(), hand.state().unwrap(), tolerance);
        let gradients = [
            ("dxs", grads.get(&xs), &dxs),
            ("dWx", grads.get(&rnn.cell.wx), &hand.dwx),
            ("dWh", grads.get(&rnn.cell.wh), &hand.dwh),
            ("db", grads.get(&rnn.cell.b), &hand.db),
            ("dh0", grads.get(&out.initial), hand.dh.as_ref().unwrap()),
        ];
        let terms = terms(&weights, xs.value(), &hs, out.initial.value(), [&dhs, &dh_last]);
        for ((name, found, expected), terms) in gradients.into_iter().zip(terms) {
            let found = found.unwrap_or_else(|| panic!("{name}: absent"));
            match scale {
                Scale::Result => assert_near(name, found, expected, tolerance),
                Scale::Terms => {
                    let [difference, terms] =
                        [(found - expected).abs(), terms].map(|x| x.max().item().unwrap().to_f64());
                    assert!(
                        difference <= tolerance * terms,
                        "{name}: a difference of {difference:e} is above {tolerance:e} of its terms, {terms:e}"
                    );
                }
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn in_double_precision(case in case()) {
        compare::<f64>(&case, Scale::Result, 1e-12);
        compare::<f64>(&case, Scale::Terms, 1e-14);
    }

    /// A millionth of the terms is less than 1e-5 of a result that is at least a tenth of its terms.
    #[test]
    fn in_single_precision(case in case()) {
        compare::<f32>(&case, Scale::Terms, 1e-6);
    }
}

#[test]
fn of_one_sequence_one_step_and_sizes_that_differ() {
    for (n, steps, d, h) in [(1, 1, 1, 1), (1, 6, 2, 5), (4, 1, 5, 2), (3, 4, 1, 6), (2, 40, 8, 8)] {
        for stateful in [false, true] {
            let case = Case { n, steps, d, h, stateful, set_state: true, seed: 7 };
            compare::<f64>(&case, Scale::Result, 1e-12);
            compare::<f32>(&case, Scale::Result, 1e-5);
        }
    }
}

#[test]
fn of_a_batch_as_large_as_a_kernel_wants() {
    let case = Case { n: 20, steps: 12, d: 33, h: 65, stateful: true, set_state: false, seed: 3 };
    compare::<f64>(&case, Scale::Result, 1e-12);
    compare::<f32>(&case, Scale::Result, 1e-5);
}

/// The pending products of a weight's gradient are flushed when they become many: both sides of that edge.
#[test]
fn of_many_steps() {
    let case = Case { n: 4, steps: 600, d: 3, h: 5, stateful: false, set_state: false, seed: 11 };
    compare::<f64>(&case, Scale::Result, 1e-12);
}

#[test]
fn of_cotangents_for_the_last_state_alone() {
    let mut rng = seeded(5);
    let weights = weights::<f64>(3, 4, &mut rng);
    let (mut rnn, mut hand) = (autodiff(&weights), by_hand(&weights));
    let tape = Tape::new();
    let xs = tape.var(normal([2, 5, 3], 1.0, &mut rng));
    let dh_last = normal([2, 4], 1.0, &mut rng);
    let out = rnn.forward(&xs).unwrap();
    let grads = out.last.backward_with(&dh_last).unwrap();
    hand.forward(xs.value()).unwrap();
    let dxs = hand.backward_with_last(&Tensor::zeros([2, 5, 4]), &dh_last).unwrap();
    assert_near("dxs", grads.get(&xs).unwrap(), &dxs, 1e-12);
    assert_near("dh0", grads.get(&out.initial).unwrap(), hand.dh.as_ref().unwrap(), 1e-12);
}

/// Of no sequences, no steps or no features there is nothing to sum, and the state passes through.
#[test]
fn of_size_zero() {
    for (n, steps, d) in [(0, 3, 2), (2, 0, 2), (2, 3, 0), (0, 0, 0)] {
        let mut rng = seeded(2);
        let h = 4;
        let weights = weights::<f64>(d, h, &mut rng);
        let (mut rnn, mut hand) = (autodiff(&weights), by_hand(&weights));
        let h0 = normal([n, h], 1.0, &mut rng);
        rnn.set_state(h0.clone());
        hand.set_state(h0);
        let tape = Tape::new();
        let xs = tape.var(normal([n, steps, d], 1.0, &mut rng));
        let (dhs, dh_last) = (normal([n, steps, h], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));
        let out = rnn.forward(&xs).unwrap();
        let grads = tape.backward(&[(&out.hs, &dhs), (&out.last, &dh_last)]).unwrap();
        assert_near("hs", out.hs.value(), &hand.forward(xs.value()).unwrap(), 1e-12);
        let dxs = hand.backward_with_last(&dhs, &dh_last).unwrap();
        assert_near("dh0", grads.get(&out.initial).unwrap(), hand.dh.as_ref().unwrap(), 1e-12);
        assert_eq!(dxs.dims(), [n, steps, d]);
        match grads.get(&rnn.cell.wh) {
            Some(dwh) => assert_near("dWh", dwh, &hand.dwh, 1e-12),
            None => assert!(steps == 0 && hand.dwh == Tensor::zeros([h, h])),
        }
    }
}
