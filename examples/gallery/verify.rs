//! Claims about every cell: its gradients are right, and it is the same however it is run.

use rand::rngs::StdRng;
use retrograde::check::Report;
use retrograde::prelude::*;
use retrograde_examples::Result;

use crate::any_cell::AnyCell;
use crate::gallery::Entry;
use crate::task::FEATURES;

const N: usize = 2;
const STEPS: usize = 4;

/// A cell, and random features with the columns beside them.
fn case(entry: &Entry, seed: u64) -> Result<(Box<dyn AnyCell<f64>>, Tensor<f64>)> {
    let rng = &mut StdRng::seed_from_u64(seed);
    let cell = (entry.double)(FEATURES, rng);
    let xs = Tensor::normal([N, STEPS, FEATURES], 0.0, 1.0, rng)?;
    Ok((cell, entry.input.of(&xs, rng)))
}

/// Checks the gradients of the outputs and of the last state with respect to the input and all parameters.
pub(crate) fn check(entry: &Entry, seed: u64) -> Result<Report> {
    let (cell, xs) = case(entry, seed)?;
    let mut check = Check::new().input("xs", xs).time_axis("xs", 1).time_axis("hs", 1);
    for (path, param) in cell.named_params() {
        check = check.param(path, &param);
    }
    let report = check.run(|_, x| {
        let (hs, last) = cell.run([&x["xs"], &x["xs"]], None, &SequenceOptions::new())?;
        let last = last.into_iter().enumerate().map(|(i, x)| (format!("last {i}"), x));
        Ok([("hs".to_owned(), hs)].into_iter().chain(last).collect())
    })?;
    Ok(report)
}

/// The outputs of a call, the gradient of its input, and those of all parameters, from these cotangents of the outputs; from
/// zeros, if there are none.
fn pass(
    cell: &dyn AnyCell<f64>,
    [xs, memory]: [&Tensor<f64>; 2],
    options: &SequenceOptions<f64>,
    dhs: Option<&Tensor<f64>>,
) -> (Tensor<f64>, Option<Tensor<f64>>, Gradients<f64>) {
    let tape = Tape::new();
    let xs = tape.var(xs.clone());
    let (hs, _) = cell.run([&xs, &tape.constant(memory.clone())], None, options).unwrap();
    let zeros = Tensor::zeros(hs.shape());
    let grads = hs.backward_with(dhs.unwrap_or(&zeros)).unwrap();
    (hs.value().clone(), grads.get(&xs).cloned(), grads)
}

/// Holds a sequence against its steps, single against double precision, recomputation, the rows of a batch, lengths and
/// resets against the sequences that they stand for.
///
/// # Panics
/// If two of them differ.
#[allow(dead_code)]
pub(crate) fn agree(entry: &Entry, seed: u64) {
    let (cell, xs) = case(entry, seed).unwrap();
    let (cell, plain) = (cell, SequenceOptions::new());
    let hs = pass(&*cell, [&xs, &xs], &plain, None).0;
    let dhs = Tensor::normal(hs.shape(), 0.0, 1.0, &mut StdRng::seed_from_u64(seed + 1)).unwrap();
    let (_, dxs, grads) = pass(&*cell, [&xs, &xs], &plain, Some(&dhs));
    let equal = |found: &Gradients<f64>, expected: &Gradients<f64>| {
        let [found, expected] =
            [found, expected].map(|grads| Tensor::from(cell.flat_gradients(grads).unwrap()));
        let size = expected.abs().max().item().unwrap();
        assert_close!(found, expected, 1e-10, 1e-11 * size.max(1.0));
    };

    // Its steps one by one, each from the state before.
    let tape = Tape::inference();
    let memory = tape.constant(xs.clone());
    let mut state = None;
    for step in 0..STEPS {
        let (h, next) = cell.run([&memory.narrow(1, step, 1), &memory], state, &plain).unwrap();
        assert_close!(h.value(), hs.narrow(1, step, 1), 1e-12, 1e-12);
        state = Some(next);
    }

    // Parts of the rows from a step on, as sequences of their own: all rows, one by one; then the steps up to a length, and
    // those after a reset.
    let parts = |parts: &[(usize, usize, usize)], whole: &Tensor<f64>, grads: &Gradients<f64>| {
        let mut sum = Gradients::default();
        for &(row, start, length) in parts {
            let cut = |x: &Tensor<f64>| x.narrow(0, row, 1).narrow(1, start, length);
            let (h, _, dw) = pass(&*cell, [&cut(&xs), &xs.narrow(0, row, 1)], &plain, Some(&cut(&dhs)));
            assert_close!(cut(whole), h, 1e-12, 1e-12);
            sum.add_params(&dw);
        }
        equal(&sum, grads);
    };
    parts(&[(0, 0, STEPS), (1, 0, STEPS)], &hs, &grads);
    let resets = Tensor::from_fn([N, STEPS], |at| f64::from(u8::from(at == [0, 2])));
    let options = SequenceOptions::new().lengths(&[STEPS, 3]).resets(resets);
    let (cut, _, dw) = pass(&*cell, [&xs, &xs], &options, Some(&dhs));
    parts(&[(0, 0, 2), (0, 2, STEPS - 2), (1, 0, 3)], &cut, &dw);

    // Single precision, with the same parameters.
    let single = (entry.single)(FEATURES, &mut StdRng::seed_from_u64(seed));
    for (single, double) in single.params().iter().zip(cell.params()) {
        single.set(double.value().cast()).unwrap();
    }
    let tape = Tape::inference();
    let narrow = tape.constant(xs.cast::<f32>());
    let (narrow, _) = single.run([&narrow, &narrow], None, &SequenceOptions::new()).unwrap();
    assert_close!(narrow.value().cast::<f64>(), hs, 1e-3, 1e-4);

    // Computed again, bit for bit.
    let (all, params) = (cell.flat_gradients(&grads).unwrap(), cell.params());
    let (h, dx, dw) = pass(&*cell.recomputed(3), [&xs, &xs], &plain, Some(&dhs));
    assert_eq!((h, dx, params.flat_gradients(&dw).unwrap()), (hs, dxs, all));
}
