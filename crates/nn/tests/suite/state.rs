//! The state that a layer carries from call to call.

use crate::common::{assert_near, autodiff, by_hand, normal, seeded, weights};
use retrograde_autograd::{Tape, Var};
use retrograde_derivation::DeriveVar;
use retrograde_nn::{Layer, RnnCell, SequenceOptions, TimeRnn};
use retrograde_tensor::Tensor;

const N: usize = 2;
const D: usize = 3;
const H: usize = 4;

fn layer() -> TimeRnn<f64> {
    autodiff(&weights(D, H, &mut seeded(1)))
}

fn sequence(steps: usize, seed: u64) -> Tensor<f64> {
    normal([N, steps, D], 1.0, &mut seeded(seed))
}

/// `hs` of one call, on a tape of its own.
fn hs(rnn: &mut TimeRnn<f64>, xs: &Tensor<f64>) -> Tensor<f64> {
    rnn.forward(&Tape::inference().constant(xs.clone())).unwrap().hs.detach()
}

#[test]
fn a_stateful_layer_goes_on_where_it_ended() {
    let xs = sequence(7, 2);
    let whole = hs(&mut layer(), &xs);
    let mut rnn = layer().stateful(true);
    assert!(rnn.is_stateful() && rnn.state().is_none());
    let windows = [(0, 3), (3, 1), (4, 3)].map(|(start, length)| hs(&mut rnn, &xs.narrow(1, start, length)));
    assert_near("hs", &Tensor::concat(&windows.iter().collect::<Vec<_>>(), 1), &whole, 1e-15);
    assert_eq!(rnn.state(), Some(&windows[2].select(1, 2)));
}

#[test]
fn a_stateless_layer_starts_from_zeros() {
    let xs = sequence(3, 3);
    let mut rnn = layer();
    assert!(!rnn.is_stateful());
    let first = hs(&mut rnn, &xs);
    assert_eq!(rnn.state(), Some(&first.select(1, 2)));
    assert_eq!(hs(&mut rnn, &xs), first);
}

#[test]
fn a_state_that_was_set_is_the_initial_state_of_one_call() {
    let xs = sequence(3, 4);
    let h0 = normal([N, H], 1.0, &mut seeded(5));
    let mut hand = by_hand(&weights(D, H, &mut seeded(1)));
    hand.set_state(h0.clone());
    let (from_h0, from_zeros) = (hand.forward(&xs).unwrap(), hand.forward(&xs).unwrap());
    assert!(from_h0.allclose(&from_zeros, 1e-3, 0.0).is_err());

    let mut rnn = layer();
    rnn.set_state(h0.clone());
    assert_eq!(rnn.state(), Some(&h0));
    assert_near("honoured", &hs(&mut rnn, &xs), &from_h0, 1e-14);
    assert_near("used up", &hs(&mut rnn, &xs), &from_zeros, 1e-14);

    let mut rnn = layer().stateful(true);
    hs(&mut rnn, &xs);
    rnn.set_state(h0);
    assert_near("in place of the carried state", &hs(&mut rnn, &xs), &from_h0, 1e-14);
}

#[test]
fn a_state_that_was_reset_is_forgotten() {
    let xs = sequence(3, 6);
    let fresh = hs(&mut layer(), &xs);
    let mut rnn = layer().stateful(true);
    hs(&mut rnn, &xs);
    rnn.reset_state();
    assert!(rnn.state().is_none());
    assert_eq!(hs(&mut rnn, &xs), fresh);
    rnn.set_state(Tensor::ones([N, H]));
    rnn.reset_state();
    assert_eq!(hs(&mut rnn, &xs), fresh);
}

#[test]
fn the_batch_may_change_only_after_a_reset() {
    let mut rnn = layer().stateful(true);
    hs(&mut rnn, &sequence(3, 7));
    let carried = rnn.state().cloned();
    let tape = Tape::new();
    let fewer = tape.constant(Tensor::ones([1, 3, D]));
    let error = rnn.forward(&fewer).unwrap_err();
    assert_eq!(error.to_string(), "time: expected a state of shape [1, 4], found [2, 4]");
    assert_eq!(rnn.state().cloned(), carried);
    rnn.reset_state();
    assert_eq!(rnn.forward(&fewer).unwrap().hs.value().dims(), [1, 3, H]);
}

/// A set state is not used up by a call that fails.
#[test]
fn a_call_that_fails_changes_nothing() {
    let xs = sequence(3, 8);
    let h0 = normal([N, H], 1.0, &mut seeded(9));
    let mut rnn = layer();
    rnn.set_state(h0.clone());
    let expected = hs(&mut rnn, &xs);
    rnn.set_state(h0.clone());
    let tape = Tape::new();
    assert!(rnn.forward(&tape.constant(Tensor::ones([N, 3, D + 1]))).is_err());
    assert!(rnn.forward(&tape.constant(Tensor::ones([N + 1, 3, D]))).is_err());
    assert_eq!(rnn.state(), Some(&h0));
    assert_eq!(hs(&mut rnn, &xs), expected);
}

