//! A run that is interrupted and resumed against one that is not, bit for bit.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::files::Temporary;
use crate::common::{normal, seeded};
use rand::{RngExt, SeedableRng};
use retrograde_autograd::{Param, Tape};
use retrograde_nn::{
    AdaGrad, Adam, AdamW, Cell, Checkpoint, Embedding, Generator, Group, Linear, Module, Optimizer, Plateau,
    RmsProp, RnnCell, Schedule, Sgd, TimeRnn, Windows, clip_grad_norm, cross_entropy, module,
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

/// The process that the next test starts and kills.
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
        command.args(["--exact", "checkpoint_resume::run_to_the_end"]).env(FILE, &file.0);
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
