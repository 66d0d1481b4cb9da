//! Options of a layer inside of another one: each acts there, or is refused where the whole runs.

use crate::common::outcome::{assert_same, like, outcome};
use crate::common::{normal, perturb, seeded};
use retrograde_autograd::Tape;
use retrograde_nn::{
    Bidirectional, Dropout, Layer, Linear, LstmCell, Noise, Residual, RnnCell, SequenceOptions, Stacked,
    State, Stateful, Time, TimeLstm, TimeRnn, Tree,
};
use retrograde_tensor::Tensor;

fn rnn(seed: u64) -> TimeRnn<f64> {
    let mut rng = seeded(seed);
    let rnn = TimeRnn::new(RnnCell::new(3, 3, &mut rng));
    perturb(&rnn, &mut rng);
    rnn
}

/// Refused by `run`, and by the `forward` of the same layer made stateful: nothing is recorded as carried.
fn assert_refused<L: Layer<f64>>(name: &str, layer: L) {
    let tape = Tape::new();
    let xs = tape.constant(Tensor::ones([2, 4, 3]));
    let errors = [
        layer.run(&xs, None, &SequenceOptions::new()).err().map(|error| error.to_string()),
        Stateful::new(layer).forward(&xs).err().map(|error| error.to_string()),
    ];
    for error in errors {
        let error = error.unwrap_or_else(|| panic!("{name}: expected an error"));
        assert!(error.contains("expected a layer that carries no state"), "{name}: {error}");
        assert!(error.contains("`Stateful`"), "{name}: {error}");
    }
}

/// By every composite, whichever part it is, also deep inside, also with a given state.
#[test]
fn a_part_that_carries_a_state_is_refused() {
    let told = || rnn(1).stateful(true);
    let set = || {
        let mut rnn = rnn(1);
        rnn.set_state(Tensor::ones([2, 3]));
        rnn
    };
    for (name, part) in [("stateful", &told as &dyn Fn() -> TimeRnn<f64>), ("set", &set)] {
        assert_refused(name, Stacked::new(vec![part(), rnn(2)]));
        assert_refused(name, Stacked::new(vec![rnn(2), part()]));
        assert_refused(name, (part(), rnn(2)));
        assert_refused(name, (rnn(2), part()));
        assert_refused(name, (rnn(2), (Linear::new(3, 3, &mut seeded(3)), part())));
        assert_refused(name, Residual(part()));
        assert_refused(name, Residual((Residual(part()), rnn(2))));
        for forwards in [true, false] {
            let cell = |seed| rnn(seed).cell;
            let mut both = Bidirectional::<_, f64>::new(cell(4), cell(5));
            if forwards {
                both.forward = part()
            } else {
                both.backward = part().reversed(true)
            }
            assert_refused(name, both);
        }
        let inner = Stacked::new(vec![part()]);
        assert_refused(name, (inner, rnn(2)));
    }
    assert_refused("a stateful stack in a pair", (Stacked::new(vec![rnn(1)]).stateful(true), rnn(2)));
    let tape = Tape::new();
    let xs = tape.constant(Tensor::ones([2, 4, 3]));
    let given = Some(Tensor::ones([2, 3]));
    assert!(told().run(&xs, given.as_ref(), &SequenceOptions::new()).is_err());
    assert!(Residual(told()).run(&xs, given.as_ref(), &SequenceOptions::new()).is_err());
    let mut whole = Stacked::new(vec![told()]).stateful(true);
    whole.set_state(vec![Tensor::ones([2, 3])]);
    assert!(whole.forward(&xs).is_err());
    assert_eq!(whole.state(), Some(&vec![Tensor::ones([2, 3])]));
}

/// A layer that ran by itself once, without being told to carry anything, may become a part.
#[test]
fn a_part_that_ran_by_itself_is_no_carrier() {
    let mut part = rnn(1);
    let xs = Tensor::ones([2, 4, 3]);
    let tape = Tape::new();
    part.forward(&tape.constant(xs.clone())).unwrap();
    let mut set = rnn(1);
    set.set_state(Tensor::ones([2, 3]));
    set.forward(&tape.constant(xs.clone())).unwrap();
    for part in [part, set] {
        let hs = (part, rnn(2)).run(&tape.constant(xs.clone()), None, &SequenceOptions::new()).unwrap().hs;
        let expected =
            (rnn(1), rnn(2)).run(&tape.constant(xs.clone()), None, &SequenceOptions::new()).unwrap().hs;
        assert_eq!(hs.value(), expected.value());
    }
}

