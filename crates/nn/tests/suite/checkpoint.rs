//! A run that is interrupted and resumed against one that is not, bit for bit.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{normal, seeded};
use rand::{RngExt, SeedableRng};
use retrograde_autograd::{Param, Tape};
use retrograde_nn::weights::{Weights, WeightsError, Writer};
use retrograde_nn::{
    AdaGrad, Adam, AdamW, Cell, Checkpoint, Embedding, Error, Generator, Group, Linear, Module, Optimizer,
    Plateau, RmsProp, RnnCell, Rounding, Schedule, Sgd, TimeRnn, Windows, clip_grad_norm, cross_entropy,
    module,
};
use retrograde_tensor::{Float, Tensor};

struct Model<E: Float> {
    embedding: Embedding<E>,
    rnn: TimeRnn<E>,
    linear: Linear<E>,
}
module!(Model { embedding, rnn, linear });

/// A run with everything that has to outlive the process: a carried state, noise, moments, a plateau.
struct Run {
    model: Model<f32>,
    adam: AdamW<f32>,
    rng: Generator,
    windows: Windows<'static>,
    plateau: Plateau,
    epoch: usize,
    losses: Vec<f64>,
}

const TOKENS: [usize; 41] = {
    let mut tokens = [0; 41];
    let mut i = 0;
    while i < 41 {
        tokens[i] = (i * i + i / 3) % 7;
        i += 1;
    }
    tokens
};

impl Run {
    fn new(seed: u64) -> Self {
        let mut rng = Generator::seed_from_u64(seed);
        let model = Model {
            embedding: Embedding::new(7, 3, &mut rng),
            rnn: TimeRnn::new(RnnCell::new(3, 5, &mut rng)).stateful(true),
            linear: Linear::new(5, 7, &mut rng),
        };
        let mut adam = AdamW::new(0.01);
        adam.add_group(Group::new([model.linear.b.clone()]).lr_scale(2.0).weight_decay(0.0)).unwrap();
        let windows = Windows::new(&TOKENS, 2, 6).unwrap();
        let plateau = Plateau { divisor: 1.25, ..Plateau::new(0.05) };
        Run { model, adam, rng, windows, plateau, epoch: 0, losses: Vec::new() }
    }

    /// One step of truncated backpropagation through time.
    fn step(&mut self) {
        let schedule = Schedule::cosine(1.0, 3, 30, 0.1).unwrap();
        self.adam.set_lr(self.plateau.lr * schedule.lr(self.losses.len() as u64));
        let window = self.windows.next().unwrap();
        let tape = Tape::new();
        let xs = self.model.embedding.forward(&tape, &window.inputs).unwrap();
        let hs = self.model.rnn.forward(&xs).unwrap().hs;
        let noise = Tensor::from_fn(hs.shape(), |_| self.rng.random_range(0.5..1.5));
        let loss =
            cross_entropy(&self.model.linear.forward(&(hs * noise)).unwrap(), &window.targets).unwrap();
        let mut grads = loss.backward().unwrap();
        clip_grad_norm(&mut grads, 0.5);
        self.adam.step(&grads).unwrap();
        self.losses.push(f64::from(loss.value().item().unwrap()));
        if self.losses.len().is_multiple_of(self.windows.per_epoch()) {
            self.epoch += 1;
        }
        self.plateau.observe(self.losses[self.losses.len() - 1].exp());
    }

    fn save(&self, path: &Path) {
        let mut checkpoint = Checkpoint::of(&self.model, &self.adam).unwrap();
        checkpoint.epoch = self.epoch;
        checkpoint.step = self.losses.len();
        checkpoint.position = self.windows.position();
        checkpoint.generators.insert("noise".into(), self.rng.serialize_state());
        checkpoint.carry("rnn", self.model.rnn.state());
        checkpoint.series.insert("losses".into(), self.losses.clone());
        let Plateau { lr, divisor, best } = self.plateau;
        checkpoint.series.insert("plateau".into(), vec![lr, divisor, best]);
        checkpoint.save(path).unwrap();
    }

