//! Around a model: single steps, snapshots and averages, stopping, shuffled batches.

use crate::common::{normal, perturb, seeded};
use retrograde_autograd::{Gradients, Param, Tape};
use retrograde_nn::{
    Adam, Batches, Bidirectional, Cell, Ema, GruCell, Layer, Linear, LstmCell, Module, Optimizer, Patience,
    Progress, RnnCell, Sgd, Snapshot, Stacked, State, Stateful, Time, TimeLstm,
};
use retrograde_tensor::{Float, Tensor, assert_close};

/// Holds the steps of a layer against its sequences. A product of other sizes may add up in another order.
macro_rules! steps {
    ($layer:expr, $e:ty) => {
        for (n, steps, seed) in [(1, 1, 1), (3, 4, 2), (2, 7, 3)] {
            let mut layer = $layer;
            let (d, tolerance) = (3, 20.0 * f64::from(<$e>::EPSILON));
            let xs: Tensor<$e> = normal([n, steps, d], 1.0, &mut seeded(seed));
            let tape = Tape::inference();
            let hs = layer.forward(&tape.constant(xs.clone())).unwrap().hs.value().clone();
            layer.reset_state();
            for _again in 0..2 {
                for t in 0..steps {
                    let h = layer.step(&xs.select(1, t)).unwrap();
                    assert_close!(h, hs.select(1, t), tolerance, tolerance);
                }
                layer.reset_state();
            }
            // A step goes on where a sequence ended, whether the layer is stateful or not.
            let first = layer.forward(&tape.constant(xs.narrow(1, 0, steps - 1))).unwrap();
            drop(first);
            let last = layer.step(&xs.select(1, steps - 1)).unwrap();
            assert_close!(last, hs.select(1, steps - 1), tolerance, tolerance);
        }
    };
}

fn lstm<E: Float>(seed: u64) -> TimeLstm<E> {
    let layer = Time::new(LstmCell::new(3, 4, &mut seeded(seed)));
    layer.cell.b.update(|b| *b = normal(b.shape(), 0.5, &mut seeded(seed + 1)));
    layer
}

#[test]
fn steps_are_the_sequence() {
    steps!(lstm::<f64>(5), f64);
    steps!(lstm::<f32>(5), f32);
    steps!(lstm::<f64>(5).stateful(true), f64);
    steps!(lstm::<f64>(5).zoneout(&[("h", 0.3), ("c", 0.1)]).unwrap(), f64);
    steps!(lstm::<f64>(5).recurrent_dropout(&[("h", 0.3)]).unwrap(), f64);
    steps!(Time::<_, f64>::new(GruCell::new(3, 2, &mut seeded(4))).recompute_every(2), f64);
    let learned = || {
        let layer = Time::<_, f64>::new(RnnCell::new(3, 5, &mut seeded(4))).learn_initial();
        perturb(&layer, &mut seeded(9));
        layer
    };
    steps!(learned(), f64);
    let rng = &mut seeded(6);
    let second = Time::<_, f64>::new(LstmCell::new(4, 4, rng));
    steps!(Stacked::new(vec![lstm::<f64>(5), second.clone()]), f64);
    steps!(Stateful::new(((lstm::<f64>(5), second.clone()), Linear::new(4, 2, &mut seeded(1)))), f64);
}

#[test]
fn a_step_that_cannot_be_taken_leaves_the_state() {
    let mut layer = lstm::<f64>(1);
    layer.step(&Tensor::ones([2, 3])).unwrap();
    let before = layer.state().cloned();
    for (x, text) in [
        (Tensor::ones([2, 4]), "step: expected x of shape [N, 3], found [2, 4]"),
        (Tensor::ones([3]), "step: expected x of shape [N, 3], found [3]"),
        (Tensor::ones([2, 1, 3]), "step: expected x of shape [N, 3], found [2, 1, 3]"),
        (Tensor::ones([1, 3]), "time: expected a state of shape [1, 4], found [2, 4]"),
    ] {
        assert_eq!(layer.step(&x).unwrap_err().to_string(), text);
        assert_eq!(layer.state(), before.as_ref());
    }
    assert_eq!(
        layer.step(&Tensor::ones([0, 3])).unwrap_err().to_string(),
        "time: expected a state of shape [0, 4], found [2, 4]"
    );
    layer.reset_state();
    assert_eq!(layer.step(&Tensor::ones([0, 3])).unwrap().dims(), [0, 4]);

    let expected = "step: expected a layer that runs forwards, found one that takes the last step first";
    let mut reversed = lstm::<f64>(1).reversed(true);
    assert_eq!(reversed.step(&Tensor::ones([2, 3])).unwrap_err().to_string(), expected);
    let both =
        Bidirectional::new(RnnCell::<f64>::new(3, 2, &mut seeded(1)), RnnCell::new(3, 2, &mut seeded(2)));
    let expected = "step: expected a layer that runs forwards, found one whose outputs depend on later steps";
    assert_eq!(Stateful::new(both).step(&Tensor::ones([2, 3])).unwrap_err().to_string(), expected);
}

