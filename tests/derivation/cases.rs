//! Recordings of cells over time.

use retrograde::nn::*;
use retrograde::prelude::*;

#[path = "../../examples/custom_cell/janet.rs"]
#[allow(dead_code)]
mod janet;

/// Outputs on a tape, and the variables that they depend on.
pub(crate) struct Recorded<'t> {
    pub(crate) outputs: Vec<Var<'t, f64>>,
    pub(crate) inputs: Vec<Var<'t, f64>>,
}

pub(crate) type Record = for<'t> fn(&'t Tape<f64>, u64) -> Recorded<'t>;

/// From this seed on, recordings have other numbers of rows and of steps.
pub(crate) const OTHER_SIZES: u64 = 100;

/// The numbers of rows and of steps.
fn sizes(seed: u64) -> [usize; 2] {
    if seed < OTHER_SIZES { [3, 5] } else { [2, 7] }
}

/// By name.
pub(crate) const ALL: [(&str, Record); 13] = [
    ("rnn", |tape, seed| over_time(tape, seed, |d, h, rng| Time::new(RnnCell::new(d, h, rng)))),
    ("lstm", |tape, seed| over_time(tape, seed, |d, h, rng| Time::new(LstmCell::new(d, h, rng)))),
    ("gru", |tape, seed| over_time(tape, seed, |d, h, rng| Time::new(GruCell::new(d, h, rng)))),
    ("gru_before", |tape, seed| {
        over_time(tape, seed, |d, h, rng| Time::new(GruCell::reset_before(d, h, rng)))
    }),
    ("mgu", |tape, seed| over_time(tape, seed, |d, h, rng| Time::new(MguCell::new(d, h, rng)))),
    ("peephole", |tape, seed| over_time(tape, seed, |d, h, rng| Time::new(PeepholeLstmCell::new(d, h, rng)))),
    ("layer_norm", |tape, seed| {
        over_time(tape, seed, |d, h, rng| Time::new(LayerNormLstmCell::new(d, h, rng)))
    }),
    ("janet", |tape, seed| over_time(tape, seed, |d, h, rng| Time::new(janet::Janet::new(d, h, 9, rng)))),
    ("reversed", |tape, seed| {
        over_time(tape, seed, |d, h, rng| Time::new(RnnCell::new(d, h, rng)).reversed(true))
    }),
    ("recomputed", |tape, seed| {
        over_time(tape, seed, |d, h, rng| Time::new(LstmCell::new(d, h, rng)).recompute_every(2))
    }),
    ("learned", |tape, seed| {
        over_time(tape, seed, |d, h, rng| Time::new(GruCell::new(d, h, rng)).learn_initial())
    }),
    ("textbook", by_hand),
    ("of_each_step", inputs_of_each_step),
];

/// A layer over steps of rows, of 2 features and a state of 4, with random parameters and a random initial state.
fn over_time<'t, C: Cell<f64>>(
    tape: &'t Tape<f64>,
    seed: u64,
    layer: impl Fn(usize, usize, &mut StdRng) -> Time<C, f64>,
) -> Recorded<'t> {
    let mut rng = StdRng::seed_from_u64(seed);
    let [n, steps] = sizes(seed);
    let mut layer = layer(2, 4, &mut rng);
    for param in layer.params() {
        param.set(Tensor::normal(param.shape(), 0.0, 0.5, &mut rng).unwrap()).unwrap();
    }
    let learned = !layer.initial().is_empty();
    if !learned {
        layer.set_state(random_state::<C>(&layer.cell.initial_state(n), &mut rng));
    }
    let xs = tape.var(Tensor::normal([n, steps, 2], 0.0, 1.0, &mut rng).unwrap()).named("xs");
    let out = layer.forward(&xs).unwrap();
    let mut inputs = vec![xs];
    if !learned {
        out.initial.for_each(|state| inputs.push(state.clone()));
    }
    Recorded { outputs: vec![out.hs], inputs }
}

fn random_state<C: Cell<f64>>(zeros: &C::State, rng: &mut StdRng) -> C::State {
    Tree::map(zeros, |x: &Tensor<f64>| Tensor::normal(x.shape(), 0.0, 1.0, rng).unwrap())
}

/// A recurrent network from `matmul`, `add` and `tanh`, in a loop of one's own; the last state is an output too.
fn by_hand(tape: &Tape<f64>, seed: u64) -> Recorded<'_> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut random = |shape: &[usize]| Tensor::<f64>::normal(shape, 0.0, 0.7, &mut rng).unwrap();
    let param = |name: &str, value| Param::new(name, value);
    let (wx, wh, b) = (param("Wx", random(&[2, 4])), param("Wh", random(&[4, 4])), param("b", random(&[4])));
    let [n, steps] = sizes(seed);
    let xs = tape.var(random(&[n, steps, 2])).named("xs");
    let h_prev = tape.var(random(&[n, 4])).named("h_prev");
    let (mut h, mut hs) = (h_prev.clone(), Vec::new());
    for step in 0..steps {
        tape.set_step(Some(step));
        let x = xs.select(1, step).named("x");
        let t = (h.matmul(&wh) + x.matmul(&wx) + &b).named("t");
        h = t.tanh().named("h");
        hs.push(h.clone());
    }
    tape.set_step(None);
    let hs = Var::stack(&hs, 1).named("hs");
    Recorded { outputs: vec![hs, h], inputs: vec![xs, h_prev] }
}

/// Each step has an input of its own, and the squared states are summed up in a second state.
fn inputs_of_each_step(tape: &Tape<f64>, seed: u64) -> Recorded<'_> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut random = |shape: &[usize]| Tensor::<f64>::normal(shape, 0.0, 0.7, &mut rng).unwrap();
    let wh = Param::new("Wh", random(&[2, 2]));
    let [n, steps] = sizes(seed);
    let h_prev = tape.var(random(&[n, 2])).named("h_prev");
    let s_prev = tape.var(random(&[n, 2])).named("s_prev");
    let (mut h, mut s, mut inputs) = (h_prev.clone(), s_prev.clone(), vec![h_prev, s_prev]);
    for step in 0..steps {
        tape.set_step(Some(step));
        let x = tape.var(random(&[n, 2])).named("x");
        let keep = tape.constant(random(&[n, 1])).named("keep");
        h = ((h * keep).matmul(&wh) + &x).tanh().named("h");
        s = (s + h.square()).named("s");
        inputs.push(x);
    }
    tape.set_step(None);
    Recorded { outputs: vec![s], inputs }
}
