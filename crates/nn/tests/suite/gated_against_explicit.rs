//! Gradients from the tape equal those derived by hand, for LSTM and GRU.

use crate::common::{assert_near, normal, perturb, seeded};
use proptest::prelude::*;
use proptest::test_runner::RngSeed;
use retrograde_autograd::Tape;
use retrograde_nn::{GruCell, LstmCell, TimeGru, TimeLstm, explicit};
use retrograde_tensor::Tensor;

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
    let sizes = (1..=4_usize, 1..=7_usize, 1..=5_usize, 1..=5_usize);
    (sizes, any::<bool>(), any::<bool>(), any::<u64>()).prop_map(
        |((n, steps, d, h), stateful, set_state, seed)| Case { n, steps, d, h, stateful, set_state, seed },
    )
}

/// The difference, against the greatest element expected; and where terms may cancel, against 1, which their size is.
#[track_caller]
fn assert_close(name: &str, found: Option<&Tensor<f64>>, expected: &Tensor<f64>) {
    let found = found.unwrap_or_else(|| panic!("{name}: absent"));
    let scale = expected.abs().max().item().unwrap();
    if scale < 0.1 {
        let difference = (found - expected).abs().max().item().unwrap();
        assert!(difference <= 1e-13, "{name}: difference {difference:e}");
    } else {
        assert_near(name, found, expected, 1e-12);
    }
}

/// Runs two windows through both layers and compares all outputs and gradients.
fn compare_lstm(&Case { n, steps, d, h, stateful, set_state, seed }: &Case) {
    let mut rng = seeded(seed);
    let mut lstm = TimeLstm::<f64>::new(LstmCell::new(d, h, &mut rng)).stateful(stateful);
    perturb(&lstm, &mut rng);
    let [wx, wh, b] = [&lstm.cell.wx, &lstm.cell.wh, &lstm.cell.b].map(|param| param.value());
    let mut hand = explicit::TimeLstm::new(wx, wh, b).unwrap().stateful(stateful);
    if set_state {
        let (h0, c0): (Tensor<f64>, Tensor<f64>) =
            (normal([n, h], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));
        lstm.set_state((h0.clone(), c0.clone()));
        hand.set_state((h0, c0));
    }
    for _window in 0..2 {
        let tape = Tape::new();
        let xs = tape.var(normal([n, steps, d], 1.0, &mut rng));
        let dhs = normal([n, steps, h], 1.0, &mut rng);
        let [dh_last, dc_last] = [(), ()].map(|()| normal([n, h], 1.0, &mut rng));

        let out = lstm.forward(&xs).unwrap();
        let outputs = [(&out.hs, &dhs), (&out.last.0, &dh_last), (&out.last.1, &dc_last)];
        let grads = tape.backward(&outputs).unwrap();
        let hs = hand.forward(xs.value()).unwrap();
        let dxs = hand.backward_with_last(&dhs, &dh_last, &dc_last).unwrap();

        assert_close("hs", Some(out.hs.value()), &hs);
        assert_close("h_last", Some(out.last.0.value()), &hand.state().unwrap().0);
        assert_close("c_last", Some(out.last.1.value()), &hand.state().unwrap().1);
        assert_close("dxs", grads.get(&xs), &dxs);
        assert_close("dWx", grads.get(&lstm.cell.wx), &hand.dwx);
        assert_close("dWh", grads.get(&lstm.cell.wh), &hand.dwh);
        assert_close("db", grads.get(&lstm.cell.b), &hand.db);
        assert_close("dh0", grads.get(&out.initial.0), hand.dh.as_ref().unwrap());
        assert_close("dc0", grads.get(&out.initial.1), hand.dc.as_ref().unwrap());
    }
}

