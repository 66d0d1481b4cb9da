//! Files of training runs: what is read again, and what is refused.

use crate::common::files::Temporary;
use crate::common::{gradients, normal, seeded};
use retrograde_autograd::Param;
use retrograde_nn::weights::{Weights, WeightsError, Writer};
use retrograde_nn::{AdaGrad, Adam, AdamW, Checkpoint, Error, Group, Optimizer, RmsProp, Rounding, Sgd};
use retrograde_tensor::Tensor;

#[test]
fn a_checkpoint_is_what_is_read_again() {
    let file = Temporary::new("again");
    let mut rng = seeded(3);
    let model =
        vec![Param::new("w", normal::<f32>([2, 3], 1.0, &mut rng)), Param::new("b", Tensor::zeros([3]))];
    let mut adam = AdamW::new(0.1);
    adam.add_group(Group::new([model[1].clone()]).lr_scale(2.0)).unwrap();
    adam.step(&gradients(&[(&model[0], &normal([2, 3], 1.0, &mut rng))])).unwrap();
    let mut checkpoint = Checkpoint::of(&model, &adam).unwrap();
    checkpoint.carry("a/b", Some(&(Tensor::from([1.0_f32]), Tensor::from([[f32::INFINITY, -0.0]]))));
    checkpoint.carry("none", None::<&Tensor<f32>>);
    // More parts than digits, so that the order of names is not theirs.
    checkpoint.carried.insert("deep".into(), (0..12).map(|i| Tensor::scalar(i as f32)).collect());
    checkpoint.generators.insert("x".into(), std::array::from_fn(|i| (i * 5) as u8));
    checkpoint.carried.insert("empty".into(), Vec::new());
    checkpoint.carried.insert("no elements".into(), vec![Tensor::zeros([0, 3])]);
    checkpoint.rounding.parts = 7;
    checkpoint.series.insert("none".into(), Vec::new());
    checkpoint.series.insert("odd".into(), vec![f64::MIN_POSITIVE, -0.0, f64::INFINITY]);
    (checkpoint.epoch, checkpoint.step, checkpoint.position) = (3, usize::MAX, 17);
    checkpoint.save(&file.0).unwrap();
    assert_eq!(Checkpoint::load(&file.0).unwrap(), checkpoint);
    assert!(!checkpoint.carried.contains_key("none"));
    assert_eq!(checkpoint.carried_state("none", &Tensor::zeros([1])).unwrap(), None);
    let nested = vec![(Tensor::zeros([1]), Tensor::zeros([1, 2]))];
    let restored = checkpoint.carried_state("a/b", &nested).unwrap().unwrap();
    assert_eq!(restored[0], (Tensor::from([1.0]), Tensor::from([[f32::INFINITY, 0.0]])));
    assert_eq!(
        checkpoint.carried_state("a/b", &Tensor::zeros([1])).unwrap_err().to_string(),
        "checkpoint: expected a state a/b of shapes [[1]], found [[1], [1, 2]]"
    );
    assert_eq!(checkpoint.optimizer.slots["0"].steps, 1);
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let param = |shape: [usize; 1]| vec![Param::new("w", Tensor::<f32>::zeros(shape))];
    let mut checkpoint = Checkpoint::of(&param([3]), &Sgd::new(0.1)).unwrap();
    let mut sgd = Sgd::new(0.7);
    let mut said = |checkpoint: &Checkpoint<f32>, model: &Vec<Param<f32>>| {
        let before: Vec<Tensor<f32>> = model.iter().map(Param::value).collect();
        let said = checkpoint.restore(model, &mut sgd).unwrap_err().to_string();
        assert_eq!(sgd.lr, 0.7);
        assert!(model.iter().map(Param::value).eq(before));
        said
    };
    let random = vec![Param::new("w", normal([3], 1.0, &mut seeded(6)))];
    assert_eq!(said(&checkpoint, &param([4])), "checkpoint: expected 0 of shape [4], found [3]");
    let two = [param([3]), param([2])].concat();
    assert_eq!(said(&checkpoint, &two), "checkpoint: expected 1 of shape [2], found none");
    assert_eq!(said(&checkpoint, &Vec::new()), "expected a parameter 0 in the model, found none");
    let slot = retrograde_nn::Slot { steps: 1, tensors: [("m".into(), Tensor::zeros([3]))].into() };
    let good = checkpoint.clone();
    checkpoint.optimizer.slots.insert("0".into(), slot);
    assert_eq!(
        said(&checkpoint, &random),
        r#"optimizer state: expected ["velocity [3]"] for 0, found ["m [3]"]"#
    );
    checkpoint = good.clone();
    checkpoint.optimizer.settings.insert("lr".into(), f64::NAN);
    assert_eq!(said(&checkpoint, &random), "sgd: expected lr to be finite and at least 0, found NaN");
    checkpoint = good.clone();
    checkpoint.optimizer.settings.insert("betas.0".into(), 0.5);
    assert_eq!(
        said(&checkpoint, &random),
        r#"sgd: expected the settings ["lr", "momentum", "nesterov", "weight_decay"], found ["betas.0", "lr", "momentum", "nesterov", "weight_decay"]"#
    );
    checkpoint = good.clone();
    let group = retrograde_nn::GroupSettings { lr_scale: -1.0, weight_decay: None };
    checkpoint.optimizer.groups.insert("0".into(), group);
    assert_eq!(said(&checkpoint, &random), "group: expected lr_scale to be finite and at least 0, found -1");
}

