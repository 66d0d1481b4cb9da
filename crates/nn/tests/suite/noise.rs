//! Noise: the parts of a layer draw from it apart, and so do the steps of a sequence where they should.

use crate::common::{normal, seeded, tensors};
use retrograde_autograd::Tape;
use retrograde_nn::{
    Bidirectional, Dropout, Layer, LstmCell, Noise, RnnCell, SequenceOptions, Stacked, Time, TimeLstm,
    TimeRnn,
};
use retrograde_tensor::Tensor;

const N: usize = 4;
const T: usize = 5;
const H: usize = 8;

/// Layers with the same parameters that pay no heed to their input, so that their states differ by their masks alone.
fn twins(p: f64) -> [TimeRnn<f64>; 2] {
    let rng = &mut seeded(1);
    let (wh, b) = (normal([H, H], 0.5, rng), normal([H], 0.5, rng));
    let cell = RnnCell::from_arrays(Tensor::zeros([H, H]), wh, b).unwrap();
    [(); 2].map(|()| Time::new(cell.clone()).recurrent_dropout(&[("h", p)]).unwrap())
}

/// The last states of both parts.
fn last<L: Layer<f64>>(layer: &L, noise: Noise) -> [Tensor<f64>; 2] {
    let tape = Tape::inference();
    let xs = tape.constant(normal([N, T, H], 1.0, &mut seeded(2)));
    let out = layer.run(&xs, None, &SequenceOptions::new().with_noise(noise)).unwrap();
    tensors(&<L::State as retrograde_nn::State<f64>>::detach(&out.last)).try_into().unwrap()
}

#[test]
fn parts_of_a_layer_draw_apart() {
    fn check(name: &str, states: impl Fn(f64, Noise) -> [Tensor<f64>; 2]) {
        for noise in [Noise::off(), Noise::seeded(3)] {
            let [first, second] = states(0.0, noise);
            assert_eq!(first, second, "{name}: without dropout");
        }
        for seed in 0..20 {
            let [first, second] = states(0.5, Noise::seeded(seed));
            assert_ne!(first, second, "{name}: seed {seed}");
        }
    }
    check("stacked", |p, noise| last(&Stacked::new(twins(p).to_vec()), noise));
    check("pair", |p, noise| last(&<(_, _)>::from(twins(p)), noise));
    check("bidirectional", |p, noise| {
        let [forward, backward] = twins(p);
        last(&Bidirectional { forward, backward: backward.reversed(true) }, noise)
    });
    check("nested", |p, noise| {
        let inner = |layer| Stacked::new(vec![layer]);
        let [first, second] = twins(p);
        last(&(inner(first), inner(second)), noise)
    });
}

/// The elements that zoneout keeps are drawn at each step.
#[test]
fn zoneout_draws_at_each_step() {
    let rng = &mut seeded(4);
    let layer = TimeRnn::<f64>::new(RnnCell::new(3, 40, rng)).zoneout(&[("h", 0.5)]).unwrap();
    let tape = Tape::inference();
    let xs = tape.constant(normal([N, T, 3], 1.0, rng));
    let hs = layer.run(&xs, None, &SequenceOptions::new().with_noise(Noise::seeded(5))).unwrap().hs.detach();
    let kept = |step: usize| -> Vec<bool> {
        hs.select(1, step).iter().zip(&hs.select(1, step - 1)).map(|(h, h_prev)| h == h_prev).collect()
    };
    for step in 2..T {
        assert_ne!(kept(step), kept(1), "step {step}");
        assert!(kept(step).contains(&true) && kept(step).contains(&false));
    }
}

/// Ordinary dropout draws at each place of every axis; the variational one at each place of every axis but time.
#[test]
fn dropout_draws_once_for_all_steps_only_if_asked_to() {
    let tape = Tape::inference();
    let x = tape.constant(Tensor::<f64>::ones([10, 10, 10]));
    for seed in 0..20 {
        for (dropout, axes) in [
            (Dropout::new(0.5).unwrap(), [true, true, true]),
            (Dropout::variational(0.5).unwrap(), [true, false, true]),
        ] {
            let y = dropout.forward(&x, Noise::seeded(seed)).detach();
            let varies = [0, 1, 2].map(|axis| (1..10).any(|i| y.select(axis, i) != y.select(axis, 0)));
            assert_eq!(varies, axes, "{dropout:?}, seed {seed}");
        }
    }
}

/// SplitMix64, whose state is a seed.
///
/// # Source
/// S. Vigna, *splitmix64.c* (2015): its first numbers from 1234567 are published beside it.
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let first = (*state ^ (*state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let second = (first ^ (first >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    second ^ (second >> 31)
}

#[test]
fn parts_are_seeded_by_split_mix() {
    let state = &mut 1_234_567;
    let published = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
    assert_eq!([(); 3].map(|()| split_mix(state)), published);
    for seed in [0, 1, 1_234_567, u64::MAX] {
        for i in [0, 1, 7, 1 << 20] {
            let of_part = split_mix(&mut (i as u64 + 1));
            let expected = split_mix(&mut seed.wrapping_add(of_part));
            assert_eq!(Noise::seeded(seed).child(i), Noise::seeded(expected));
        }
    }
    assert_eq!(Noise::off().child(3), Noise::off());
    assert!(Noise::seeded(0).is_on() && !Noise::off().is_on());
}

/// A variable without a probability of zoneout is the next value itself: no mean with a weight of 0, where `0 · inf` is NaN.
#[test]
fn zoneout_leaves_other_variables_alone() {
    let layer = TimeLstm::<f64>::new(LstmCell::new(3, 2, &mut seeded(6))).zoneout(&[("h", 0.5)]).unwrap();
    let tape = Tape::inference();
    let xs = tape.constant(normal([N, T, 3], 1.0, &mut seeded(7)));
    let initial = (Tensor::zeros([N, 2]), Tensor::full([N, 2], f64::INFINITY));
    for noise in [Noise::off(), Noise::seeded(8)] {
        let last = layer.run(&xs, Some(&initial), &SequenceOptions::new().with_noise(noise)).unwrap().last;
        assert_eq!(last.1.value(), &initial.1);
        assert!(last.0.value().iter().all(f64::is_finite));
    }
}
