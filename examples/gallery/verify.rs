//! Claims about every cell: its gradients are right, and it is the same however it is run.

use rand::rngs::StdRng;
use retrograde::check::Report;
use retrograde::prelude::*;
use retrograde_examples::Result;

use crate::task::{FEATURES, Input};

const N: usize = 2;
const STEPS: usize = 4;

/// Random features with the columns beside them, and a cell.
fn case<C>(new: impl Fn(usize, &mut StdRng) -> C, input: Input, seed: u64) -> Result<(C, Tensor<f64>)> {
    let mut rng = StdRng::seed_from_u64(seed);
    let cell = new(FEATURES, &mut rng);
    let xs = Tensor::normal([N, STEPS, FEATURES], 0.0, 1.0, &mut rng)?;
    Ok((cell, input.of(&xs, &mut rng)))
}

/// Checks the gradients of the outputs and of the last state with respect to the input, the initial state and all parameters.
pub(crate) fn check<C: Cell<f64>>(
    new: impl Fn(usize, &mut StdRng) -> C,
    input: Input,
    seed: u64,
    bind: impl Fn(&C, &Var<'_, f64>),
) -> Result<Report> {
    let (cell, xs) = case(new, input, seed)?;
    let layer = Time::new(cell);
    let mut check = Check::new().input("xs", xs).time_axis("xs", 1).time_axis("hs", 1);
    for (path, param) in layer.named_params() {
        check = check.param(path, &param);
    }
    let report = check.run(|_, x| {
        bind(&layer.cell, &x["xs"]);
        let out = layer.run(&x["xs"], None, &SequenceOptions::new())?;
        let last = out.last.leaves().into_iter().enumerate().map(|(i, x)| (format!("last {i}"), x.clone()));
        Ok([("hs".to_owned(), out.hs)].into_iter().chain(last).collect())
    })?;
    Ok(report)
}

/// The outputs, and the gradients of the input and of all parameters, from cotangents that are the same each time.
fn outcome<C: Cell<f64>>(
    layer: &Time<C, f64>,
    [xs, memory]: [&Tensor<f64>; 2],
    options: &SequenceOptions<f64>,
    bind: &impl Fn(&C, &Var<'_, f64>),
) -> Vec<Tensor<f64>> {
    let tape = Tape::new();
    let xs = tape.var(xs.clone());
    bind(&layer.cell, &tape.constant(memory.clone()));
    let hs = layer.run(&xs, None, options).unwrap().hs;
    let dhs = Tensor::from_fn(hs.shape(), |at| 0.3 - (at[1] * 5 + at[2] * 3 + at[0]) as f64 % 0.7);
    let grads = hs.backward_with(&dhs).unwrap();
    let params = layer.params().into_iter().filter_map(|p| grads.get(&p).cloned());
    let dx = grads.get(&xs).cloned();
    [hs.value().clone()].into_iter().chain(dx).chain(params).collect()
}

/// Holds a sequence against its steps, single against double precision, recomputation, lengths and resets against the
/// sequences that they stand for.
///
/// # Panics
/// If two of them differ.
#[allow(dead_code)]
pub(crate) fn agree<C: Cell<f64>, S: Cell<f32>>(
    new: impl Fn(usize, &mut StdRng) -> C,
    single: impl Fn(usize, &mut StdRng) -> S,
    input: Input,
    seed: u64,
    bind: impl Fn(&C, &Var<'_, f64>),
    bind_single: impl Fn(&S, &Var<'_, f32>),
) {
    let (cell, xs) = case(&new, input, seed).unwrap();
    let (layer, plain) = (Time::new(cell), SequenceOptions::new());
    let whole = outcome(&layer, [&xs, &xs], &plain, &bind);
    let hs = &whole[0];

    // Its steps one by one, each from the state before.
    let tape = Tape::inference();
    let memory = tape.constant(xs.clone());
    bind(&layer.cell, &memory);
    let mut state = layer.cell.initial_state(N).on(&tape);
    for step in 0..STEPS {
        let (h, next) = layer.run_from(&memory.narrow(1, step, 1), state, &plain).unwrap();
        assert_close!(h.value(), hs.narrow(1, step, 1), 1e-12, 1e-12);
        state = next;
    }

    // The steps up to a length, and those after a reset, are sequences.
    let part = |row: usize, start: usize, length: usize| {
        let [xs, memory] = [xs.narrow(0, row, 1).narrow(1, start, length), xs.narrow(0, row, 1)];
        outcome(&layer, [&xs, &memory], &plain, &bind)[0].clone()
    };
    let resets = Tensor::from_fn([N, STEPS], |at| f64::from(u8::from(at == [0, 2])));
    let options = SequenceOptions::new().lengths(&[STEPS, 3]).resets(resets);
    let cut = &outcome(&layer, [&xs, &xs], &options, &bind)[0];
    for (row, start, length) in [(0, 0, 2), (0, 2, STEPS - 2), (1, 0, 3)] {
        assert_close!(cut.narrow(0, row, 1).narrow(1, start, length), part(row, start, length), 1e-12, 1e-12);
    }

    // Single precision, with the same parameters.
    let wide: Vec<_> = layer.params();
    let other = Time::new(single(FEATURES, &mut StdRng::seed_from_u64(seed)));
    for (narrow, wide) in other.params().iter().zip(&wide) {
        narrow.set(wide.value().map(|x| x as f32)).unwrap();
    }
    let tape = Tape::inference();
    let narrow = tape.constant(xs.map(|x| x as f32));
    bind_single(&other.cell, &narrow);
    let narrow = other.run(&narrow, None, &SequenceOptions::new()).unwrap().hs;
    assert_close!(narrow.value().map(f64::from), hs, 1e-3, 1e-4);

    // Computed again, bit for bit.
    let again = layer.recompute_every(3);
    assert_eq!(outcome(&again, [&xs, &xs], &plain, &bind), whole);
}