#[test]
fn files_that_are_no_checkpoints_are_refused() {
    let file = Temporary::new("refused");
    let model = vec![Param::new("w", Tensor::<f32>::zeros([2]))];
    let mut checkpoint = Checkpoint::of(&model, &Sgd::new(0.1)).unwrap();
    checkpoint.generators.insert("x".into(), [7; 49]);
    checkpoint.save(&file.0).unwrap();
    let fault = |change: &dyn Fn(&mut Writer)| {
        let whole = Weights::load(&file.0).unwrap();
        let mut writer = Writer::default();
        whole.metadata().iter().for_each(|(name, value)| writer.insert_metadata(name, value));
        for name in whole.names() {
            match whole.get::<f32>(name) {
                Ok(x) => writer.insert(name, &x),
                Err(_) if name.starts_with("settings/") => {
                    writer.insert(name, &whole.get::<f64>(name).unwrap())
                }
                Err(_) => writer.insert(name, &whole.get::<usize>(name).unwrap()),
            }
        }
        change(&mut writer);
        let changed = Temporary::new("changed");
        writer.save(&changed.0).unwrap();
        match Checkpoint::<f32>::load(&changed.0).map(drop) {
            Err(Error::Weights { source, .. }) => source.to_string(),
            other => panic!("{other:?}"),
        }
    };
    let two = Tensor::scalar(2_usize);
    let one = Tensor::scalar(1_usize);
    assert_eq!(
        fault(&|w| w.insert("version", &one)),
        "expected a checkpoint of version 2, found 1: begin a new run with its weights, which `Weights::load` reads as the arrays `weights/..`"
    );
    assert_eq!(fault(&|w| w.insert("odd", &two)), "expected no tensor odd, found one");
    assert_eq!(fault(&|w| w.insert("carried-x/rnn", &two)), "expected no tensor carried-x/rnn, found one");
    assert_eq!(fault(&|w| w.insert("carried-0/rnn", &two)), "expected no tensor carried-0/rnn, found one");
    assert_eq!(fault(&|w| w.insert("carried/rnn", &two)), "expected a tensor carried-0/rnn, found none");
    assert_eq!(fault(&|w| w.insert("slots/0/m", &two)), "expected no tensor slots/0/m, found one");
    assert_eq!(
        fault(&|w| w.insert("settings/lr", &two)),
        "tensor settings/lr: expected dtype F64, found I64"
    );
    assert_eq!(fault(&|w| *w = Writer::default()), "expected a tensor version, found none");
    assert_eq!(
        fault(&|w| w.insert("weights/0", &Tensor::from([0.0_f64]))),
        "tensor weights/0: expected dtype F32, found F64"
    );
    assert_eq!(
        fault(&|w| w.insert("generators/x", &Tensor::full([49], 256_usize))),
        "tensor generators/x: expected bytes, found 256"
    );
    assert_eq!(
        fault(&|w| w.insert("generators/x", &two)),
        "tensor generators/x: expected shape [49], found []"
    );
    std::fs::write(&file.0, "torn").unwrap();
    let torn = Checkpoint::<f32>::load(&file.0).unwrap_err();
    assert!(matches!(torn, Error::Weights { source, .. } if *source == WeightsError::NoHeader { found: 4 }));
}

#[test]
fn the_state_of_another_optimizer_is_refused() {
    let model = vec![Param::new("w", Tensor::<f32>::zeros([2]))];
    let optimizers = || -> [Box<dyn Optimizer<f32>>; 5] {
        [
            Box::new(Sgd::new(0.7)),
            Box::new(AdaGrad::new(0.7)),
            Box::new(RmsProp::new(0.7)),
            Box::new(Adam::new(0.7)),
            Box::new(AdamW::new(0.7)),
        ]
    };
    for (i, saved) in optimizers().iter().enumerate() {
        let checkpoint = Checkpoint::of(&model, &**saved).unwrap();
        for (j, mut other) in optimizers().into_iter().enumerate() {
            other.set_lr(0.1);
            let restored = checkpoint.restore(&model, &mut *other).map(drop);
            let said =
                format!("optimizer state: expected that of {}, found that of {}", other.name(), saved.name());
            assert_eq!(restored.map_err(|error| error.to_string()), if i == j { Ok(()) } else { Err(said) });
            assert_eq!(other.lr(), if i == j { 0.7 } else { 0.1 });
        }
    }
}

#[test]
fn other_rounding_is_reported() {
    let file = Temporary::new("rounding");
    let model = vec![Param::new("w", Tensor::<f32>::zeros([2]))];
    let mut checkpoint = Checkpoint::of(&model, &Sgd::new(0.1)).unwrap();
    checkpoint.rounding = Rounding::here(4);
    checkpoint.save(&file.0).unwrap();
    let checkpoint = Checkpoint::<f32>::load(&file.0).unwrap();
    let restored = checkpoint.restore(&model, &mut Sgd::new(0.1)).unwrap();
    assert_eq!(restored.expect_exact(4), Ok(()));
    let simd = Rounding::here(1).simd;
    assert_eq!(
        restored.expect_exact(1).unwrap_err().to_string(),
        format!(
            "checkpoint: expected simd level {simd} and batches in 4 parts, found simd level {simd} and batches in 1 part; \
             from here on, the last digits of results may differ"
        )
    );
    let mut elsewhere = checkpoint.clone();
    elsewhere.rounding.simd = "abacus".into();
    elsewhere.save(&file.0).unwrap();
    let elsewhere = Checkpoint::<f32>::load(&file.0).unwrap();
    let restored = elsewhere.restore(&model, &mut Sgd::new(0.1)).unwrap();
    let said = restored.expect_exact(4).unwrap_err().to_string();
    assert!(
        said.starts_with("checkpoint: expected simd level abacus and batches in 4 parts, found simd level"),
        "{said}"
    );
}