#[test]
fn the_gradient_is_cut_between_calls_even_on_one_tape() {
    let (first, second) = (sequence(3, 10), sequence(2, 11));
    let mut rng = seeded(12);
    let dhs = normal([N, 2, H], 1.0, &mut rng);
    let mut rnn = layer().stateful(true);
    let tape = Tape::new();
    let xs = [tape.var(first), tape.var(second.clone())];
    let out = [rnn.forward(&xs[0]).unwrap(), rnn.forward(&xs[1]).unwrap()];
    let grads = out[1].hs.backward_with(&dhs).unwrap();
    assert!(grads.get(&xs[0]).is_none());
    assert!(grads.get(&out[0].initial).is_none());

    // The parameters' gradient is that of the second call alone.
    let mut alone = by_hand(&weights(D, H, &mut seeded(1)));
    alone.set_state(out[0].last.value().clone());
    alone.forward(&second).unwrap();
    alone.backward(&dhs).unwrap();
    assert_near("dWh", grads.get(&rnn.cell.wh).unwrap(), &alone.dwh, 1e-13);
    assert_near("dh0", grads.get(&out[1].initial).unwrap(), alone.dh.as_ref().unwrap(), 1e-13);
}

/// Given on the tape, an initial state passes its gradient on: from a decoder to its encoder.
#[test]
fn unroll_takes_its_initial_state_from_the_tape() {
    let (xs, ys) = (sequence(4, 13), sequence(3, 14));
    let (encoder, decoder) = (layer(), autodiff(&weights(D, H, &mut seeded(15))));
    let dhs = normal([N, 3, H], 1.0, &mut seeded(16));
    let tape = Tape::new();
    let h0 = tape.var(Tensor::zeros([N, H]));
    let x = tape.var(xs.clone());
    let (_, last) = encoder.run_from(&x, h0, &SequenceOptions::new()).unwrap();
    let (hs, _) = decoder.run_from(&tape.constant(ys.clone()), last, &SequenceOptions::new()).unwrap();
    let grads = hs.backward_with(&dhs).unwrap();

    let mut encoder_by_hand = by_hand(&weights(D, H, &mut seeded(1)));
    let mut decoder_by_hand = by_hand(&weights(D, H, &mut seeded(15)));
    encoder_by_hand.forward(&xs).unwrap();
    decoder_by_hand.set_state(encoder_by_hand.state().unwrap().clone());
    assert_near("hs", hs.value(), &decoder_by_hand.forward(&ys).unwrap(), 1e-14);
    decoder_by_hand.backward(&dhs).unwrap();
    let dh_last = decoder_by_hand.dh.clone().unwrap();
    let dxs = encoder_by_hand.backward_with_last(&Tensor::zeros([N, 4, H]), &dh_last).unwrap();
    assert_near("dxs", grads.get(&x).unwrap(), &dxs, 1e-13);
    assert_near("dWx", grads.get(&encoder.cell.wx).unwrap(), &encoder_by_hand.dwx, 1e-13);
    assert!(encoder.state().is_none() && decoder.state().is_none());
    // A recorded variable keeps its name where it is passed on.
    let line = hs.derivation().unwrap().line("dh_3").unwrap().to_string();
    assert_eq!(line, "dh_3 = dt_0'·rnn_cell.Wh'ᵀ");
}

/// Two layers with one recurrent weight: its gradient is the sum of what each of them contributes.
#[test]
fn gradients_of_shared_parameters_sum() {
    let mut rng = seeded(17);
    let [wx, wh, b] = weights::<f64>(D, H, &mut rng);
    let first = RnnCell::from_arrays(wx.clone(), wh.clone(), b.clone()).unwrap();
    let other: [Tensor<f64>; 3] = [normal([D, H], 0.5, &mut rng), wh.clone(), normal([H], 0.5, &mut rng)];
    let second = RnnCell::from_params(
        retrograde_autograd::Param::new("Wx2", other[0].clone()),
        first.wh.clone(),
        retrograde_autograd::Param::new("b2", other[2].clone()),
    )
    .unwrap();
    let (mut first, mut second) = (TimeRnn::new(first), TimeRnn::new(second));
    let (xs, ys) = (sequence(4, 18), sequence(2, 19));
    let (da, db) = (normal([N, 4, H], 1.0, &mut rng), normal([N, 2, H], 1.0, &mut rng));

    let tape = Tape::new();
    let forward = |rnn: &mut TimeRnn<f64>, xs: &Tensor<f64>| -> Var<'_, f64> {
        rnn.forward(&tape.constant(xs.clone())).unwrap().hs
    };
    let (a, b_) = (forward(&mut first, &xs), forward(&mut second, &ys));
    let grads = tape.backward(&[(&a, &da), (&b_, &db)]).unwrap();

    let mut hands = [by_hand(&[wx, wh, b]), by_hand(&other)];
    hands[0].forward(&xs).unwrap();
    hands[0].backward(&da).unwrap();
    hands[1].forward(&ys).unwrap();
    hands[1].backward(&db).unwrap();
    assert_near("dWh", grads.get(&first.cell.wh).unwrap(), &(&hands[0].dwh + &hands[1].dwh), 1e-13);
    assert_near("dWx", grads.get(&first.cell.wx).unwrap(), &hands[0].dwx, 1e-13);
    assert_near("dWx2", grads.get(&second.cell.wx).unwrap(), &hands[1].dwx, 1e-13);
}