/// Two windows of the whole are one long sequence, whichever composite carries the state.
#[test]
fn the_whole_carries_the_states_of_its_parts() {
    fn check<L: Layer<f64>>(layer: L) {
        let xs = normal::<f64>([2, 6, 3], 1.0, &mut seeded(7));
        let tape = Tape::new();
        let whole = layer.run(&tape.constant(xs.clone()), None, &SequenceOptions::new()).unwrap();
        let (whole, last) = (whole.hs.detach(), L::State::detach(&whole.last));
        let mut carrying = Stateful::new(layer);
        for (start, length) in [(0, 1), (1, 3), (4, 2)] {
            let tape = Tape::new();
            let window = tape.constant(xs.narrow(1, start, length));
            let hs = carrying.forward(&window).unwrap().hs.detach();
            retrograde_tensor::assert_close!(hs, whole.narrow(1, start, length), 1e-13, 1e-13);
        }
        for (carried, last) in carrying.state().unwrap().leaves().into_iter().zip(last.leaves()) {
            retrograde_tensor::assert_close!(carried, last, 1e-13, 1e-13);
        }
    }
    check(rnn(1));
    check(Stacked::new(vec![rnn(1), rnn(2)]));
    check((rnn(1).learn_initial(), (Linear::new(3, 3, &mut seeded(3)), rnn(2))));
    check(Residual(Stacked::new(vec![rnn(1)])));
}

/// A learned initial state of a part starts every new sequence of the whole, also after a reset, and is trained.
#[test]
fn a_learned_state_acts_inside() {
    fn learned(seed: u64) -> TimeRnn<f64> {
        let rnn = rnn(seed).learn_initial();
        rnn.initial()[0].set(normal([1, 3], 1.0, &mut seeded(seed + 10))).unwrap();
        rnn
    }
    fn check<L: Layer<f64>>(name: &str, layer: L, parts: &[TimeRnn<f64>]) {
        let paths = layer.named_params();
        assert_eq!(
            paths.iter().filter(|(path, _)| path.ends_with("initial.h_prev")).count(),
            parts.len(),
            "{name}"
        );
        let mut rng = seeded(9);
        let (xs, dhs) = (normal::<f64>([2, 4, 3], 1.0, &mut rng), |hs: &Tensor<f64>| {
            normal(hs.shape(), 1.0, &mut seeded(8))
        });
        let resets = Tensor::from_fn([2, 4], |at| f64::from(u8::from(at == [1, 2])));
        let options = SequenceOptions::new().resets(resets);
        let given = |tape| {
            let mut values =
                parts.iter().map(|part| part.initial()[0].value().broadcast_to([2, 3]).contiguous());
            let zeros = layer.initial_state(tape, 2, None).unwrap();
            L::State::detach(&Tree::map(&zeros, |_| tape.var(values.next().unwrap())))
        };
        let tape = Tape::new();
        let x = tape.var(xs.clone());
        let new = layer.run(&x, None, &options).unwrap();
        let set = layer.run(&x, Some(&given(&tape)), &options).unwrap();
        assert_eq!(new.hs.value(), set.hs.value(), "{name}");
        let grads = new.hs.backward_with(&dhs(new.hs.value())).unwrap();
        for part in parts {
            assert!(grads.get(&part.initial()[0]).unwrap().iter().all(|dh| dh != 0.0), "{name}");
        }
        let mut carrying = Stateful::new(layer);
        let first = carrying.forward_with(&x, &options).unwrap().hs;
        carrying.reset_state();
        assert_eq!(carrying.forward_with(&x, &options).unwrap().hs.value(), first.value(), "{name}");
    }
    let (a, b) = (learned(1), learned(2));
    let both = || [a.clone(), b.clone()];
    check("stacked", Stacked::new(both().into()), &both());
    check("pair", (a.clone(), b.clone()), &both());
    check("residual", Residual(a.clone()), std::slice::from_ref(&a));
    let mut two = Bidirectional::<_, f64>::new(rnn(1).cell, rnn(2).cell);
    (two.forward, two.backward) = (a.clone(), b.clone().reversed(true));
    check("bidirectional", two, &both());
}