/// Trains on noise for some steps.
fn train(model: &(TimeLstm<f64>, Linear<f64>), optimizer: &mut dyn Optimizer<f64>, steps: usize) {
    for seed in 0..steps as u64 {
        let tape = Tape::new();
        let xs = tape.constant(normal([2, 3, 3], 1.0, &mut seeded(seed)));
        let y = model.run(&xs, None, &retrograde_nn::SequenceOptions::new()).unwrap().hs;
        optimizer.step(&y.square().sum().backward().unwrap()).unwrap();
    }
}

fn model(seed: u64) -> (TimeLstm<f64>, Linear<f64>) {
    (lstm(seed), Linear::new(4, 2, &mut seeded(seed)))
}

fn numbers(model: &impl Module<f64>) -> Vec<Vec<f64>> {
    model.params().iter().map(|param| param.value().to_vec()).collect()
}

#[test]
fn a_snapshot_stays() {
    for seed in 0..5 {
        let model = model(seed);
        let before = numbers(&model);
        let snapshot = model.snapshot();
        train(&model, &mut Adam::new(0.1), 3);
        train(&model, &mut Sgd::new(0.1).momentum(0.5), 2);
        model.1.b.update(|b| b.as_mut_slice()[0] = 7.0); // in place
        assert_ne!(numbers(&model), before);
        assert_eq!(snapshot.iter().map(|(_, value)| value.to_vec()).collect::<Vec<_>>(), before);
        model.restore(&snapshot).unwrap();
        assert_eq!(numbers(&model), before);
        model.1.b.update(|b| b.as_mut_slice()[0] = 7.0);
        assert_ne!(snapshot.get("1.b").unwrap(), &model.1.b.value());
        let boxed: Box<dyn Module<f64>> = Box::new(model);
        boxed.restore(&snapshot).unwrap();
        assert_eq!(boxed.snapshot(), snapshot);
    }
}

#[test]
fn a_snapshot_of_another_model_is_refused() {
    let model = model(1);
    let before = numbers(&model);
    let refused = |snapshot: Snapshot<f64>| {
        let text = model.restore(&snapshot).unwrap_err().to_string();
        assert_eq!(numbers(&model), before);
        assert_eq!(Ema::resume(snapshot, 0.5).unwrap().update(&model).unwrap_err().to_string(), text);
        text
    };
    let all = || model.snapshot().iter().map(|(path, x)| (path.to_owned(), x * 2.0)).collect::<Vec<_>>();
    let without_last = all().into_iter().take(4).collect();
    assert_eq!(refused(without_last), "snapshot: expected 1.b of shape [2], found none");
    let more = all().into_iter().chain([("2.b".to_owned(), Tensor::zeros([2]))]).collect();
    assert_eq!(refused(more), "snapshot: expected a parameter 2.b in the model, found none");
    let other = all()
        .into_iter()
        .map(|(path, x)| (path, if x.rank() == 1 { Tensor::zeros([3]) } else { x }))
        .collect();
    assert_eq!(refused(other), "snapshot: expected 0.b of shape [16], found [3]");
    // The order of a file does not matter.
    let reversed: Snapshot<f64> = all().into_iter().rev().collect();
    model.restore(&reversed).unwrap();
    assert_eq!(numbers(&model)[0], before[0].iter().map(|x| x * 2.0).collect::<Vec<_>>());
}

#[test]
fn an_average_is_the_weighted_sum() {
    for (seed, decay) in [(1, 0.0), (2, 0.5), (3, 0.9)] {
        let model = model(seed);
        let mut ema = Ema::new(&model, decay).unwrap();
        let mut values = vec![numbers(&model)];
        let mut adam = Adam::new(0.1);
        for step in 0..6 {
            if step == 3 {
                // As after a file, in another order.
                let kept =
                    ema.average().iter().map(|(path, x)| (path.to_owned(), x.clone())).collect::<Vec<_>>();
                ema = Ema::resume(kept.into_iter().rev().collect(), decay).unwrap();
            }
            train(&model, &mut adam, 1);
            values.push(numbers(&model));
            ema.update(&model).unwrap();
        }
        for (i, (_, found)) in ema.average().iter().enumerate() {
            for (k, found) in found.iter().enumerate() {
                let weight = |at: usize| match at {
                    0 => decay.powi(6),
                    at => (1.0 - decay) * decay.powi(6 - at as i32),
                };
                let expected: f64 = values.iter().enumerate().map(|(at, v)| weight(at) * v[i][k]).sum();
                assert!((found - expected).abs() < 1e-12, "{found}, expected {expected}");
            }
        }
    }
    for decay in [1.0, -0.1, f64::NAN] {
        assert!(Ema::new(&model(1), decay).is_err());
    }
}

