//! Random layers and data, and how far apart two results are.

pub(crate) mod files;
pub(crate) mod outcome;

use rand::{SeedableRng, rngs::StdRng};
use retrograde_autograd::{Gradients, Param, Tape, Var};
use retrograde_check::Check;
use retrograde_nn::{Cell, Layer, Module, RnnCell, SequenceOptions, State, Time, TimeRnn, Tree, explicit};
use retrograde_tensor::{Float, IntoShape, Tensor};

/// Normal samples of standard deviation `std`; the same numbers in every precision.
pub(crate) fn normal<E: Float>(shape: impl IntoShape, std: f64, rng: &mut StdRng) -> Tensor<E> {
    Tensor::<f64>::normal(shape, 0.0, std, rng).unwrap().map(E::from_f64)
}

pub(crate) fn seeded(seed: u64) -> StdRng {
    StdRng::seed_from_u64(seed)
}

/// `Wx [D, H]`, `Wh [H, H]`, `b [H]`.
pub(crate) fn weights<E: Float>(d: usize, h: usize, rng: &mut StdRng) -> [Tensor<E>; 3] {
    let std = |fan_in: usize| 1.0 / (fan_in.max(1) as f64).sqrt();
    [normal([d, h], std(d), rng), normal([h, h], std(h), rng), normal([h], 0.5, rng)]
}

pub(crate) fn autodiff<E: Float>([wx, wh, b]: &[Tensor<E>; 3]) -> TimeRnn<E> {
    TimeRnn::new(RnnCell::from_arrays(wx.clone(), wh.clone(), b.clone()).unwrap())
}

pub(crate) fn by_hand<E: Float>([wx, wh, b]: &[Tensor<E>; 3]) -> explicit::TimeRnn<E> {
    explicit::TimeRnn::new(wx.clone(), wh.clone(), b.clone()).unwrap()
}

/// The greatest difference, relative to the greatest element expected. Two tensors without elements are equal.
#[track_caller]
pub(crate) fn relative<E: Float>(found: &Tensor<E>, expected: &Tensor<E>) -> f64 {
    assert_eq!(found.shape(), expected.shape());
    let greatest = |x: &mut dyn Iterator<Item = f64>| {
        x.fold(0.0, |most: f64, x| if x.is_nan() || x > most { x } else { most })
    };
    let pairs = || found.iter().zip(expected).map(|(x, y)| (x.to_f64(), y.to_f64()));
    let difference = greatest(&mut pairs().map(|(x, y)| (x - y).abs()));
    if difference == 0.0 { 0.0 } else { difference / greatest(&mut pairs().map(|(_, y)| y.abs())) }
}

/// Fails with the name unless the relative difference is at most `tolerance`.
#[track_caller]
pub(crate) fn assert_near<E: Float>(name: &str, found: &Tensor<E>, expected: &Tensor<E>, tolerance: f64) {
    let difference = relative(found, expected);
    assert!(difference <= tolerance, "{name}: relative difference {difference:e} above {tolerance:e}");
}

/// Gradients that are just these: those of `Σ ⟨g, w⟩`.
pub(crate) fn gradients<E: Float>(of: &[(&Param<E>, &Tensor<E>)]) -> Gradients<E> {
    let tape = Tape::new();
    let params: Vec<_> = of.iter().map(|(param, _)| tape.param(param)).collect();
    let seeds: Vec<_> = params.iter().zip(of).map(|(param, (_, g))| (param, *g)).collect();
    tape.backward(&seeds).unwrap()
}

/// `df/dx` by central differences of fourth order.
pub(crate) fn differences(x: &Tensor<f64>, f: impl Fn(&Tensor<f64>) -> f64) -> Tensor<f64> {
    let step = 1e-3;
    Tensor::from_fn(x.shape(), |index| {
        let moved = |by: f64| {
            let mut x = x.clone();
            x.set(index, x.at(index) + by * step).unwrap();
            f(&x)
        };
        (8.0 * (moved(1.0) - moved(-1.0)) - (moved(2.0) - moved(-2.0))) / (12.0 * step)
    })
}

/// `Σ a ⊙ b`.
pub(crate) fn inner(a: &Tensor<f64>, b: &Tensor<f64>) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The tensors of a state, in order.
pub(crate) fn tensors<S: State<f64>>(state: &S) -> Vec<Tensor<f64>> {
    state.leaves().into_iter().cloned().collect()
}

/// The variables of a state on a tape, in order.
pub(crate) fn parts<'t>(on: &impl Tree<Var<'t, f64>>) -> Vec<Var<'t, f64>> {
    on.leaves().into_iter().cloned().collect()
}

/// A small value in place of the zeros that biases start from, so that no gradient vanishes by chance.
pub(crate) fn perturb<M: Module<f64>>(module: &M, rng: &mut StdRng) {
    for param in module.params() {
        param.set(param.value() + normal::<f64>(param.shape(), 0.3, rng)).unwrap();
    }
}

/// Gradients from the tape for a cell over a sequence, against differences and against the forward mode: of the
/// input, each variable of the initial state and each parameter, from random cotangents of everything that comes out.
#[track_caller]
pub(crate) fn assert_gradients<C: Cell<f64>>(cell: C, n: usize, steps: usize, rng: &mut StdRng) {
    perturb(&cell, rng);
    let layer = Time::new(cell);
    let xs = normal([n, steps, layer.cell.input_size()], 1.0, rng);
    let mut check = Check::new().input("xs", xs).time_axis("xs", 1).time_axis("hs", 1);
    for (i, zeros) in tensors(&layer.cell.initial_state(n)).iter().enumerate() {
        check = check.input(format!("initial {i}"), normal(zeros.shape(), 1.0, rng));
    }
    for (path, param) in layer.named_params() {
        check = check.param(path, &param);
    }
    let report = check.run(|tape, x| {
        let zeros = layer.cell.initial_state(n).on(tape);
        let mut index = 0..;
        let initial = Tree::map(&zeros, |_| x[&*format!("initial {}", index.next().unwrap())].clone());
        let (hs, last) = layer.run_from(&x["xs"], initial, &SequenceOptions::new())?;
        let mut outputs = vec![("hs".to_owned(), hs)];
        outputs.extend((0..).map(|i| format!("last {i}")).zip(parts(&last)));
        Ok(outputs.into())
    });
    let report = report.unwrap();
    report.assert_ok();
    assert!(!report.rows().is_empty());
}