    fn resume(path: &Path) -> Self {
        let checkpoint = Checkpoint::load(path).unwrap();
        let mut run = Run::new(99); // of this, nothing is to remain
        run.adam = AdamW::new(1.0);
        run.adam.betas = (0.1, 0.2);
        checkpoint.restore(&run.model, &mut run.adam).unwrap().expect_exact(1).unwrap();
        run.epoch = checkpoint.epoch;
        run.windows = run.windows.at(checkpoint.position);
        run.rng = Generator::deserialize_state(&checkpoint.generators["noise"]);
        let zero = run.model.rnn.cell.initial_state(2);
        if let Some(state) = checkpoint.carried_state("rnn", &zero).unwrap() {
            run.model.rnn.set_state(state);
        }
        let [lr, divisor, best] = checkpoint.series["plateau"][..] else { panic!("a plateau is 3 numbers") };
        run.plateau = Plateau { lr, divisor, best };
        run.losses = checkpoint.series["losses"].clone();
        assert_eq!(run.losses.len(), checkpoint.step);
        run
    }

    /// All that can be told apart, as bits.
    fn bits(&self) -> (Vec<u64>, Vec<Vec<u32>>, usize) {
        let weights =
            self.model.params().into_iter().map(|param| param.value().iter().map(f32::to_bits).collect());
        (self.losses.iter().map(|loss| loss.to_bits()).collect(), weights.collect(), self.epoch)
    }
}

/// A file in the folder for temporary files, removed when dropped.
struct Temporary(PathBuf);