fn compare_gru(&Case { n, steps, d, h, stateful, set_state, seed }: &Case, after: bool) {
    let mut rng = seeded(seed);
    let cell =
        if after { GruCell::new(d, h, &mut rng) } else { GruCell::<f64>::reset_before(d, h, &mut rng) };
    let mut gru = TimeGru::new(cell).stateful(stateful);
    perturb(&gru, &mut rng);
    let GruCell { wx, wh, b, bh } = gru.cell.clone();
    let by_hand =
        explicit::Gru::new(wx.value(), wh.value(), b.value(), bh.as_ref().map(|bh| bh.value())).unwrap();
    let mut hand = explicit::TimeGru::new(by_hand).stateful(stateful);
    if set_state {
        let h0: Tensor<f64> = normal([n, h], 1.0, &mut rng);
        gru.set_state(h0.clone());
        hand.set_state(h0);
    }
    for _window in 0..2 {
        let tape = Tape::new();
        let xs = tape.var(normal([n, steps, d], 1.0, &mut rng));
        let (dhs, dh_last) = (normal([n, steps, h], 1.0, &mut rng), normal([n, h], 1.0, &mut rng));

        let out = gru.forward(&xs).unwrap();
        let grads = tape.backward(&[(&out.hs, &dhs), (&out.last, &dh_last)]).unwrap();
        let hs = hand.forward(xs.value()).unwrap();
        let dxs = hand.backward_with_last(&dhs, &dh_last).unwrap();

        assert_close("hs", Some(out.hs.value()), &hs);
        assert_close("h_last", Some(out.last.value()), hand.state().unwrap());
        assert_close("dxs", grads.get(&xs), &dxs);
        assert_close("dWx", grads.get(&wx), &hand.gru.dwx);
        assert_close("dWh", grads.get(&wh), &hand.gru.dwh);
        assert_close("db", grads.get(&b), &hand.gru.db);
        assert_close("dh0", grads.get(&out.initial), hand.dh.as_ref().unwrap());
        if let Some(bh) = &bh {
            assert_close("dbh", grads.get(bh), hand.gru.dbh.as_ref().unwrap());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    })]

    #[test]
    fn lstm(case in case()) {
        compare_lstm(&case);
    }

    #[test]
    fn gru_that_resets_after(case in case()) {
        compare_gru(&case, true);
    }

    #[test]
    fn gru_that_resets_before(case in case()) {
        compare_gru(&case, false);
    }
}

#[test]
fn of_one_sequence_one_step_and_sizes_that_differ() {
    for (n, steps, d, h) in [(1, 1, 1, 1), (1, 6, 2, 5), (4, 1, 5, 2), (20, 12, 17, 33), (2, 200, 3, 4)] {
        for stateful in [false, true] {
            let case = Case { n, steps, d, h, stateful, set_state: true, seed: 7 };
            compare_lstm(&case);
            compare_gru(&case, true);
            compare_gru(&case, false);
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let zeros = |dims: [usize; 2]| Tensor::<f64>::zeros(dims);
    let mut lstm = explicit::Lstm::new(zeros([3, 8]), zeros([2, 8]), Tensor::zeros([8])).unwrap();
    let text = |result: retrograde_nn::Result<()>| result.unwrap_err().to_string();
    let state = zeros([1, 2]);
    assert_eq!(
        text(lstm.backward(&state, &state).map(drop)),
        "explicit lstm: expected a forward pass before the backward pass, found none"
    );
    let c_prev = text(lstm.forward(&zeros([1, 3]), &state, &zeros([2, 2])).map(drop));
    assert_eq!(c_prev, "explicit lstm: expected c_prev of shape [1, 2], found [2, 2]");
    let mut lstm = explicit::TimeLstm::new(zeros([3, 8]), zeros([2, 8]), Tensor::zeros([8])).unwrap();
    let hs = Tensor::zeros([1, 4, 2]);
    assert_eq!(
        text(lstm.backward(&hs).map(drop)),
        "explicit time_lstm: expected a forward pass before the backward pass, found none"
    );
    lstm.forward(&Tensor::zeros([1, 4, 3])).unwrap();
    let dc_last = text(lstm.backward_with_last(&hs, &state, &zeros([1, 3])).map(drop));
    assert_eq!(dc_last, "explicit time_lstm: expected dc_last of shape [1, 2], found [1, 3]");

    let gru = explicit::Gru::new(zeros([3, 6]), zeros([2, 6]), Tensor::zeros([6]), None).unwrap();
    let mut gru = explicit::TimeGru::new(gru);
    assert_eq!(
        text(gru.backward(&hs).map(drop)),
        "explicit time_gru: expected a forward pass before the backward pass, found none"
    );
    gru.forward(&Tensor::zeros([1, 4, 3])).unwrap();
    let dhs = text(gru.backward(&Tensor::zeros([1, 3, 2])).map(drop));
    assert_eq!(dhs, "explicit time_gru: expected dhs of shape [1, 4, 2], found [1, 3, 2]");
    gru.gru.wx = zeros([4, 6]);
    let wx = text(gru.backward(&hs).map(drop));
    assert_eq!(wx, "explicit time_gru: expected Wx of shape [3, 6], found [4, 6]");
}