#[test]
fn patience_counts_what_is_no_better() {
    let mut patience = Patience { min_delta: 0.5, ..Patience::new(2) };
    let losses = [f64::NAN, 4.0, 3.6, 3.4, f64::INFINITY, 3.4];
    let progress = losses.map(|loss| patience.observe(loss));
    use Progress::{Best, Stop, Wait};
    assert_eq!(progress, [Wait, Best, Wait, Best, Wait, Stop]);
    assert_eq!((patience.best, patience.waited), (3.4, 2));
    assert_eq!(patience.observe(1.0), Best);
    assert!(std::panic::catch_unwind(|| Patience::new(0)).is_err());
}

#[test]
fn each_epoch_has_each_row_once() {
    for rows in 1..12 {
        for batch in 1..14 {
            for seed in 0..3 {
                let whole = Batches::new(rows, batch, seed).unwrap();
                let all: Vec<Vec<usize>> =
                    whole.clone().take(3 * whole.per_epoch()).map(|x| x.to_vec()).collect();
                for epoch in all.chunks(whole.per_epoch()) {
                    let mut seen: Vec<usize> = epoch.concat();
                    seen.sort_unstable();
                    assert!(seen.into_iter().eq(0..rows));
                    assert!(epoch.iter().rev().skip(1).all(|x| x.len() == batch));
                }
                for position in 0..all.len() {
                    let resumed = Batches::new(rows, batch, seed).unwrap().at(position);
                    assert_eq!(resumed.epoch(), position / whole.per_epoch());
                    assert!(
                        resumed.take(all.len() - position).map(|x| x.to_vec()).eq(all[position..].to_vec())
                    );
                }
                match whole.drop_last() {
                    Ok(dropped) => assert!(dropped.take(5).all(|x| x.numel() == batch)),
                    Err(error) => assert!(batch > rows, "{error}"),
                }
            }
        }
    }
    let first = |seed, epoch: usize| Batches::new(100, 100, seed).unwrap().at(epoch).next().unwrap().to_vec();
    assert_ne!(first(1, 0), first(1, 1));
    assert_ne!(first(1, 0), first(2, 0));
    let text = |result: retrograde_nn::Result<Batches>| result.unwrap_err().to_string();
    assert_eq!(text(Batches::new(0, 1, 0)), "batches: expected rows to be at least 1, found 0");
    assert_eq!(text(Batches::new(1, 0, 0)), "batches: expected batch to be at least 1, found 0");
}

#[test]
fn rows_are_shuffled_evenly() {
    // Each row comes at each place about as often as at any other.
    let mut counts = [[0_usize; 5]; 5];
    for rows in Batches::new(5, 5, 3).unwrap().take(4000) {
        rows.iter().enumerate().for_each(|(place, row)| counts[row][place] += 1);
    }
    assert!(counts.iter().flatten().all(|&count| count.abs_diff(800) < 130), "{counts:?}");
}

#[test]
fn updates_skip_no_gradient() {
    let params: Vec<Param<f64>> =
        (0..4).map(|i| Param::new(format!("w{i}"), Tensor::from([1.0, 2.0]))).collect();
    let pass = |of: &[usize]| -> Gradients<f64> {
        let tape = Tape::new();
        let sum = of.iter().map(|&i| tape.param(&params[i]).square().sum()).reduce(|a, b| a + b);
        sum.unwrap().backward().unwrap()
    };
    let mut grads = pass(&[0, 1]);
    grads.add_params(&pass(&[1, 2]));
    grads.insert(&params[3], Tensor::ones([2])).unwrap();
    let mut seen = Vec::new();
    grads.update_params(|param, dw| {
        seen.push(param.name().to_owned());
        *dw = &*dw * 0.5;
    });
    assert_eq!(seen, ["w0", "w1", "w2", "w3"]);
    let found: Vec<f64> = params.iter().map(|param| grads.get(param).unwrap().at(&[0])).collect();
    assert_eq!(found, [1.0, 2.0, 1.0, 0.5]);
    let flat = params.flat_gradients(&grads).unwrap();
    assert_eq!(flat.len(), 8);
    let back = params.gradients_from_flat(&flat).unwrap();
    assert!(params.iter().all(|param| back.get(param) == grads.get(param)));
}

#[test]
fn a_cell_by_itself_is_the_step() {
    let mut layer = lstm::<f64>(3);
    let x: Tensor<f64> = normal([2, 3], 1.0, &mut seeded(1));
    let tape = Tape::inference();
    let state = layer.cell.initial_state(2).on(&tape);
    let (h, _) = layer.cell.step(&layer.cell.project(&tape.constant(x.clone())), &state);
    assert_close!(layer.step(&x).unwrap(), h.value(), 1e-14, 1e-15);
}