impl Temporary {
    fn new(name: &str) -> Self {
        Temporary(std::env::temp_dir().join(format!("retrograde-{}-{name}", std::process::id())))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn interrupted_at_every_step() {
    const STEPS: usize = 14;
    let file = Temporary::new("every-step");
    let mut whole = Run::new(1);
    (0..STEPS).for_each(|_| whole.step());
    assert!(whole.plateau.lr < 0.05 && whole.epoch > 1, "nothing is tested of these");
    for interrupted in 0..STEPS {
        let mut run = Run::new(1);
        (0..interrupted).for_each(|_| run.step());
        run.save(&file.0);
        drop(run);
        let mut resumed = Run::resume(&file.0);
        (interrupted..STEPS).for_each(|_| resumed.step());
        assert_eq!(resumed.bits(), whole.bits(), "interrupted at step {interrupted}");
    }
}

const FILE: &str = "RETROGRADE_TEST_CHECKPOINT";
const KILLED_STEPS: usize = 150;

/// What the next test runs in a process of its own, to be killed.
#[test]
fn run_to_the_end() {
    let Some(path) = std::env::var_os(FILE).map(PathBuf::from) else { return };
    let mut run = if path.exists() { Run::resume(&path) } else { Run::new(1) };
    while run.losses.len() < KILLED_STEPS {
        run.step();
        run.save(&path);
    }
}

/// Killed at 20 random moments. The file that is read meanwhile is whole every time.
#[test]
fn killed_at_random_moments() {
    let file = Temporary::new("killed");
    let start = || {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "checkpoint::run_to_the_end"]).env(FILE, &file.0);
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    let mut rng = seeded(5);
    let mut moments: Vec<usize> = (0..20).map(|_| rng.random_range(1..KILLED_STEPS - 20)).collect();
    moments.sort_unstable();
    for moment in moments {
        let mut child = start();
        // Dead children are started again by the next turn: then this one ends at once.
        while child.try_wait().unwrap().is_none() {
            if file.0.exists() && Checkpoint::<f32>::load(&file.0).unwrap().step >= moment {
                let further = rng.random_range(0..4000);
                std::thread::sleep(std::time::Duration::from_micros(further));
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
    }
    assert!(start().wait().unwrap().success());
    let mut whole = Run::new(1);
    (0..KILLED_STEPS).for_each(|_| whole.step());
    assert_eq!(Run::resume(&file.0).bits(), whole.bits());
}

#[test]
fn a_checkpoint_is_what_is_read_again() {
    let file = Temporary::new("again");
    let mut run = Run::new(3);
    run.step();
    let mut checkpoint = Checkpoint::of(&run.model, &run.adam).unwrap();
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
    assert_eq!(checkpoint.optimizer.slots["rnn.wx"].steps, 1);
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
        r#"optimizer state: expected the settings ["lr", "momentum", "nesterov", "weight_decay"], found ["betas.0", "lr", "momentum", "nesterov", "weight_decay"]"#
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

/// Every optimizer with odd settings and a group, interrupted at a random step and resumed by a program that makes it with
/// other settings and no group: from then on the same numbers, bit for bit.
#[test]
fn every_optimizer_goes_on_by_its_file_alone() {
    type New = fn(bool) -> Box<dyn Optimizer<f32>>;
    let optimizers: [New; 7] = [
        |odd| Box::new(if odd { Sgd::new(0.3).weight_decay(0.02) } else { Sgd::new(1.0) }),
        |odd| Box::new(if odd { Sgd::new(0.3).momentum(0.7) } else { Sgd::new(1.0) }),
        |odd| Box::new(if odd { Sgd::new(0.3).nesterov(0.7) } else { Sgd::new(1.0) }),
        |odd| {
            let mut ada_grad = AdaGrad::new(0.3);
            if odd {
                (ada_grad.eps, ada_grad.weight_decay) = (1e-3, 0.1);
            }
            Box::new(ada_grad)
        },
        |odd| {
            let mut rms = RmsProp::new(0.3);
            if odd {
                (rms.alpha, rms.eps, rms.weight_decay) = (0.8, 1e-3, 0.1);
            }
            Box::new(rms)
        },
        |odd| {
            let mut adam = Adam::new(0.3);
            if odd {
                (adam.betas, adam.eps, adam.weight_decay) = ((0.5, 0.9), 1e-3, 0.1);
            }
            Box::new(adam)
        },
        |odd| {
            let mut adam = AdamW::new(0.3);
            if odd {
                (adam.betas, adam.eps, adam.weight_decay) = ((0.5, 0.9), 1e-3, 0.1);
            }
            Box::new(adam)
        },
    ];
    let file = Temporary::new("by-file");
    let mut random = seeded(7);
    for new in optimizers {
        let model = |seed: u64| -> Vec<Param<f32>> {
            (0..3).map(|_| Param::new("w", normal([3, 2], 1.0, &mut seeded(seed)))).collect()
        };
        let dws: Vec<Tensor<f32>> = (0..12).map(|i| normal([3, 2], 1.0, &mut seeded(20 + i))).collect();
        let steps = |optimizer: &mut dyn Optimizer<f32>, model: &[Param<f32>], from: usize, to: usize| {
            for i in from..to {
                let tape = Tape::new();
                let params = [&model[0], &model[1]].map(|param| tape.param(param));
                let seeds = [(&params[0], &dws[i]), (&params[1], &dws[(i + 5) % 12])];
                let mut grads = tape.backward(&seeds[..1 + i % 2]).unwrap();
                clip_grad_norm(&mut grads, 1.5);
                optimizer.step(&grads).unwrap();
            }
        };
        let grouped = |model: &[Param<f32>]| {
            let mut optimizer = new(true);
            let params = [model[1].clone(), model[2].clone()];
            optimizer.add_group(Group::new(params).lr_scale(0.3).weight_decay(0.25)).unwrap();
            optimizer
        };
        let whole = model(1);
        steps(&mut *grouped(&whole), &whole, 0, 12);
        let interrupted = random.random_range(0..12);
        let first = model(1);
        let mut optimizer = grouped(&first);
        steps(&mut *optimizer, &first, 0, interrupted);
        Checkpoint::of(&first, &*optimizer).unwrap().save(&file.0).unwrap();

        let (second, mut resumed) = (model(99), new(false));
        let checkpoint = Checkpoint::load(&file.0).unwrap();
        checkpoint.restore(&second, &mut *resumed).unwrap().expect_exact(1).unwrap();
        assert_eq!(resumed.settings(), optimizer.settings());
        steps(&mut *resumed, &second, interrupted, 12);
        for (whole, second) in whole.iter().zip(&second) {
            assert_eq!(whole.value(), second.value(), "{} interrupted at {interrupted}", resumed.name());
        }
        // The groups are known, too: a parameter is in one already.
        assert!(resumed.add_group(Group::new([second[2].clone()])).is_err());
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