/// Every option of a layer and of a call, inside of a composite of one layer, as alone.
#[test]
fn options_act_inside_as_alone() {
    let mut rng = seeded(11);
    let plain = TimeLstm::<f64>::new(LstmCell::new(3, 3, &mut rng));
    perturb(&plain, &mut rng);
    let xs = normal::<f64>([3, 5, 3], 1.0, &mut rng);
    let dhs = normal::<f64>([3, 5, 3], 1.0, &mut rng);
    let resets = Tensor::from_fn([3, 5], |at| f64::from(u8::from(at == [1, 2] || at == [2, 4])));
    let mask = Tensor::from_fn([3, 5], |at| f64::from(u8::from(at != [0, 1])));
    let options = SequenceOptions::new().lengths(&[5, 3, 5]).mask(mask).resets(resets);
    for reversed in [false, true] {
        let layer = plain
            .clone()
            .reversed(reversed)
            .learn_initial()
            .recompute_every(2)
            .zoneout(&[("c", 0.3)])
            .unwrap();
        let dlast = like(&retrograde_nn::Cell::initial_state(&layer.cell, 3), &mut rng);
        let alone = outcome(&layer, &xs, None, &options, &dhs, &dlast);
        let mut stacked = outcome(&Stacked::new(vec![layer.clone()]), &xs, None, &options, &dhs, &dlast);
        assert_same(&stacked, &alone);
        let mut residual = outcome(&Residual(layer.clone()), &xs, None, &options, &dhs, &dlast);
        // The shortcut adds its own input, and its cotangent, where steps count.
        let counts = Tensor::from_fn([3, 5, 1], |at| {
            f64::from(u8::from(at[..2] != [0, 1] && !(at[0] == 1 && at[1] > 2)))
        });
        residual.hs = &residual.hs - &xs * &counts;
        residual.dxs = &residual.dxs - &dhs * &counts;
        assert_same(&residual, &alone);

        // Noise: each part draws its own.
        let layer = layer.zoneout(&[("h", 0.5)]).unwrap().recurrent_dropout(&[("h", 0.5)]).unwrap();
        let noisy = options.clone().with_noise(Noise::seeded(5));
        stacked = outcome(&Stacked::new(vec![layer.clone()]), &xs, None, &noisy, &dhs, &dlast);
        assert_same(&stacked, &outcome(&layer, &xs, None, &noisy.child(0), &dhs, &dlast));
    }
}

/// Dropout between the layers of a single one is refused where it would act, and only there.
#[test]
fn dropout_between_the_layers_of_one_is_refused() {
    let tape = Tape::new();
    let xs = tape.constant(Tensor::ones([2, 4, 3]));
    for options in [SequenceOptions::new(), SequenceOptions::new().with_noise(Noise::seeded(1))] {
        for dropout in [Dropout::new(0.5), Dropout::variational(1e-9)] {
            let mut stacked = Stacked::new(vec![rnn(1)]).dropout(dropout.unwrap());
            let error = stacked.forward_with(&xs, &options).unwrap_err().to_string();
            assert!(error.starts_with("stacked: expected at least 2 layers for dropout"), "{error}");
            assert!(stacked.run(&xs, None, &options).is_err());
            assert!((stacked.clone(), rnn(2)).run(&xs, None, &options).is_err());
            stacked.layers.push(rnn(2));
            assert!(stacked.forward_with(&xs, &options).is_ok());
        }
        let mut stacked = Stacked::new(vec![rnn(1)]).dropout(Dropout::new(0.0).unwrap());
        assert_eq!(
            stacked.forward_with(&xs, &options).unwrap().hs.value(),
            Stacked::new(vec![rnn(1)]).forward_with(&xs, &options).unwrap().hs.value()
        );
    }
}

/// A pair of directions in which both run the same way is none.
#[test]
fn directions_that_are_not_two_are_refused() {
    let tape = Tape::new();
    let xs = tape.constant(Tensor::ones([2, 4, 3]));
    let both = || Bidirectional::<_, f64>::new(rnn(4).cell, rnn(5).cell);
    let turned = |forward: bool, backward: bool| {
        let mut layer = both();
        layer.forward = Time::new(rnn(4).cell).reversed(forward);
        layer.backward = Time::new(rnn(5).cell).reversed(backward);
        layer.run(&xs, None, &SequenceOptions::new()).map(|out| out.hs.detach())
    };
    assert_eq!(
        turned(false, true).unwrap(),
        both().run(&xs, None, &SequenceOptions::new()).unwrap().hs.detach()
    );
    for (forward, backward) in [(false, false), (true, true), (true, false)] {
        assert!(
            turned(forward, backward)
                .unwrap_err()
                .to_string()
                .starts_with("bidirectional: expected one layer")
        );
    }
}
